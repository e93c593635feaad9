import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import type { Result } from '../metric.ts';
import { soleOwnership } from '../ownership/ownership.ts';
import type { CursorMove, CursorPosition, FoldOutcome, ScoredRow } from '../store/log.ts';
import type { PublishingLog } from './cursors.ts';
import { Publisher } from './publisher.ts';

const EPOCH = 7;
const HOUR_MS = 3_600_000;

interface MemoryMetric {
  generation: number;
  startRowid: number;
  scoredRowid: number;
  backlogRowid: number;
}

/** Scored rows and cursors of some metrics in memory; a row's value is its rowid. */
class MemoryLog implements PublishingLog {
  readonly metrics = new Map<string, MemoryMetric>();
  readonly cursors = new Map<string, number>();
  /** What happens to the next T3s. */
  readonly faults: ('unavailable' | 'lostAfterEffect' | 'watermark')[] = [];

  add(metricId: string, metric: Partial<MemoryMetric>): void {
    const before = this.metrics.get(metricId);
    this.metrics.set(metricId, {
      generation: 1,
      startRowid: 1,
      scoredRowid: 0,
      backlogRowid: 0,
      ...before,
      ...metric,
    });
  }

  cursor(consumer: string, metricId: string): Promise<CursorPosition | null> {
    const metric = this.metrics.get(metricId);
    if (metric === undefined) return Promise.resolve(null);
    const { generation, startRowid, scoredRowid, backlogRowid } = metric;
    const rowid = this.#rowid(consumer, metricId);
    const name = `name of ${metricId}`;
    expect(rowid).toBeGreaterThanOrEqual(startRowid - 1);
    return Promise.resolve({ metricId, name, generation, partition: 0, backlogRowid, rowid, scoredRowid });
  }

  readScoredRows(
    _metricId: string,
    _generation: number,
    after: number,
    through: number,
    limit: number,
  ): Promise<ScoredRow[]> {
    const length = Math.min(limit, through - after);
    return Promise.resolve(
      Array.from({ length }, (_, i) => ({
        rowid: after + 1 + i,
        timestamp: 1_700_000_000 + after + 1 + i,
        value: after + 1 + i,
        rawAnomalyScore: 0.25,
        anomalyScore: 0.75,
        displayValue: 1000,
        multiStepBestPredictions: (after + i) % 2 === 0 ? '{"1":2.5}' : null,
      })),
    );
  }

  advanceCursor({ consumer, metricId, generation, epoch, from, to }: CursorMove): Promise<FoldOutcome> {
    const fault = this.faults.shift();
    if (fault === 'unavailable') return Promise.reject(new HtmEngineError('store_unavailable', 'disk full'));
    if (fault === 'watermark') return Promise.resolve({ refused: 'watermark' });
    const metric = this.metrics.get(metricId);
    if (metric?.generation !== generation) return Promise.resolve({ refused: 'generation' });
    if (epoch !== EPOCH) return Promise.resolve({ refused: 'epoch' });
    if (this.#rowid(consumer, metricId) !== from) return Promise.resolve({ refused: 'watermark' });
    this.cursors.set(`${consumer} ${metricId} ${generation}`, to);
    return fault === 'lostAfterEffect'
      ? Promise.reject(new Error('connection lost'))
      : Promise.resolve({ refused: null });
  }

  metricsToPublish(consumer: string, afterMetricId: string, limit: number): Promise<string[]> {
    const found = [...this.metrics].filter(
      ([metricId, { scoredRowid }]) =>
        metricId > afterMetricId && this.#rowid(consumer, metricId) < scoredRowid,
    );
    return Promise.resolve(
      found
        .map(([metricId]) => metricId)
        .sort()
        .slice(0, limit),
    );
  }

  #rowid(consumer: string, metricId: string): number {
    const { generation = 0, startRowid = 1 } = this.metrics.get(metricId) ?? {};
    return this.cursors.get(`${consumer} ${metricId} ${generation}`) ?? startRowid - 1;
  }
}

const publishers: Publisher[] = [];

function makePublisher(log: MemoryLog, settings: { batchRows?: number; sweepMs?: number } = {}) {
  let wake: (metricIds: readonly string[]) => void = () => undefined;
  const registry = new Registry();
  const publisher = new Publisher({
    log,
    bus: {
      onWake: (topic, handler) => {
        expect(topic).toBe('scored');
        wake = handler;
        return () => (wake = () => undefined);
      },
    },
    telemetry: { log: pino({ level: 'silent' }), registry },
    ownership: soleOwnership(EPOCH),
    logLikelihood: (anomalyScore) => anomalyScore / 10,
    batchRows: settings.batchRows ?? 500,
    sweepMs: settings.sweepMs ?? HOUR_MS,
  });
  publishers.push(publisher);
  return { publisher, wake: (...metricIds: string[]) => wake(metricIds), registry };
}

