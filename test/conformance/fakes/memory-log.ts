import type { Generation, Json } from '../../../src/generation.ts';
import {
  lastSequence,
  rowModes,
  RowMode,
  type ModelChange,
  type ModelCommand,
} from '../../../src/model-command.ts';
import { DEFAULT_LIKELIHOOD } from '../../../src/htm/index.ts';
import { MetricStatus, nextStatus } from '../../../src/metric.ts';
import type {
  FoldOutcome,
  Log,
  ModelFailure,
  ModelTask,
  Partitions,
  RawScoreSlice,
  RowBlock,
} from '../../../src/store/log.ts';

/** The part of the log that the model scheduler works with. */
export type ModelLog = Pick<
  Log,
  'modelTask' | 'readRows' | 'recordRawScores' | 'failModel' | 'modelsWithWork'
>;

export const REVISION = 1;

interface Row {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  rawScore: number | null;
}

interface StoredMetric {
  readonly metricId: string;
  readonly partition: number;
  rows: Row[];
  lastRowid: number;
  status: MetricStatus;
  message: string | null;
  generation: Generation | null;
  generations: number;
  processedRowid: number;
  commands: ModelCommand[];
}

/**
 * A log in memory that is as strict as a real one: T1 checks generation, epoch and watermark. What a correct
 * scheduler never does, it writes into `violations`, whatever becomes of the call.
 */
export class MemoryLog implements ModelLog {
  epoch = 1;
  readonly violations: string[] = [];
  /** Commits of T1, in order. */
  readonly commits: { metricId: string; from: number; to: number }[] = [];
  readonly #metrics = new Map<string, StoredMetric>();

