import { afterEach, describe, expect, it, vi } from 'vitest';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { HtmEngineError } from '../../errors.ts';
import type { Sample } from '../../metric.ts';
import type { Bus, SampleDelivery } from '../bus.ts';
import { createMemoryBus } from './memory-bus.ts';
import { MAX_PENDING_WAKE_UPS } from '../wake-ups.ts';

const sample = (i: number): Sample => ({ name: 'm', value: i, timestamp: 1_600_000_000 + i });
const samples = (first: number, count: number) => Array.from({ length: count }, (_, i) => sample(first + i));
const values = (deliveries: readonly SampleDelivery[]) =>
  deliveries.map((delivery) => delivery.samples.map(({ value }) => value));

const opened: Bus[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((bus) => bus.close()));
});

function makeBus(maxSamples = 100, maxBatchSamples = 10) {
  const registry = new Registry();
  const bus = createMemoryBus({ maxSamples, maxBatchSamples }, { log: pino({ level: 'silent' }), registry });
  opened.push(bus);
  const metric = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
  return { bus, queued: () => metric('htmengine_bus_queued_samples'), metric };
}

/** A consumer whose calls are answered by the test. */
function manualConsumer(bus: Bus) {
  const calls: {
    deliveries: readonly SampleDelivery[];
    resolve: (refused?: { index: number; reason: 'older' | 'duplicate' }[][]) => void;
    reject: (error: Error) => void;
  }[] = [];
  void bus.consumeSamples(
    (deliveries) =>
      new Promise((resolve, reject) => {
        calls.push({
          deliveries,
          resolve: (refused) => resolve(refused ?? deliveries.map(() => [])),
          reject,
        });
      }),
  );
  const nextCall = async (n: number) => {
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(n));
    const call = calls[n];
    if (call === undefined) throw new Error('no call');
    return call;
  };
  return { calls, nextCall };
}

