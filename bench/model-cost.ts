import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { AnomalyModel, scalarAnomalyParameters } from '../src/htm/index.ts';
import type { Ceiling } from '../src/htm/index.ts';
import type { Series } from './nab-corpus.ts';
import { resolutionOf } from './nab-detector.ts';
import type { Variant } from './nab-detector.ts';

/** What a model of one series costs. Times are of encoder, pooler and memory, learning. */
export interface ModelCost {
  readonly series: string;
  readonly variant: Variant;
  readonly ceiling: Ceiling | null;
  readonly rows: number;
  /** At the end of the series. */
  readonly segments: number;
  readonly synapses: number;
  /** Of a single model, over all records. */
  readonly record: RecordCost;
  /** Per record of `models` models that take turns, so that none finds its state in the caches. */
  readonly turns: { readonly models: number; readonly medianUs: number; readonly p99Us: number };
  /** CPU microseconds of the process per record, collector and compiler included, in the best run. */
  readonly processCpuUs: number;
  /** Bytes beyond what all models of a kind share: of a new model, and at the end of the series. */
  readonly newBytes: number;
  readonly warmBytes: number;
  /** The saved state, compressed by zstd at level 1. */
  readonly checkpointBytes: number;
  readonly saveMs: number;
  readonly loadMs: number;
  /** Making a model when the process has made one before. */
  readonly createMs: number;
}

/**
 * Microseconds per record. A record's cost is the least it took in any run: each run does exactly the same, so what is
 * more is the machine's other work.
 */
export interface RecordCost {
  readonly medianUs: number;
  readonly meanUs: number;
  readonly p99Us: number;
  /** Mean over the first and the last thousand records. */
  readonly firstThousandUs: number;
  readonly lastThousandUs: number;
}

/** @param runs of everything; the best counts. */
export function measureModel(
  series: Series,
  variant: Variant,
  ceiling: Ceiling | null,
  runs: number,
  onRun: () => void,
): ModelCost {
  const resolution = resolutionOf(series, 'full');
  const parameters = scalarAnomalyParameters({ resolution, variant, ceiling });
  const rows = series.values.length;
  const costs = new Float64Array(rows).fill(Infinity);
  let processCpuUs = Infinity;
  let model = AnomalyModel.create(parameters);
  const newBytes = model.byteLength;
  for (let run = 0; run < runs; run++) {
    model = AnomalyModel.create(parameters);
    processCpuUs = Math.min(processCpuUs, cpuMicroseconds(() => timeRecords(model, series, costs)) / rows);
    onRun();
  }
  const state = model.bytes();
  const turns = measureTurns(state, series, runs);
  onRun();
  return {
    series: series.name,
    variant,
    ceiling,
    rows,
    segments: model.segmentCount,
    synapses: model.synapseCount,
    record: recordCost(costs),
    turns,
    processCpuUs,
    newBytes,
    warmBytes: model.byteLength,
    checkpointBytes: compress(state).length,
    saveMs: measureSave(model, series),
    loadMs: measureLoad(state),
    createMs: bestMs(STATE_RUNS, () => AnomalyModel.create(parameters)),
  };
}

/** Milliseconds of the first model that the process makes: what all models share is built then. */
export function measureFirstCreate(): number {
  const parameters = scalarAnomalyParameters({ min: 0, max: 100 });
  return bestMs(1, () => AnomalyModel.create(parameters));
}

/** Runs the series through a new model and lowers `costs`, microseconds per record, where it was faster. */
function timeRecords(model: AnomalyModel, { seconds, values }: Series, costs: Float64Array): void {
  let before = performance.now();
  for (const [row, value] of values.entries()) {
    model.run(seconds[row] ?? NaN, value);
    const after = performance.now();
    costs[row] = Math.min(costs[row] ?? Infinity, 1000 * (after - before));
    before = after;
  }
}

function recordCost(costs: Float64Array): RecordCost {
  const sorted = costs.toSorted();
  return {
    medianUs: quantile(sorted, 0.5),
    meanUs: mean(costs),
    p99Us: quantile(sorted, 0.99),
    firstThousandUs: mean(costs.subarray(0, 1000)),
    lastThousandUs: mean(costs.subarray(-1000)),
  };
}

/** Models at the end of the series, each going on from another row of it, one record each in turn. */
function measureTurns(state: Uint8Array, { seconds, values }: Series, runs: number): ModelCost['turns'] {
  const rows = values.length;
  const costs = new Float64Array(TURN_MODELS * TURNS).fill(Infinity);
  for (let run = 0; run < runs; run++) {
    const models = Array.from({ length: TURN_MODELS }, () => AnomalyModel.from(state));
    for (let turn = 0; turn < TURNS; turn++) {
      for (const [i, model] of models.entries()) {
        const row = (Math.floor((i * rows) / TURN_MODELS) + turn) % rows;
        const before = performance.now();
        model.run(seconds[row] ?? NaN, values[row] ?? NaN);
        const cost = 1000 * (performance.now() - before);
        const slot = turn * TURN_MODELS + i;
        costs[slot] = Math.min(costs[slot] ?? Infinity, cost);
      }
    }
  }
  const sorted = costs.toSorted();
  return { models: TURN_MODELS, medianUs: quantile(sorted, 0.5), p99Us: quantile(sorted, 0.99) };
}

/** Saving while the model goes on: a few records lie between one time and the next. */
function measureSave(model: AnomalyModel, { seconds, values }: Series): number {
  let row = 0;
  let best = Infinity;
  for (let run = 0; run < STATE_RUNS; run++) {
    for (const end = row + RECORDS_BETWEEN_SAVES; row < end; row++) {
      model.run(seconds[row % values.length] ?? NaN, values[row % values.length] ?? NaN);
    }
    best = Math.min(
      best,
      bestMs(1, () => compress(model.bytes())),
    );
  }
  return best;
}

function measureLoad(state: Uint8Array): number {
  const compressed = compress(state);
  return bestMs(STATE_RUNS, () => AnomalyModel.from(zstdDecompressSync(compressed)));
}

function compress(state: Uint8Array): Uint8Array {
  return zstdCompressSync(state, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}

/** The least milliseconds that `work` takes. */
function bestMs(runs: number, work: () => unknown): number {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

function cpuMicroseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
}

/** An engine saves and loads all the time: by then the compiler knows the way. */
const STATE_RUNS = 20;
const RECORDS_BETWEEN_SAVES = 10;
const TURN_MODELS = 24;
const TURNS = 60;
