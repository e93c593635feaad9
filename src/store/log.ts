import type { MetricStatus, RefusalReason } from '../metric.ts';
import type { AutomaticRequest, Generation } from '../generation.ts';
import type { ModelCommand } from '../model-command.ts';
import type { AnomalySpan } from './incidents.ts';

/**
 * The log: rows, the watermarks of the stages that fold over them, and the transactions T0-T3 (docs/architecture.md).
 *
 * Every T1-T3 checks inside its own transaction the generation, the epoch of its lease, and the watermark it started
 * from. A miss changes nothing and is told as `refused`; the caller drops what it holds and starts from the store.
 * A rejected promise with code `store_unavailable` means that nothing was written; any other rejection leaves it
 * open (ambiguous commit): read the watermark.
 */
export interface Log {
  /**
   * T0. Appends samples of many metrics in one transaction: creates unknown metrics, refuses times not after the
   * metric's last row, gives accepted ones consecutive rowids and advances `last_rowid` and the tail timestamp.
   * @returns one outcome per entry of `batches`, in order. A name may occur more than once.
   */
  appendSamples(batches: readonly MetricSamples[], options: AppendOptions): Promise<AppendOutcome[]>;

  /** Rows of a metric with `after < rowid <= through`, ascending, at most `limit` (1..10,000). */
  readRows(metricId: string, after: number, through: number, limit: number): Promise<RowBlock>;

  /** What the scheduler needs to run a metric's model; null unless a generation is open and the metric not in ERROR. */
  modelTask(metricId: string): Promise<ModelTask | null>;
  /** T1. */
  recordRawScores(slice: RawScoreSlice): Promise<FoldOutcome>;
  /** Puts the metric into ERROR if the generation is still the present one and the epoch holds. */
  failModel(failure: ModelFailure): Promise<FoldOutcome>;
  /** Metrics whose model has rows to process or is still to be built, in uid order after `afterMetricId`. */
  modelsWithWork(afterMetricId: string, limit: number, within?: Partitions): Promise<string[]>;

  /** What the anomaly service needs to go on with a metric; null unless a generation is open. */
  anomalyTask(metricId: string): Promise<AnomalyTask | null>;
  /** T2. */
  recordAnomalyScores(slice: AnomalyScoreSlice): Promise<FoldOutcome>;
  /** Metrics with raw scores that have no anomaly score yet, in uid order after `afterMetricId`. */
  metricsToScore(afterMetricId: string, limit: number, within?: Partitions): Promise<string[]>;

  /** Where `consumer` stands with a metric, and what is scored; null unless a generation is open. A consumer that never saw this generation stands before its first row. */
  cursor(consumer: string, metricId: string): Promise<CursorPosition | null>;
  /** Scored rows of that generation with `after < rowid <= through`, ascending, at most `limit`; none if another is open. */
  readScoredRows(
    metricId: string,
    generation: number,
    after: number,
    through: number,
    limit: number,
  ): Promise<ScoredRow[]>;
  /** T3. */
  advanceCursor(move: CursorMove): Promise<FoldOutcome>;
  /** Metrics with scored rows after `consumer`'s cursor, in uid order after `afterMetricId`. */
  metricsToPublish(
    consumer: string,
    afterMetricId: string,
    limit: number,
    within?: Partitions,
  ): Promise<string[]>;
}

/** The partitions in which work is looked for; null, or nothing given, for all of them. */
export type Partitions = readonly number[] | null;

/** Samples of one metric in the order they came; both arrays have the same length (1..10,000). */
export interface MetricSamples {
  readonly name: string;
  /** Whole epoch seconds. */
  readonly timestamps: readonly number[];
  readonly values: readonly number[];
}

export interface AppendOptions {
  /** If given, a metric that is created here is monitored in the same transaction, without a range. */
  readonly autoMonitor?: AutomaticRequest;
}

