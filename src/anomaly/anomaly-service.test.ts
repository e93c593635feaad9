import fc from 'fast-check';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AnomalyBars } from '../anomaly-bars.ts';
import { HtmEngineError } from '../errors.ts';
import type { Generation, LikelihoodConstants } from '../generation.ts';
import { DEFAULT_LIKELIHOOD, logLikelihood } from '../htm/index.ts';
import { erfc, log as naturalLog } from '../htm/numeric.ts';
import { soleOwnership } from '../ownership/ownership.ts';
import type { AnomalyScoreSlice, AnomalyTask, FoldOutcome, RowBlock } from '../store/log.ts';
import { AnomalyService, type AnomalyLog } from './anomaly-service.ts';

const METRIC = 'a'.repeat(32);
const EPOCH = 3;
const SMALL: LikelihoodConstants = {
  learningPeriod: 12,
  estimationSamples: 9,
  historicWindowSize: 40,
  reestimationPeriod: 7,
  averagingWindow: 4,
  tail: 'one-sided',
};

interface Series {
  readonly values: readonly number[];
  readonly rawScores: readonly number[];
}

/** Quiet stretches, a flat stretch and bursts of surprise: everything that section 7 treats differently. */
function series(length: number, burstEvery = 53): Series {
  const index = Array.from({ length }, (_, i) => i);
  return {
    values: index.map((i) => (i % 300 < 60 ? 7 : ((i * 37) % 101) / 3)),
    rawScores: index.map((i) => (i % burstEvery > burstEvery - 7 ? 1 : ((i * i) % 7) / 40)),
  };
}

/** Section 7.1 of the model reference as it reads, over the whole series at once. */
function straight({ values, rawScores }: Series, constants: LikelihoodConstants): number[] {
  const red = 1 - 0.99999;
  const population = (numbers: readonly number[]) => {
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    return { mean, variance: numbers.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / numbers.length };
  };
  const averager = () => {
    const window: number[] = [];
    let total = 0;
    return (x: number) => {
      if (window.length === constants.averagingWindow) total -= window.shift() ?? 0;
      window.push(x);
      total += x;
      return total / window.length;
    };
  };
  let distribution = { mean: 0, variance: 0 };
  let average = averager();
  let recent = 1;
  const tail = (x: number) => 0.5 * erfc((x - distribution.mean) / Math.sqrt(distribution.variance) / 1.4142);
  return rawScores.map((raw, i) => {
    const { learningPeriod, estimationSamples, historicWindowSize, reestimationPeriod } = constants;
    const probation = learningPeriod + estimationSamples;
    if (i < probation) return 0.5;
    if (i === probation || i % reestimationPeriod === 0) {
      const shifted = Math.max(0, i - historicWindowSize);
      const skip = Math.min(i, Math.max(0, learningPeriod - shifted));
      average = averager();
      const averages = rawScores.slice(shifted, i).map((x) => average(x));
      const fitted = population(averages.slice(skip));
      const flat = population(values.slice(shifted, i).slice(skip)).variance < 1.5e-5;
      distribution =
        averages.length <= skip || flat
          ? { mean: 0.5, variance: 1e6 }
          : { mean: Math.max(fitted.mean, 0.03), variance: Math.max(fitted.variance, 0.0003) };
      recent = tail(averages.at(-1) ?? 0);
    }
    const q = tail(average(raw));
    const filtered = q <= red && recent <= red ? 1 - 0.999 : q;
    recent = q;
    return 1 - filtered;
  });
}

function displayValues(anomalyScores: readonly number[]): number[] {
  return anomalyScores.map((score) => {
    if (score === 0) return 0;
    if (score > 0.99999) return 1_000_000_001;
    return naturalLog(1.0000000001 - score) / -23.02585084720009 >= 0.4 ? 1_000_000 : 1000;
  });
}

type Fault = 'unavailable' | 'lostBeforeEffect' | 'lostAfterEffect' | 'watermark' | 'generation' | 'epoch';

/** One metric's rows and watermarks in memory. */
class MemoryLog implements AnomalyLog {
  readonly #series: Series;
  generation: Generation;
  processedRowid: number;
  scoredRowid: number;
  state: Uint8Array | null = null;
  bars: Uint8Array | null = null;
  readonly anomalyScores: (number | undefined)[] = [];
  readonly displayValues: (number | undefined)[] = [];
  /** What happens to the next T2s. */
  readonly faults: Fault[] = [];
  readonly sliceLengths: number[] = [];
  rowsRead = 0;
  /** The generation is closed: its raw scores are gone. */
  closed = false;
  /** The generation is closed right before the so many-th read. */
  readsUntilClosed = Infinity;
  /** Rows up to this one are purged. */
  purgedRowid = 0;