  addMetric(metricId: string, partition = 0): void {
    this.#metrics.set(metricId, {
      metricId,
      partition,
      rows: [],
      lastRowid: 0,
      status: MetricStatus.UNMONITORED,
      message: null,
      generation: null,
      generations: 0,
      processedRowid: 0,
      commands: [],
    });
  }

  append(metricId: string, values: readonly number[]): void {
    const metric = this.#metric(metricId);
    for (const value of values) {
      const rowid = ++metric.lastRowid;
      metric.rows.push({ rowid, timestamp: timeOf(rowid), value, rawScore: null });
    }
  }

  monitor(metricId: string, modelParams: Json, algorithmRevision = REVISION): void {
    const metric = this.#metric(metricId);
    metric.status = this.#after(metric, 'monitor');
    const startRowid = metric.rows[0]?.rowid ?? metric.lastRowid + 1;
    metric.generation = {
      metricId,
      generation: ++metric.generations,
      modelParams,
      likelihood: DEFAULT_LIKELIHOOD,
      algorithmRevision,
      startRowid,
      backlogRowid: metric.lastRowid,
    };
    metric.processedRowid = startRowid - 1;
  }

  /** Gives a command after what is processed, as a store does. */
  command(metricId: string, change: ModelChange): void {
    const metric = this.#metric(metricId);
    const sequence = lastSequence(metric.commands) + 1;
    metric.commands = [...metric.commands, { sequence, afterRowid: metric.processedRowid, change }];
  }

  unmonitor(metricId: string): void {
    const metric = this.#metric(metricId);
    metric.status = this.#after(metric, 'unmonitor');
    metric.generation = null;
    metric.message = null;
    for (const row of metric.rows) row.rawScore = null;
  }

  /** Removes rows up to `through`. */
  purge(metricId: string, through: number): void {
    const metric = this.#metric(metricId);
    metric.rows = metric.rows.filter((row) => row.rowid > through);
  }

  /** What a restore of an older backup does: moves the watermark back and removes the scores after it. */
  rewind(metricId: string, processedRowid: number): void {
    const metric = this.#metric(metricId);
    metric.processedRowid = processedRowid;
    for (const row of metric.rows) if (row.rowid > processedRowid) row.rawScore = null;
  }

  /** Changes a stored score behind everybody's back. */
  corruptScore(metricId: string, rowid: number): void {
    const row = this.#metric(metricId).rows.find((one) => one.rowid === rowid);
    if (row !== undefined) row.rawScore = (row.rawScore ?? 0) / 2 + 0.25;
  }

  rawScores(metricId: string): (number | null)[] {
    return this.#metric(metricId).rows.map((row) => row.rawScore);
  }

  status(metricId: string): MetricStatus {
    return this.#metric(metricId).status;
  }

  message(metricId: string): string | null {
    return this.#metric(metricId).message;
  }

  /** Whether all models have been built, and have seen all rows or failed. */
  get settled(): boolean {
    return Array.from(this.#metrics.values()).every((metric) => !hasWork(metric));
  }

  async modelTask(metricId: string): Promise<ModelTask | null> {
    await Promise.resolve();
    const metric = this.#metrics.get(metricId);
    if (metric === undefined || metric.generation === null || metric.status === MetricStatus.ERROR)
      return null;
    return {
      generation: metric.generation,
      status: metric.status,
      partition: metric.partition,
      processedRowid: metric.processedRowid,
      lastRowid: metric.lastRowid,
      firstRowid: metric.rows[0]?.rowid ?? 0,
      commands: metric.commands,
    };
  }

  async readRows(metricId: string, after: number, through: number, limit: number): Promise<RowBlock> {
    await Promise.resolve();
    this.#demand(limit >= 1 && limit <= 10_000, `readRows asked for ${limit} rows`);
    const rows = this.#metric(metricId)
      .rows.filter(({ rowid }) => rowid > after && rowid <= through)
      .slice(0, limit);
    return {
      rowids: Int32Array.from(rows, (row) => row.rowid),
      timestamps: Float64Array.from(rows, (row) => row.timestamp),
      values: Float64Array.from(rows, (row) => row.value),
      rawScores: Float64Array.from(rows, (row) => row.rawScore ?? Number.NaN),
    };
  }

  async recordRawScores(slice: RawScoreSlice): Promise<FoldOutcome> {
    await Promise.resolve();
    const metric = this.#metrics.get(slice.metricId);
    this.#demandWellFormed(slice, metric?.commands ?? []);
    if (metric?.generation?.generation !== slice.generation || metric.status === MetricStatus.ERROR) {
      return { refused: 'generation' };
    }
    if (slice.epoch !== this.epoch) return { refused: 'epoch' };
    if (slice.from !== metric.processedRowid) return { refused: 'watermark' };
    const unseen = metric.commands.some(
      ({ sequence, afterRowid }) => sequence > slice.commandSequence && afterRowid < slice.to,
    );
    if (unseen) return { refused: 'command' };
    slice.rowids.forEach((rowid, i) => {
      const row = metric.rows.find((one) => one.rowid === rowid);
      this.#demand(row !== undefined, `${slice.metricId} has no row ${rowid}`);
      if (row !== undefined) {
        this.#demand(row.rawScore === null, `row ${rowid} of ${slice.metricId} was scored twice`);
        row.rawScore = slice.rawScores[i] ?? null;
      }
    });
    metric.processedRowid = slice.to;
    if (slice.modelBuilt) metric.status = this.#after(metric, 'modelBuilt');
    this.#demand(
      metric.status === MetricStatus.ACTIVE,
      `${slice.metricId} has scores before its model was built`,
    );
    this.commits.push({ metricId: slice.metricId, from: slice.from, to: slice.to });
    return { refused: null };
  }

  async failModel(failure: ModelFailure): Promise<FoldOutcome> {
    await Promise.resolve();
    const metric = this.#metrics.get(failure.metricId);
    if (metric?.generation?.generation !== failure.generation) return { refused: 'generation' };
    if (failure.epoch !== this.epoch) return { refused: 'epoch' };
    if (metric.status === MetricStatus.ERROR) return { refused: null };
    metric.status = this.#after(metric, 'fail');
    metric.message = failure.message;
    return { refused: null };
  }

  async modelsWithWork(afterMetricId: string, limit: number, within: Partitions = null): Promise<string[]> {
    await Promise.resolve();
    return Array.from(this.#metrics.values())
      .filter((metric) => hasWork(metric) && (within?.includes(metric.partition) ?? true))
      .map(({ metricId }) => metricId)
      .filter((metricId) => metricId > afterMetricId)
      .sort()
      .slice(0, limit);
  }

  #demandWellFormed(slice: RawScoreSlice, commands: readonly ModelCommand[]): void {
    const name = `slice of ${slice.metricId}`;
    this.#demand(slice.rawScores.length === slice.rowids.length, `${name}: as many scores as rows`);
    const through = Int32Array.from({ length: slice.to - slice.from }, (_, i) => slice.from + 1 + i);
    const known = commands.filter(({ sequence }) => sequence <= slice.commandSequence);
    const modes = rowModes(known, through, Float64Array.from(through, timeOf));
    const rowids = through.filter((_, i) => ((modes[i] ?? 0) & RowMode.SKIP) === 0);
    this.#demand(rowids.join() === slice.rowids.join(), `${name}: rows ${slice.rowids.join()}`);
    slice.rawScores.forEach((score) => this.#demand(score >= 0 && score <= 1, `${name}: score ${score}`));
    this.#demand(slice.to > slice.from || slice.modelBuilt, `${name}: does nothing`);
  }

  #after(metric: StoredMetric, event: Parameters<typeof nextStatus>[1]): MetricStatus {
    const status = nextStatus(metric.status, event);
    this.#demand(status !== null, `${event} of ${metric.metricId} in state ${metric.status}`);
    return status ?? metric.status;
  }

  #demand(condition: boolean, rule: string): void {
    if (!condition) this.violations.push(rule);
  }

  #metric(metricId: string): StoredMetric {
    const metric = this.#metrics.get(metricId);
    if (metric === undefined) throw new Error(`no metric ${metricId}`);
    return metric;
  }
}

function timeOf(rowid: number): number {
  return 1_600_000_000 + rowid * 300;
}

function hasWork(metric: StoredMetric): boolean {
  if (metric.generation === null || metric.status === MetricStatus.ERROR) return false;
  return metric.status === MetricStatus.CREATE_PENDING || metric.processedRowid < metric.lastRowid;
}
