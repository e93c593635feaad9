import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HtmEngineError, hasCode } from '../../src/errors.ts';
import { WAKE_TOPICS, type Bus, type SampleDelivery, type SampleHandler } from '../../src/bus/bus.ts';
import type { Sample } from '../../src/metric.ts';

/** What a bus under test is made with: bounds small enough to be met. */
export const CONFORMANCE_BOUNDS = { maxSamples: 20, maxBatchSamples: 8 };

const sample = (name: string, i: number): Sample => ({ name, value: i / 8, timestamp: 1_600_000_000 + i });
const samples = (name: string, count: number, first = 0): Sample[] =>
  Array.from({ length: count }, (_, i) => sample(name, first + i));

/** Awaits what comes about by itself, on a busy machine and over a broker. */
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 15_000 });

/** A consumer that remembers what it stored, and may be told to wait or to fail. */
class Consumer {
  readonly stored: Sample[] = [];
  readonly calls: (readonly SampleDelivery[])[] = [];
  concurrent = 0;
  mostConcurrent = 0;
  /** Awaited by every call before it stores. */
  gate: Promise<void> = Promise.resolve();
  /** Calls that still fail. */
  failures = 0;

  readonly handler: SampleHandler = async (deliveries) => {
    this.calls.push(deliveries);
    this.mostConcurrent = Math.max(this.mostConcurrent, ++this.concurrent);
    try {
      await this.gate;
      if (this.failures > 0) {
        this.failures--;
        throw new HtmEngineError('store_unavailable', 'the disk is full');
      }
      for (const delivery of deliveries) this.stored.push(...delivery.samples);
      return deliveries.map(() => []);
    } finally {
      this.concurrent--;
    }
  };

  of(name: string): Sample[] {
    return this.stored.filter((stored) => stored.name === name);
  }
}

function openGate(): { gate: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  return { gate, open };
}

/** Publishes as a listener does: again and again until the samples are accepted. */
async function publishUntilAccepted(bus: Bus, batch: readonly Sample[]): Promise<void> {
  for (;;) {
    try {
      await bus.publishSamples(batch);
      return;
    } catch (error) {
      if (!hasCode(error, 'store_unavailable') && !hasCode(error, 'overloaded')) throw error;
      await sleep(1);
    }
  }
}

/** A bus that is tested. */
export interface BusUnderTest {
  readonly bus: Bus;
  /** Where samples outlive the bus that accepted them: opens another on what it left. */
  readonly reopen?: () => Promise<Bus>;
  /** Takes away what is left of them. */
  readonly dispose?: () => Promise<void>;
}