/** Notes what it is given, as `metricId:generation:rowid`. */
function collector() {
  const seen: string[] = [];
  const handler = (results: readonly Result[]) => {
    seen.push(...results.map(({ metricId, generation, rowid }) => `${metricId}:${generation}:${rowid}`));
    return Promise.resolve();
  };
  return { seen, handler };
}

const rowsOf = (metricId: string, from: number, to: number, generation = 1) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${metricId}:${generation}:${from + i}`);

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) {
    await vi.advanceTimersByTimeAsync(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(publishers.splice(0).map((publisher) => publisher.stop(10)));
});

describe('Publisher, durable consumers', () => {
  it('delivers whole results', async () => {
    const log = new MemoryLog();
    log.add('a', { generation: 4, startRowid: 11, scoredRowid: 12, backlogRowid: 11 });
    const { publisher } = makePublisher(log);
    const delivered: Result[] = [];
    publisher.subscribe('test', (results) => {
      delivered.push(...results);
      return Promise.resolve();
    });
    publisher.start();
    await settled();
    const common = {
      metricId: 'a',
      name: 'name of a',
      generation: 4,
      rawAnomalyScore: 0.25,
      anomalyScore: 0.75,
      logLikelihood: 0.075,
      displayValue: 1000,
    };
    expect(delivered).toEqual([
      {
        ...common,
        rowid: 11,
        timestamp: 1_700_000_011,
        value: 11,
        multiStepBestPredictions: { 1: 2.5 },
        backlog: true,
      },
      {
        ...common,
        rowid: 12,
        timestamp: 1_700_000_012,
        value: 12,
        multiStepBestPredictions: null,
        backlog: false,
      },
    ]);
  });

  it('delivers in batches and in order, then goes on with what is scored later', async () => {
    const log = new MemoryLog();
    log.add('a', { scoredRowid: 25 });
    const { publisher, wake } = makePublisher(log, { batchRows: 10 });
    const lengths: number[] = [];
    const { seen, handler } = collector();
    publisher.subscribe('test', (results) => {
      lengths.push(results.length);
      return handler(results);
    });
    publisher.start();
    await settled();
    expect(lengths).toEqual([10, 10, 5]);
    log.add('a', { scoredRowid: 27 });
    wake('a');
    await settled();
    expect(seen).toEqual(rowsOf('a', 1, 27));
  });

  it('finds by sweeping what no wake-up told of', async () => {
    const log = new MemoryLog();
    const { publisher } = makePublisher(log, { sweepMs: 1000 });
    const { seen, handler } = collector();
    publisher.subscribe('test', handler);
    publisher.start();
    await settled();
    log.add('a', { scoredRowid: 2 });
    await vi.advanceTimersByTimeAsync(1000);
    await settled();
    expect(seen).toEqual(rowsOf('a', 1, 2));
  });

  it('goes on after a restart where the consumer was', async () => {
    const log = new MemoryLog();
    log.add('a', { scoredRowid: 3 });
    const first = makePublisher(log);
    const before = collector();
    first.publisher.subscribe('test', before.handler);
    first.publisher.start();
    await settled();
    await first.publisher.stop(1000);

    log.add('a', { scoredRowid: 5 });
    const second = makePublisher(log);
    const after = collector();
    second.publisher.start();
    second.publisher.subscribe('test', after.handler); // subscribing works after the start, too
    await settled();
    expect(before.seen).toEqual(rowsOf('a', 1, 3));
    expect(after.seen).toEqual(rowsOf('a', 4, 5));
  });

  it('repeats the same results, later and later, to a handler that fails, while others get theirs', async () => {
    const log = new MemoryLog();
    log.add('bad', { scoredRowid: 2 });
    log.add('good', { scoredRowid: 2 });
    const { publisher } = makePublisher(log);
    const calls: string[] = [];
    let failuresLeft = 2;
    publisher.subscribe('fails', ([first]) => {
      calls.push(first?.metricId ?? '');
      if (first?.metricId !== 'bad' || failuresLeft === 0) return Promise.resolve();
      failuresLeft -= 1;
      return Promise.reject(new Error('not today'));
    });
    const other = collector();
    publisher.subscribe('other', other.handler);
    publisher.start();
    await settled();
    expect(calls).toEqual(['bad', 'good']);
    expect(other.seen).toEqual([...rowsOf('bad', 1, 2), ...rowsOf('good', 1, 2)]);
    await vi.advanceTimersByTimeAsync(100);
    expect(calls).toEqual(['bad', 'good', 'bad']);
    await vi.advanceTimersByTimeAsync(199);
    expect(calls).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(HOUR_MS / 2);
    expect(calls).toEqual(['bad', 'good', 'bad', 'bad']);
    expect(log.cursors.get('fails bad 1')).toBe(2);
  });

  it('never calls a handler twice at once for a metric, but for several metrics', async () => {
    const log = new MemoryLog();
    const metricIds = ['a', 'b', 'c'];
    for (const metricId of metricIds) log.add(metricId, { scoredRowid: 1 });
    const { publisher, wake } = makePublisher(log);
    const open = new Map<string, () => void>();
    publisher.subscribe(
      'test',
      ([first]) => {
        const metricId = first?.metricId ?? '';
        expect(open.has(metricId)).toBe(false);
        const { promise, resolve } = Promise.withResolvers<undefined>();
        open.set(metricId, () => resolve(undefined));
        return promise;
      },
      { concurrency: 2 },
    );
    publisher.start();
    await settled();
    expect([...open.keys()]).toEqual(['a', 'b']);
    log.add('a', { scoredRowid: 2 });
    wake('a', 'b', 'c');
    await settled();
    expect([...open.keys()]).toEqual(['a', 'b']);
    open.get('b')?.();
    await settled();
    expect([...open.keys()]).toEqual(['a', 'b', 'c']);
    for (const finish of open.values()) finish();
  });

  it.each(['unavailable', 'watermark', 'lostAfterEffect'] as const)(
    'loses nothing when the cursor cannot be moved (%s)',
    async (fault) => {
      const log = new MemoryLog();
      log.add('a', { scoredRowid: 30 });
      log.faults.push(fault);
      const { publisher } = makePublisher(log, { batchRows: 10 });
      const { seen, handler } = collector();
      publisher.subscribe('test', handler);
      publisher.start();
      await vi.waitFor(async () => {
        await vi.advanceTimersByTimeAsync(100);
        expect(log.cursors.get('test a 1')).toBe(30);
      });
      // At least once: the refused batch comes twice, and a whole one follows it.
      const repeated = fault === 'watermark' ? rowsOf('a', 1, 10) : [];
      expect(seen).toEqual([...repeated, ...rowsOf('a', 1, 30)]);
    },
  );

  it('begins again with a new generation', async () => {
    const log = new MemoryLog();
    log.add('a', { scoredRowid: 3 });
    const { publisher, wake } = makePublisher(log);
    const { seen, handler } = collector();
    publisher.subscribe('test', handler);
    publisher.start();
    await settled();
    log.add('a', { generation: 2, scoredRowid: 2 });
    wake('a');
    await settled();
    expect(seen).toEqual([...rowsOf('a', 1, 3), ...rowsOf('a', 1, 2, 2)]);
  });

  it('passes over a metric that is not monitored any more', async () => {
    const log = new MemoryLog();
    const { publisher, wake, registry } = makePublisher(log);
    publisher.subscribe('test', collector().handler);
    publisher.start();
    wake('gone');
    await settled();
    expect(await registry.metrics()).toContain('htmengine_publishing_pending_metrics 0');
  });

  it('delivers nothing after unsubscribing, and the name is free', async () => {
    const log = new MemoryLog();
    const { publisher, wake } = makePublisher(log);
    publisher.start();
    const first = collector();
    const subscription = publisher.subscribe('test', first.handler);
    expect(() => publisher.subscribe('test', first.handler)).toThrow(/subscribed already/);
    await subscription.unsubscribe();
    log.add('a', { scoredRowid: 1 });
    wake('a');
    await settled();
    expect(first.seen).toEqual([]);
    const second = collector();
    publisher.subscribe('test', second.handler);
    await settled();
    expect(second.seen).toEqual(rowsOf('a', 1, 1));
  });

  it('waits at the stop for a handler that is running, and keeps its work', async () => {
    const log = new MemoryLog();
    log.add('a', { scoredRowid: 20 });
    const { publisher } = makePublisher(log, { batchRows: 10 });
    const handed = Promise.withResolvers<AbortSignal>();
    const finish = Promise.withResolvers<undefined>();
    let calls = 0;
    publisher.subscribe('test', (_results, signal) => {
      calls += 1;
      handed.resolve(signal);
      return finish.promise;
    });
    publisher.start();
    const signal = await handed.promise;
    const stopped = publisher.stop(HOUR_MS);
    expect(signal.aborted).toBe(true);
    finish.resolve(undefined);
    await stopped;
    expect(calls).toBe(1);
    expect(log.cursors.get('test a 1')).toBe(10);
    expect(() => publisher.subscribe('other', collector().handler)).toThrow(
      expect.objectContaining({ code: 'stopped' }),
    );
  });

  it.each(['', 'with space', '~live', 'x'.repeat(65)])('refuses the consumer name %j', (consumer) => {
    const { publisher } = makePublisher(new MemoryLog());
    expect(() => publisher.subscribe(consumer, collector().handler)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });

  it.each([0, 65, 1.5, NaN])('refuses a concurrency of %d', (concurrency) => {
    const { publisher } = makePublisher(new MemoryLog());
    expect(() => publisher.subscribe('test', collector().handler, { concurrency })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });

  it('refuses more than 64 consumers', () => {
    const { publisher } = makePublisher(new MemoryLog());
    for (let i = 0; i < 64; i += 1) publisher.subscribe(`consumer-${i}`, collector().handler);
    expect(() => publisher.subscribe('one.more', collector().handler)).toThrow(
      expect.objectContaining({ code: 'overloaded' }),
    );
  });
});

describe('Publisher, live consumers', () => {
  it('delivers only what is scored after subscribing, and leaves no cursor', async () => {
    const log = new MemoryLog();
    log.add('a', { scoredRowid: 5 });
    const { publisher, wake } = makePublisher(log);
    publisher.start();
    const { seen, handler } = collector();
    await publisher.subscribeLive(handler);
    await settled();
    expect(seen).toEqual([]);
    log.add('a', { scoredRowid: 7 });
    log.add('new', { scoredRowid: 2 });
    wake('a', 'new');
    await settled();
    expect(seen).toEqual([...rowsOf('a', 6, 7), ...rowsOf('new', 1, 2)]);
    expect([...log.cursors]).toEqual([]);
  });

  it('begins behind the scored rows of however many metrics', async () => {
    const log = new MemoryLog();
    for (let i = 0; i < 2100; i += 1) log.add(String(i).padStart(5, '0'), { scoredRowid: 3 });
    const { publisher, wake } = makePublisher(log);
    publisher.start();
    const { seen, handler } = collector();
    await publisher.subscribeLive(handler);
    log.add('02099', { scoredRowid: 4 });
    wake(...log.metrics.keys());
    await settled();
    expect(seen).toEqual(['02099:1:4']);
  });

  it('follows a metric through unmonitoring into its next generation', async () => {
    const log = new MemoryLog();
    log.add('a', { scoredRowid: 5 });
    const { publisher, wake } = makePublisher(log);
    publisher.start();
    const { seen, handler } = collector();
    await publisher.subscribeLive(handler);
    log.metrics.delete('a');
    wake('a');
    await settled();
    log.add('a', { generation: 2, scoredRowid: 2 });
    wake('a');
    await settled();
    expect(seen).toEqual(rowsOf('a', 1, 2, 2));
  });

  it('begins again with a new generation even if it never saw the metric without one', async () => {
    const log = new MemoryLog();
    log.add('a', { scoredRowid: 5 });
    const { publisher, wake } = makePublisher(log);
    publisher.start();
    const { seen, handler } = collector();
    await publisher.subscribeLive(handler);
    log.add('a', { generation: 2, scoredRowid: 2 });
    wake('a');
    await settled();
    expect(seen).toEqual(rowsOf('a', 1, 2, 2));
  });

  it('repeats to a handler that fails, and sweeps for lost wake-ups', async () => {
    const log = new MemoryLog();
    const { publisher } = makePublisher(log, { sweepMs: 1000 });
    publisher.start();
    const { seen, handler } = collector();
    let failuresLeft = 1;
    await publisher.subscribeLive((results) => {
      failuresLeft -= 1;
      return failuresLeft >= 0 ? Promise.reject(new Error('not today')) : handler(results);
    });
    log.add('a', { scoredRowid: 2 });
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(seen).toEqual(rowsOf('a', 1, 2));
  });

  it('may be subscribed several times', async () => {
    const log = new MemoryLog();
    const { publisher, wake } = makePublisher(log);
    publisher.start();
    const [one, two] = [collector(), collector()];
    const subscription = await publisher.subscribeLive(one.handler);
    await publisher.subscribeLive(two.handler);
    log.add('a', { scoredRowid: 1 });
    wake('a');
    await settled();
    await subscription.unsubscribe();
    log.add('a', { scoredRowid: 2 });
    wake('a');
    await settled();
    expect(one.seen).toEqual(rowsOf('a', 1, 1));
    expect(two.seen).toEqual(rowsOf('a', 1, 2));
  });
});