  constructor(rows: Series, likelihood: LikelihoodConstants = DEFAULT_LIKELIHOOD, startRowid = 1) {
    this.#series = rows;
    this.generation = {
      metricId: METRIC,
      generation: 5,
      modelParams: null,
      likelihood,
      algorithmRevision: 1,
      startRowid,
      backlogRowid: 0,
    };
    this.processedRowid = startRowid - 1;
    this.scoredRowid = startRowid - 1;
  }

  get lastRowid(): number {
    return this.generation.startRowid - 1 + this.#series.values.length;
  }

  readRows(_metricId: string, after: number, through: number, limit: number): Promise<RowBlock> {
    const from = Math.max(after, this.purgedRowid);
    const length = Math.max(0, Math.min(limit, through - from, this.lastRowid - from));
    const rowids = Int32Array.from({ length }, (_, i) => from + 1 + i);
    const index = (rowid: number) => rowid - this.generation.startRowid;
    this.rowsRead += length;
    this.readsUntilClosed -= 1;
    this.closed ||= this.readsUntilClosed === 0;
    return Promise.resolve({
      rowids,
      timestamps: Float64Array.from(rowids, (rowid) => 60 * rowid),
      values: Float64Array.from(rowids, (rowid) => this.#series.values[index(rowid)] ?? NaN),
      rawScores: Float64Array.from(rowids, (rowid) =>
        rowid <= this.processedRowid && !this.closed ? (this.#series.rawScores[index(rowid)] ?? NaN) : NaN,
      ),
    });
  }

  anomalyTask(): Promise<AnomalyTask | null> {
    if (this.closed) return Promise.resolve(null);
    const { generation, scoredRowid, processedRowid, state, bars } = this;
    return Promise.resolve({
      generation,
      partition: 0,
      scoredRowid,
      processedRowid,
      state,
      bars,
      openSpan: null,
    });
  }

  recordAnomalyScores(slice: AnomalyScoreSlice): Promise<FoldOutcome> {
    expect(slice).toMatchObject({ metricId: METRIC, generation: this.generation.generation, epoch: EPOCH });
    const fault = this.faults.shift();
    if (fault === 'unavailable') return Promise.reject(new HtmEngineError('store_unavailable', 'disk full'));
    if (fault === 'lostBeforeEffect') return Promise.reject(new Error('connection lost'));
    if (fault !== undefined && fault !== 'lostAfterEffect') return Promise.resolve({ refused: fault });
    if (slice.from !== this.scoredRowid) return Promise.resolve({ refused: 'watermark' });
    slice.rowids.forEach((rowid, i) => {
      this.anomalyScores[rowid] = slice.anomalyScores[i];
      this.displayValues[rowid] = slice.displayValues[i];
    });
    this.sliceLengths.push(slice.rowids.length);
    this.scoredRowid = slice.to;
    this.state = slice.state;
    this.bars = slice.bars;
    if (fault === 'lostAfterEffect') return Promise.reject(new Error('connection lost'));
    return Promise.resolve({ refused: null });
  }

  metricsToScore(afterMetricId: string): Promise<string[]> {
    return Promise.resolve(afterMetricId < METRIC && this.scoredRowid < this.processedRowid ? [METRIC] : []);
  }

  scores(): (number | undefined)[] {
    return this.anomalyScores.slice(this.generation.startRowid);
  }
}

class MemoryBus {
  readonly woken: string[] = [];
  #handler: (metricIds: readonly string[]) => void = () => undefined;
  wake(topic: string, metricIds: readonly string[]): void {
    this.woken.push(...metricIds.map((metricId) => `${topic} ${metricId}`));
  }
  onWake(topic: string, handler: (metricIds: readonly string[]) => void): () => void {
    expect(topic).toBe('rawScored');
    this.#handler = handler;
    return () => (this.#handler = () => undefined);
  }
  rawScored(): void {
    this.#handler([METRIC]);
  }
}

const services: AnomalyService[] = [];

function startService(log: MemoryLog, settings: { sliceRows?: number } = {}) {
  const bus = new MemoryBus();
  const registry = new Registry();
  const lines: { level: number; msg: string; metricId?: string }[] = [];
  const timed: [string, number][] = [];
  const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[0]) });
  const service = new AnomalyService({
    log,
    bus,
    telemetry: { log: logger, registry },
    lag: { scored: (metricId, rowid) => timed.push([metricId, rowid]) },
    spans: { opensAt: 0.5, holdsAt: 0.29, endingRows: 12 },
    ownership: soleOwnership(EPOCH),
    sliceRows: settings.sliceRows ?? 1000,
    concurrency: 4,
    sweepMs: 3_600_000,
  });
  services.push(service);
  service.start();
  /** A counter's value, over all its labels. */
  const value = async (name: string) =>
    (await registry.getSingleMetric(name)?.get())?.values.reduce((sum, labelled) => sum + labelled.value, 0);
  return { service, bus, lines, timed, value };
}

