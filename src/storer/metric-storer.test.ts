import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { SampleDelivery, SampleHandler, SampleRefusal, WakeTopic } from '../bus/bus.ts';
import { HtmEngineError } from '../errors.ts';
import type { AutomaticRequest } from '../generation.ts';
import { DEFAULT_LIKELIHOOD } from '../htm/index.ts';
import { MetricStatus, type Sample } from '../metric.ts';
import { RefusalCounter } from '../refusals.ts';
import type { AppendOptions, AppendOutcome, MetricSamples } from '../store/log.ts';
import { MetricStorer } from './metric-storer.ts';

/** T0's rules over plain maps. */
class FakeLog {
  readonly rows = new Map<string, [timestamp: number, value: number][]>();
  readonly statuses = new Map<string, MetricStatus>();
  readonly calls: { batches: readonly MetricSamples[]; options: AppendOptions }[] = [];
  readonly readyFrom = 3;
  /** Errors of the next calls; `after` ones are thrown when everything is written already. */
  failures: { error: Error; after: boolean }[] = [];

  appendSamples(batches: readonly MetricSamples[], options: AppendOptions): Promise<AppendOutcome[]> {
    this.calls.push({ batches, options });
    const failure = this.failures.shift();
    if (failure?.after === false) return Promise.reject(failure.error);
    const outcomes = batches.map((batch) => this.#append(batch));
    return failure === undefined ? Promise.resolve(outcomes) : Promise.reject(failure.error);
  }

  #append({ name, timestamps, values }: MetricSamples): AppendOutcome {
    const created = !this.rows.has(name);
    const rows = this.rows.get(name) ?? [];
    this.rows.set(name, rows);
    const refused: SampleRefusal[] = [];
    timestamps.forEach((timestamp, index) => {
      const tail = rows.at(-1)?.[0] ?? -Infinity;
      if (timestamp > tail) rows.push([timestamp, values[index] ?? Number.NaN]);
      else refused.push({ index, reason: timestamp === tail ? 'duplicate' : 'older' });
    });
    const status = this.statuses.get(name) ?? MetricStatus.UNMONITORED;
    const readyToActivate = status === MetricStatus.PENDING_DATA && rows.length >= this.readyFrom;
    return { metricId: `id-${name}`, created, status, lastRowid: rows.length, readyToActivate, refused };
  }
}

async function setUp(autoMonitor: AutomaticRequest | null = null) {
  const registry = new Registry();
  const telemetry = { log: pino({ level: 'silent' }), registry };
  const log = new FakeLog();
  const woken: [WakeTopic, readonly string[]][] = [];
  const activated: (readonly string[])[] = [];
  const timed: [string, number][] = [];
  let handler: SampleHandler = () => Promise.reject(new Error('the storer does not consume'));
  const storer = new MetricStorer({
    bus: {
      consumeSamples: (consumer) => Promise.resolve(void (handler = consumer)),
      wake: (topic, metricIds) => woken.push([topic, metricIds]),
    },
    log,
    refusals: new RefusalCounter(telemetry),
    telemetry,
    lag: { stored: (metricId, rowid) => timed.push([metricId, rowid]) },
    autoMonitor,
    activate: (metricIds) => activated.push(metricIds),
  });
  await storer.start();
  const metric = async (name: string, reason?: string) => {
    const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
    return values.find(({ labels }) => reason === undefined || labels['reason'] === reason)?.value;
  };
  return {
    log,
    woken,
    activated,
    timed,
    metric,
    deliver: (...deliveries: SampleDelivery[]) => handler(deliveries),
    refused: (reason: string) => metric('htmengine_refused_samples_total', reason),
  };
}

const sample = (name: string, timestamp: number, value = timestamp): Sample => ({ name, value, timestamp });
const delivery = (samples: Sample[], redelivered = false): SampleDelivery => ({ samples, redelivered });