/** What every bus must do. `makeBus` gives a new, empty bus with `CONFORMANCE_BOUNDS`; the suite closes it. */
export function busConformance(name: string, makeBus: () => Promise<BusUnderTest>): void {
  describe(`bus conformance: ${name}`, () => {
    const opened: Bus[] = [];
    const made: BusUnderTest[] = [];
    const make = async () => {
      const underTest = await makeBus();
      made.push(underTest);
      opened.push(underTest.bus);
      return underTest.bus;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((bus) => bus.close()));
      for (const { dispose } of made.splice(0)) await dispose?.();
    });

    describe('samples', () => {
      it('arrive as they were published', async () => {
        const bus = await make();
        const consumer = new Consumer();
        await bus.consumeSamples(consumer.handler);
        const published: Sample[] = [
          { name: 'cpu;host=a', value: 5e-324, timestamp: 631_152_000 },
          { name: 'Температура 東京\u00a0😀', value: -1.7976931348623157e308, timestamp: 1_600_000_000 },
          { name: '"\\/', value: 0.1, timestamp: 99_999_999_999 },
        ];
        await bus.publishSamples(published);
        await eventually(() => expect(consumer.stored).toHaveLength(published.length));
        // Only those of one metric have an order among them.
        for (const one of published) expect(consumer.of(one.name)).toStrictEqual([one]);
      });

      it("arrive in each publisher's order, one call at a time, in bounded batches, every one once", async () => {
        const bus = await make();
        const consumer = new Consumer();
        await bus.consumeSamples(consumer.handler);
        const publishers = Array.from({ length: 6 }, async (_, publisher) => {
          for (let batch = 0; batch < 30; batch++) {
            await bus.publishSamples(samples(`publisher-${publisher}`, 1 + (batch % 5), batch * 10));
          }
        });
        await Promise.all(publishers);
        const expected = Array.from({ length: 30 }, (_, batch) =>
          samples('', 1 + (batch % 5), batch * 10),
        ).flat();
        await eventually(() => expect(consumer.stored).toHaveLength(6 * expected.length));
        for (let publisher = 0; publisher < 6; publisher++) {
          const timestamps = consumer.of(`publisher-${publisher}`).map(({ timestamp }) => timestamp);
          expect(timestamps).toEqual(expected.map(({ timestamp }) => timestamp));
        }
        expect(consumer.mostConcurrent).toBe(1);
        const sizes = consumer.calls.map((call) =>
          call.reduce((sum, delivery) => sum + delivery.samples.length, 0),
        );
        expect(Math.max(...sizes)).toBeLessThanOrEqual(CONFORMANCE_BOUNDS.maxBatchSamples);
      });

      it('that are published before there is a consumer wait for it', async () => {
        const bus = await make();
        const consumer = new Consumer();
        const accepted = bus.publishSamples(samples('early', 3));
        await bus.consumeSamples(consumer.handler);
        await accepted;
        await eventually(() => expect(consumer.stored).toEqual(samples('early', 3)));
      });

      it('may be more in one publication than in a batch, or than the bus holds', async () => {
        const bus = await make();
        const consumer = new Consumer();
        await bus.consumeSamples(consumer.handler);
        const { maxSamples } = CONFORMANCE_BOUNDS;
        await Promise.all([
          bus.publishSamples(samples('a', 3)),
          bus.publishSamples(samples('b', 2 * maxSamples + 1)),
          bus.publishSamples(samples('c', 3)),
        ]);
        await eventually(() => expect(consumer.stored).toHaveLength(2 * maxSamples + 7));
        expect(consumer.of('b')).toEqual(samples('b', 2 * maxSamples + 1));
      });

      it('are all accepted in the end when the consumer was slower than the publishers', async () => {
        const bus = await make();
        const consumer = new Consumer();
        const { gate, open } = openGate();
        consumer.gate = gate;
        await bus.consumeSamples(consumer.handler);
        const accepted = Promise.all(
          Array.from({ length: 40 }, (_, i) => publishUntilAccepted(bus, samples(`metric-${i}`, 5))),
        );
        open();
        await accepted;
        await eventually(() => expect(consumer.stored).toHaveLength(200));
        for (let i = 0; i < 40; i++) expect(consumer.of(`metric-${i}`)).toEqual(samples(`metric-${i}`, 5));
      });

      it('are not lost when the consumer fails', async () => {
        const bus = await make();
        const consumer = new Consumer();
        consumer.failures = 3;
        await bus.consumeSamples(consumer.handler);
        await Promise.all([
          publishUntilAccepted(bus, samples('a', 4)),
          publishUntilAccepted(bus, samples('b', 4)),
        ]);
        await eventually(() => {
          expect(consumer.of('a')).toEqual(samples('a', 4));
          expect(consumer.of('b')).toEqual(samples('b', 4));
        });
      });

      it('have a receipt that names the refused ones, or none at once', async () => {
        const bus = await make();
        await bus.consumeSamples((deliveries) =>
          Promise.resolve(
            deliveries.map((delivery) =>
              delivery.samples.flatMap(({ name }, index) =>
                name === 'again' ? [{ index, reason: 'duplicate' as const }] : [],
              ),
            ),
          ),
        );
        const { refused } = await bus.publishSamples([sample('a', 0), sample('again', 0), sample('b', 0)]);
        if (refused !== null) expect(refused).toEqual([{ index: 1, reason: 'duplicate' }]);
      });

      it('have one consumer', async () => {
        const bus = await make();
        const handler = new Consumer().handler;
        await bus.consumeSamples(handler);
        await expect(async () => bus.consumeSamples(handler)).rejects.toThrow(/consumer/);
      });
    });

    describe('wake-ups', () => {
      it('come to every subscriber of their topic, never before wake returns', async () => {
        const bus = await make();
        const heard = { one: new Set<string>(), two: new Set<string>(), other: new Set<string>() };
        const collect = (set: Set<string>) => (ids: readonly string[]) => ids.forEach((id) => set.add(id));
        bus.onWake('rowsStored', collect(heard.one));
        bus.onWake('rowsStored', collect(heard.two));
        bus.onWake('scored', collect(heard.other));
        bus.wake('rowsStored', ['a', 'b']);
        bus.wake('rowsStored', ['b', 'c']);
        expect(heard.one.size).toBe(0);
        await eventually(() => {
          expect([...heard.one].sort()).toEqual(['a', 'b', 'c']);
          expect([...heard.two].sort()).toEqual(['a', 'b', 'c']);
        });
        expect(heard.other.size).toBe(0);
      });

      it('end with the subscription', async () => {
        const bus = await make();
        const ended: string[] = [];
        const lasting: string[] = [];
        const end = bus.onWake('scored', (ids) => ended.push(...ids));
        bus.onWake('scored', (ids) => lasting.push(...ids));
        end();
        bus.wake('scored', ['a']);
        await eventually(() => expect(lasting).toEqual(['a']));
        expect(ended).toEqual([]);
      });

      it('end with the subscription, for one that another handler ends too', async () => {
        const bus = await make();
        const ended: string[] = [];
        const lasting: string[] = [];
        bus.onWake('scored', () => end());
        const end = bus.onWake('scored', (ids) => ended.push(...ids));
        bus.onWake('scored', (ids) => lasting.push(...ids));
        bus.wake('scored', ['a']);
        await eventually(() => expect(lasting).toEqual(['a']));
        expect(ended).toEqual([]);
      });

      it('come to others although one handler throws', async () => {
        const bus = await make();
        const heard: string[] = [];
        bus.onWake('rawScored', () => {
          throw new Error('a subscriber is broken');
        });
        bus.onWake('rawScored', (ids) => heard.push(...ids));
        bus.wake('rawScored', ['a']);
        await eventually(() => expect(heard).toEqual(['a']));
      });

      it('need no subscriber', async () => {
        const bus = await make();
        for (const topic of WAKE_TOPICS) bus.wake(topic, ['a']);
      });
    });

    describe('closing', () => {
      it('loses nothing that was accepted, and refuses what comes later with code stopped', async () => {
        const bus = await make();
        const consumer = new Consumer();
        const { gate, open } = openGate();
        consumer.gate = gate;
        await bus.consumeSamples(consumer.handler);
        const accepted = Array.from({ length: 10 }, (_, i) => bus.publishSamples(samples(`metric-${i}`, 4)));
        const closed = bus.close();
        await expect(bus.publishSamples(samples('late', 1))).rejects.toMatchObject({ code: 'stopped' });
        open();
        await closed;
        await Promise.all(accepted);
        const reopened = await made[0]?.reopen?.();
        if (reopened !== undefined) {
          opened.push(reopened);
          await reopened.consumeSamples(consumer.handler);
        }
        await eventually(() => {
          for (let i = 0; i < 10; i++)
            expect(new Set(consumer.of(`metric-${i}`).map(({ timestamp }) => timestamp)).size).toBe(4);
        });
        expect(consumer.of('late')).toEqual([]);
      });

      it('may be asked for twice, and waking afterwards does nothing', async () => {
        const bus = await make();
        await bus.close();
        await bus.close();
        bus.wake('scored', ['a']);
      });
    });
  });
}