/** Waits, back-off included, until everything that has a raw score is scored. */
async function scoredAll(log: MemoryLog): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (log.scoredRowid < log.processedRowid) {
    if (performance.now() > deadline)
      throw new Error(`stuck at row ${log.scoredRowid} of ${log.processedRowid}`);
    await vi.advanceTimersByTimeAsync(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(services.splice(0).map((service) => service.stop(1000)));
});

describe('AnomalyService', () => {
  it('gives the scores of the reference in one burst, longer than a fit looks back', async () => {
    const rows = series(9300, 1499);
    const log = new MemoryLog(rows);
    log.processedRowid = log.lastRowid;
    const { bus, value, timed } = startService(log);
    await scoredAll(log);
    const expected = straight(rows, DEFAULT_LIKELIHOOD);
    expect(log.scores()).toEqual(expected);
    expect(log.displayValues.slice(1)).toEqual(displayValues(expected));
    expect(new Set(log.displayValues.slice(1))).toEqual(new Set([1000, 1_000_000_001]));
    expect(bus.woken).toEqual(log.sliceLengths.map(() => `scored ${METRIC}`));
    expect(await value('htmengine_anomaly_rows_total')).toBe(9300);
    // Told after each commit how far the scores go.
    expect(timed).toEqual(bus.woken.map((_, i) => [METRIC, Math.min(9300, 1000 * (i + 1))]));
  });

  it('gives the same scores row by row', async () => {
    const rows = series(700);
    const log = new MemoryLog(rows, SMALL, 101);
    const { bus } = startService(log);
    while (log.processedRowid < log.lastRowid) {
      log.processedRowid += 1;
      bus.rawScored();
      await scoredAll(log);
    }
    expect(log.sliceLengths).toHaveLength(700);
    expect(log.scores()).toEqual(straight(rows, SMALL));
  });

  it('gives the same scores whatever the slices, restarts and faults', async () => {
    const rows = series(260);
    const expected = straight(rows, SMALL);
    const bars = AnomalyBars.decode(null);
    expected.forEach((score, i) => bars.append(60 * (i + 1), logLikelihood(score)));
    const fault = fc.constantFrom<Fault>(
      'unavailable',
      'lostBeforeEffect',
      'lostAfterEffect',
      'watermark',
      'generation',
      'epoch',
    );
    const step = fc.record({
      processed: fc.integer({ min: 1, max: 90 }),
      sliceRows: fc.integer({ min: 1, max: 50 }),
      faults: fc.array(fault, { maxLength: 2 }),
      ticks: fc.integer({ min: 0, max: 40 }),
      restart: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const log = new MemoryLog(rows, SMALL);
        let { service, bus } = startService(log, { sliceRows: 13 });
        for (const { processed, sliceRows, faults, ticks, restart } of steps) {
          log.processedRowid = Math.min(log.lastRowid, log.processedRowid + processed);
          log.faults.push(...faults);
          bus.rawScored();
          for (let i = 0; i < ticks; i += 1) await Promise.resolve();
          if (restart) {
            await service.stop(1000);
            ({ service, bus } = startService(log, { sliceRows }));
          }
        }
        log.processedRowid = log.lastRowid;
        bus.rawScored();
        await scoredAll(log);
        await service.stop(1000);
        expect(log.scores()).toEqual(expected);
        expect(log.bars).toEqual(bars.encode());
      }),
      { numRuns: 60 },
    );
  });

  it('reads the history of a fit once and then goes on from the rows it has read', async () => {
    const log = new MemoryLog(series(9000));
    log.processedRowid = 6000;
    const first = startService(log);
    await scoredAll(log);
    expect(log.rowsRead).toBe(6000);
    await first.service.stop(1000);

    log.rowsRead = 0;
    log.processedRowid = 9000;
    startService(log, { sliceRows: 500 });
    await scoredAll(log);
    // 30 fits lie among the new rows; the first, at row 6000, needs all rows before it.
    expect(log.rowsRead).toBe(6000 + 3000);
    expect(log.scores()).toEqual(straight(series(9000), DEFAULT_LIKELIHOOD));
  });

  it('finds work that no wake-up told of when it starts', async () => {
    const log = new MemoryLog(series(30), SMALL);
    log.processedRowid = 30;
    startService(log);
    await scoredAll(log);
    expect(log.scores()).toEqual(straight(series(30), SMALL));
  });

  it('drops the rest of its turn when a slice is refused, counts it and starts again from the store', async () => {
    const log = new MemoryLog(series(30), SMALL);
    log.processedRowid = 30;
    log.faults.push('epoch', 'epoch');
    const { value } = startService(log, { sliceRows: 10 });
    await scoredAll(log);
    expect(await value('htmengine_anomaly_refused_total')).toBe(2);
    expect(log.sliceLengths).toEqual([10, 10, 10]);
    expect(log.scores()).toEqual(straight(series(30), SMALL));
  });

  it('computes a damaged state again from all rows, and says so', async () => {
    const rows = series(300);
    const log = new MemoryLog(rows, SMALL, 11);
    log.processedRowid = 160;
    const first = startService(log);
    await scoredAll(log);
    await first.service.stop(1000);
    const { state } = log;
    if (state === null) throw new Error('no state was stored');
    state[state.length - 3] = (state.at(-3) ?? 0) ^ 1;

    log.processedRowid = log.lastRowid;
    const { lines, value } = startService(log);
    await scoredAll(log);
    expect(log.scores()).toEqual(straight(rows, SMALL));
    expect(await value('htmengine_anomaly_recomputed_total')).toBe(1);
    expect(lines.filter(({ level }) => level >= 50).map(({ metricId }) => metricId)).toEqual([METRIC]);
  });

  it('stops on a metric whose damaged state cannot be computed again, until there is a new generation', async () => {
    const log = new MemoryLog(series(200), SMALL);
    log.scoredRowid = 150;
    log.processedRowid = 200;
    log.purgedRowid = 20;
    const { bus, lines } = startService(log);
    await vi.waitFor(() => expect(lines.map(({ msg }) => msg).join()).toContain('no more anomaly scores'));
    const told = lines.length;
    bus.rawScored();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.scoredRowid).toBe(150);
    expect(lines).toHaveLength(told);

    log.purgedRowid = 0;
    log.generation = { ...log.generation, generation: 6 };
    log.scoredRowid = 0;
    bus.rawScored();
    await scoredAll(log);
    expect(log.scores()).toEqual(straight(series(200), SMALL));
  });

  it('takes nothing amiss when the generation is closed while it works', async () => {
    const log = new MemoryLog(series(200), SMALL);
    log.processedRowid = 100;
    const first = startService(log);
    await scoredAll(log);
    await first.service.stop(1000);
    log.processedRowid = 200;
    log.readsUntilClosed = 2; // the first is the slice, the second the history of a fit in it
    const { service, lines } = startService(log);
    while (!log.closed) await Promise.resolve();
    await vi.advanceTimersByTimeAsync(60_000);
    await service.stop(1000);
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('passes over rows without a raw score', async () => {
    const rows = series(120);
    const holes = new Set([3, 50, 51, 77]);
    const log = new MemoryLog(
      { ...rows, rawScores: rows.rawScores.map((raw, i) => (holes.has(i) ? NaN : raw)) },
      SMALL,
    );
    const kept = (numbers: readonly number[]) => numbers.filter((_, i) => !holes.has(i));
    for (const processedRowid of [60, 90, 120]) {
      log.processedRowid = processedRowid;
      const { service } = startService(log, { sliceRows: 7 });
      await scoredAll(log);
      await service.stop(1000);
    }
    const scores = log.scores();
    expect([...holes].map((i) => scores[i])).toEqual([undefined, undefined, undefined, undefined]);
    expect(scores.filter((_, i) => !holes.has(i))).toEqual(
      straight({ values: kept(rows.values), rawScores: kept(rows.rawScores) }, SMALL),
    );
  });

  it('stores the slice it is in before it stops, and no further one', async () => {
    const log = new MemoryLog(series(100), SMALL);
    log.processedRowid = 100;
    const { service } = startService(log, { sliceRows: 10 });
    while (log.sliceLengths.length === 0) await Promise.resolve();
    await service.stop(60_000);
    const { scoredRowid } = log;
    expect(scoredRowid).toBeLessThan(100);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.scoredRowid).toBe(scoredRowid);
    expect(log.scores()).toEqual(straight(series(100), SMALL).slice(0, scoredRowid));
  });
});