export interface AppendOutcome {
  readonly metricId: string;
  readonly created: boolean;
  readonly status: MetricStatus;
  /** `last_rowid` after this entry. */
  readonly lastRowid: number;
  /** Enough rows are stored for a metric in PENDING_DATA to open its generation. */
  readonly readyToActivate: boolean;
  /** Which of the samples were refused (index into the entry's arrays, ascending). */
  readonly refused: readonly {
    readonly index: number;
    readonly reason: Extract<RefusalReason, 'duplicate' | 'older'>;
  }[];
}

/** Rows as parallel arrays, ascending by rowid. */
export interface RowBlock {
  readonly rowids: Int32Array;
  /** Epoch seconds. */
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** NaN where a row has no raw score. */
  readonly rawScores: Float64Array;
}

export interface ModelTask {
  readonly generation: Generation;
  readonly status: MetricStatus;
  readonly partition: number;
  /** The last row whose raw score is committed; `startRowid - 1` at the beginning. */
  readonly processedRowid: number;
  readonly lastRowid: number;
  /** The lowest rowid still stored; 0 without rows. */
  readonly firstRowid: number;
  /** All of the generation, by sequence. */
  readonly commands: readonly ModelCommand[];
}

/** Which lease a fold works under: the epoch it was given when it took the metric's partition. */
export interface Fold {
  readonly metricId: string;
  readonly generation: number;
  readonly epoch: number;
  /** The watermark the fold started from. */
  readonly from: number;
  /** The watermark it moves to; equal to `from` for a slice without rows. */
  readonly to: number;
}

export interface RawScoreSlice extends Fold {
  /** Rows of this slice, ascending, in (from, to]; as long as `rawScores`. */
  readonly rowids: Int32Array;
  readonly rawScores: Float64Array;
  /** JSON texts of the best predictions, one per row; absent while the classifier is off. */
  readonly predictions?: readonly string[];
  /** Last command (by sequence) that was applied before or inside this slice; 0 for none. */
  readonly commandSequence: number;
  /** The model of this generation exists: a metric in CREATE_PENDING becomes ACTIVE in this transaction. */
  readonly modelBuilt: boolean;
}

export interface ModelFailure {
  readonly metricId: string;
  readonly generation: number;
  readonly epoch: number;
  /** For people: what failed, at which row. Becomes `metric.message`. */
  readonly message: string;
}

export type FoldOutcome =
  { readonly refused: null } | { readonly refused: 'generation' | 'epoch' | 'watermark' | 'command' };

export interface AnomalyTask {
  readonly generation: Generation;
  readonly partition: number;
  readonly scoredRowid: number;
  readonly processedRowid: number;
  /** The likelihood's small state after `scoredRowid`; null at the beginning. */
  readonly state: Uint8Array | null;
  /** The anomalous span that is open after `scoredRowid`. */
  readonly openSpan: AnomalySpan | null;
  /** `AnomalyBars` after that row; null at the beginning, or if the rows were scored before there were any. */
  readonly bars: Uint8Array | null;
}

export interface AnomalyScoreSlice extends Fold {
  readonly rowids: Int32Array;
  readonly anomalyScores: Float64Array;
  readonly displayValues: Int32Array;
  readonly state: Uint8Array;
  /** The anomalous spans that these rows opened, held or ended, as they are after them. */
  readonly spans: readonly AnomalySpan[];
  readonly bars: Uint8Array;
}

export interface CursorPosition {
  readonly metricId: string;
  readonly name: string;
  readonly generation: number;
  readonly partition: number;
  readonly backlogRowid: number;
  /** Last row the consumer finished. */
  readonly rowid: number;
  readonly scoredRowid: number;
}

export interface ScoredRow {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly rawAnomalyScore: number;
  readonly anomalyScore: number;
  readonly displayValue: number;
  /** JSON text or null. */
  readonly multiStepBestPredictions: string | null;
}

export interface CursorMove extends Fold {
  readonly consumer: string;
}