describe('the memory bus', () => {
  it('joins publications of one turn of the event loop without splitting one that fits a batch', async () => {
    const { bus } = makeBus();
    const { nextCall } = manualConsumer(bus);
    const accepted = [samples(0, 4), samples(10, 4), samples(20, 4)].map((batch) =>
      bus.publishSamples(batch),
    );
    const first = await nextCall(0);
    expect(values(first.deliveries)).toEqual([
      [0, 1, 2, 3],
      [10, 11, 12, 13],
    ]);
    first.resolve();
    const second = await nextCall(1);
    expect(values(second.deliveries)).toEqual([[20, 21, 22, 23]]);
    second.resolve();
    expect(await Promise.all(accepted)).toEqual([{ refused: [] }, { refused: [] }, { refused: [] }]);
  });

  it('accepts only after the consumer has handled', async () => {
    const { bus } = makeBus();
    const { nextCall } = manualConsumer(bus);
    let accepted = false;
    const publishing = bus.publishSamples([sample(1)]).then(() => (accepted = true));
    const call = await nextCall(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(accepted).toBe(false);
    call.resolve();
    await publishing;
    expect(accepted).toBe(true);
  });

  it('gives one receipt, with indexes of the whole, for a publication that is split', async () => {
    const { bus } = makeBus();
    const { nextCall } = manualConsumer(bus);
    const receipt = bus.publishSamples(samples(0, 25));
    (await nextCall(0)).resolve([[{ index: 1, reason: 'older' }]]);
    (await nextCall(1)).resolve([[{ index: 0, reason: 'duplicate' }]]);
    const last = await nextCall(2);
    expect(values(last.deliveries)).toEqual([[20, 21, 22, 23, 24]]);
    last.resolve([[{ index: 4, reason: 'older' }]]);
    expect(await receipt).toEqual({
      refused: [
        { index: 1, reason: 'older' },
        { index: 10, reason: 'duplicate' },
        { index: 24, reason: 'older' },
      ],
    });
  });

  it('tells exactly the publishers of the batch that failed', async () => {
    const { bus } = makeBus();
    const { nextCall } = manualConsumer(bus);
    const publishing = [samples(0, 5), samples(10, 5), samples(20, 5)].map((batch) =>
      bus.publishSamples(batch),
    );
    const settled = Promise.allSettled(publishing);
    (await nextCall(0)).reject(new HtmEngineError('store_unavailable', 'the disk is full'));
    (await nextCall(1)).resolve();
    expect(await settled).toMatchObject([
      { status: 'rejected', reason: { code: 'store_unavailable' } },
      { status: 'rejected', reason: { code: 'store_unavailable' } },
      { status: 'fulfilled' },
    ]);
  });

  it('does not try the rest of a split publication of which a part failed', async () => {
    const { bus } = makeBus();
    const { calls, nextCall } = manualConsumer(bus);
    const large = bus.publishSamples(samples(0, 35));
    const rejected = expect(large).rejects.toThrow('the disk is full');
    (await nextCall(0)).resolve();
    (await nextCall(1)).reject(new Error('the disk is full'));
    await rejected;
    const small = bus.publishSamples([sample(99)]);
    const next = await nextCall(2);
    expect(values(next.deliveries)).toEqual([[99]]);
    next.resolve();
    await small;
    expect(calls).toHaveLength(3);
  });

  it('fails loudly when the consumer does not answer for every delivery', async () => {
    const { bus } = makeBus();
    await bus.consumeSamples(() => Promise.resolve([]));
    await expect(bus.publishSamples([sample(1)])).rejects.toThrow(/one list of refusals per delivery/);
  });

  it('holds no more than maxSamples for the consumer while publishers wait', async () => {
    const { bus, queued, metric } = makeBus(20, 10);
    const { calls, nextCall } = manualConsumer(bus);
    const accepted = Array.from({ length: 30 }, (_, i) => bus.publishSamples(samples(i * 10, 7)));
    expect(await queued()).toBe(14);
    expect(await metric('htmengine_bus_waiting_publishers')).toBe(28);
    for (let i = 0; i < 30; i++) {
      (await nextCall(i)).resolve();
      expect(await queued()).toBeLessThanOrEqual(20);
    }
    await Promise.all(accepted);
    expect(calls.map(({ deliveries }) => deliveries[0]?.samples[0]?.value)).toEqual(
      Array.from({ length: 30 }, (_, i) => i * 10),
    );
    expect(await queued()).toBe(0);
  });

  it('tells a publisher to try again rather than hold any number of them', async () => {
    const { bus } = makeBus(1, 1);
    const waiting = Array.from({ length: 10_001 }, () => bus.publishSamples([sample(1)]));
    const settled = Promise.allSettled(waiting);
    await expect(bus.publishSamples([sample(1)])).rejects.toMatchObject({ code: 'overloaded' });
    await bus.close();
    expect(new Set((await settled).map(({ status }) => status))).toEqual(new Set(['rejected']));
  });

  it('takes what is published the moment the one before is accepted', async () => {
    const { bus } = makeBus();
    let handled = 0;
    await bus.consumeSamples((deliveries) => {
      handled += deliveries.length;
      return Promise.resolve(deliveries.map(() => []));
    });
    for (let i = 0; i < 200; i++) await bus.publishSamples([sample(i)]);
    expect(handled).toBe(200);
  });

  it('refuses with code stopped what nobody ever consumed', async () => {
    const { bus } = makeBus();
    const publishing = expect(bus.publishSamples([sample(1)])).rejects.toMatchObject({ code: 'stopped' });
    await bus.close();
    await publishing;
  });

  it('delivers the wake-ups of one turn together, each id once, in their order', async () => {
    const { bus } = makeBus();
    const heard: (readonly string[])[] = [];
    bus.onWake('rowsStored', (ids) => heard.push(ids));
    bus.wake('rowsStored', ['b', 'a']);
    bus.wake('rowsStored', []);
    bus.wake('rowsStored', ['a', 'c', 'b']);
    await vi.waitFor(() => expect(heard).toEqual([['b', 'a', 'c']]));
    bus.wake('rowsStored', ['a']);
    await vi.waitFor(() => expect(heard).toEqual([['b', 'a', 'c'], ['a']]));
  });

  it('leaves more wake-ups than it will hold to the sweeps, and counts them', async () => {
    const { bus, metric } = makeBus();
    const heard: number[] = [];
    bus.onWake('scored', (ids) => heard.push(ids.length));
    bus.wake(
      'scored',
      Array.from({ length: MAX_PENDING_WAKE_UPS + 7 }, (_, i) => `metric-${i}`),
    );
    bus.wake('scored', ['metric-0']);
    await vi.waitFor(() => expect(heard).toEqual([MAX_PENDING_WAKE_UPS]));
    expect(await metric('htmengine_bus_dropped_wakeups_total')).toBe(7);
  });
});