describe('the metric storer', () => {
  it('stores a sample of a metric that nobody knew (scenario 95)', async () => {
    const { log, deliver, metric } = await setUp();
    expect(await deliver(delivery([sample('m', 1)]))).toEqual([[]]);
    expect(log.rows.get('m')).toEqual([[1, 1]]);
    expect(await metric('htmengine_storer_samples_total')).toBe(1);
    expect(await metric('htmengine_storer_batches_total')).toBe(1);
  });

  it('keeps rising times only, and tells which samples it refused (scenario 102)', async () => {
    const { log, deliver, refused } = await setUp();
    const t = 100;
    await deliver(delivery([sample('m', t)]));
    const times = [t - 1, t + 1, t, t, t + 2, t + 2, t + 3];
    expect(await deliver(delivery(times.map((time, i) => sample('m', time, i))))).toEqual([
      [
        { index: 0, reason: 'older' },
        { index: 2, reason: 'older' },
        { index: 3, reason: 'older' },
        { index: 5, reason: 'duplicate' },
      ],
    ]);
    expect(log.rows.get('m')).toEqual([
      [t, t],
      [t + 1, 1],
      [t + 2, 4],
      [t + 3, 6],
    ]);
    expect(await refused('older')).toBe(3);
    expect(await refused('duplicate')).toBe(1);
  });

  it('gives the log one entry per metric for many deliveries, and sends refusals back to theirs', async () => {
    const { log, deliver } = await setUp();
    const refusals = await deliver(
      delivery([sample('a', 1), sample('b', 1), sample('a', 2)]),
      delivery([sample('b', 1), sample('b', 2)]),
      delivery([]),
      delivery([sample('c', 1), sample('a', 1), sample('a', 2)]),
    );
    expect(log.calls.map(({ batches }) => batches.map(({ name }) => name))).toEqual([['a', 'b', 'c']]);
    expect(refusals).toEqual([
      [],
      [{ index: 0, reason: 'duplicate' }],
      [],
      [
        { index: 1, reason: 'older' },
        { index: 2, reason: 'duplicate' },
      ],
    ]);
  });

  it('never gives the log more than 10,000 samples in one entry', async () => {
    const { log, deliver } = await setUp();
    const many = Array.from({ length: 20_001 }, (_, i) => sample('m', i));
    many.push(sample('m', 20_000), sample('other', 1));
    expect(await deliver(delivery(many))).toEqual([[{ index: 20_001, reason: 'duplicate' }]]);
    expect(log.calls[0]?.batches.map(({ timestamps }) => timestamps.length)).toEqual([10_000, 10_000, 2, 1]);
    expect(log.rows.get('m')).toHaveLength(20_001);
  });

  it('keeps the order of every metric however samples are delivered', async () => {
    const samples = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        value: fc.nat(),
        timestamp: fc.integer({ min: 0, max: 20 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(samples, { maxLength: 6 }), async (deliveries) => {
        const { log, deliver } = await setUp();
        const refusals = await deliver(...deliveries.map((given) => delivery(given)));
        const accepted = deliveries.flatMap((given, d) =>
          given.filter((_, i) => !refusals[d]?.some(({ index }) => index === i)),
        );
        for (const name of ['a', 'b', 'c']) {
          const expected = accepted
            .filter((kept) => kept.name === name)
            .map((kept) => [kept.timestamp, kept.value]);
          expect(log.rows.get(name) ?? []).toEqual(expected);
        }
        for (const list of refusals) {
          expect(list.map(({ index }) => index)).toEqual(
            list.map(({ index }) => index).toSorted((a, b) => a - b),
          );
        }
      }),
    );
  });

  it('counts apart what a broker delivers again', async () => {
    const { deliver, refused, metric } = await setUp();
    const samples = [sample('m', 1), sample('m', 2), sample('m', 3)];
    await deliver(delivery(samples));
    const again = await deliver(delivery(samples, true), delivery([sample('m', 3)]));
    expect(again.map((list) => list.length)).toEqual([3, 1]);
    expect(await metric('htmengine_storer_redelivered_samples_total')).toBe(3);
    expect(await refused('duplicate')).toBe(1);
    expect(await refused('older')).toBe(0);
    expect(await metric('htmengine_storer_samples_total')).toBe(3);
  });

  it('wakes the scheduler for metrics with a model that have new rows, once each', async () => {
    const { log, deliver, woken, timed } = await setUp();
    log.statuses.set('active', MetricStatus.ACTIVE);
    log.statuses.set('pending', MetricStatus.CREATE_PENDING);
    log.statuses.set('failed', MetricStatus.ERROR);
    log.statuses.set('waiting', MetricStatus.PENDING_DATA);
    const names = ['active', 'pending', 'failed', 'waiting', 'unknown'];
    await deliver(delivery(names.flatMap((name) => [sample(name, 1), sample(name, 2)])));
    expect(woken).toEqual([['rowsStored', ['id-active', 'id-pending']]]);
    // So is what tells how long their rows wait for a score: those of the others get none.
    expect(timed).toEqual([
      ['id-active', 2],
      ['id-pending', 2],
    ]);
    expect(log.rows.get('failed')).toHaveLength(2);
    await deliver(delivery([sample('active', 2), sample('pending', 3)]));
    expect(woken.slice(1)).toEqual([['rowsStored', ['id-pending']]]);
  });

  it('tells which waiting metrics have their rows', async () => {
    const { log, deliver, woken, activated } = await setUp();
    log.statuses.set('a', MetricStatus.PENDING_DATA);
    log.statuses.set('b', MetricStatus.PENDING_DATA);
    await deliver(delivery([sample('a', 1), sample('a', 2), sample('b', 1)]));
    expect(activated).toEqual([]);
    await deliver(delivery([sample('a', 3), sample('b', 2)]));
    expect(activated).toEqual([['id-a']]);
    expect(woken).toEqual([]);
  });

  it('has new metrics monitored if it is told to', async () => {
    const request: AutomaticRequest = {
      minResolution: null,
      minimumRows: 288,
      modelParams: { resolution: 1 },
      resolutionPath: ['resolution'],
      likelihood: DEFAULT_LIKELIHOOD,
      algorithmRevision: 1,
    };
    const monitored = await setUp(request);
    await monitored.deliver(delivery([sample('m', 1)]));
    expect(monitored.log.calls[0]?.options).toEqual({ autoMonitor: request });
    const unmonitored = await setUp();
    await unmonitored.deliver(delivery([sample('m', 1)]));
    expect(unmonitored.log.calls[0]?.options).toEqual({});
  });

  it('tells the publishers when the store is not available, and counts nothing', async () => {
    const { log, deliver, metric, woken } = await setUp();
    log.failures = [{ error: new HtmEngineError('store_unavailable', 'the disk is full'), after: false }];
    await expect(deliver(delivery([sample('m', 1)]))).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(log.calls).toHaveLength(1);
    expect(await metric('htmengine_storer_samples_total')).toBe(0);
    expect(woken).toEqual([]);
  });

  it('writes again when it does not know whether it wrote, and calls no sample refused for that', async () => {
    const { log, deliver, refused, metric, woken } = await setUp();
    log.statuses.set('m', MetricStatus.ACTIVE);
    log.failures = [{ error: new Error('no answer to the commit'), after: true }];
    await deliver(delivery([sample('m', 1), sample('m', 2)]));
    expect(log.rows.get('m')).toHaveLength(2);
    expect(await refused('duplicate')).toBe(0);
    expect(await refused('older')).toBe(0);
    expect(await metric('htmengine_storer_redelivered_samples_total')).toBe(2);
    expect(woken).toEqual([['rowsStored', ['id-m']]]);
  });

  it('gives up when the second attempt fails too', async () => {
    const { log, deliver } = await setUp();
    const error = new Error('broken');
    log.failures = [
      { error, after: false },
      { error, after: false },
    ];
    await expect(deliver(delivery([sample('m', 1)]))).rejects.toBe(error);
    expect(log.calls).toHaveLength(2);
  });
});
