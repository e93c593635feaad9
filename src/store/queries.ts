import type { Json, LikelihoodConstants, ValueRange } from '../generation.ts';
import type { MetricStatus } from '../metric.ts';
import type { ModelCommand } from '../model-command.ts';

/** What people and programs look at. Results count only up to the present generation's `scored_rowid`; the rest is hidden. */
export interface Queries {
  /** All metrics in byte order of their names, after `afterName` ('' for the beginning), at most `limit` (1..10,000). */
  listMetrics(afterName: string, limit: number): Promise<MetricSummary[]>;
  /** One metric as in `listMetrics`, or null. */
  describeMetric(name: string): Promise<MetricSummary | null>;
  /** The pending or open generation of a metric; null if it is not monitored or there is none. */
  describeModel(metricId: string): Promise<ModelDescription | null>;
  /**
   * The newest anomaly scores of those of the metrics (1..1000) that have any, in no order.
   * @param rows at most so many of each, 1..1000.
   */
  recentScores(metricIds: readonly string[], rows: number): Promise<RecentScores[]>;
  /** Rows of a metric; ascending by time unless `newestFirst`. */
  readData(metricId: string, selection: DataSelection): Promise<DataRow[]>;
  /**
   * Rows of a metric in at most `buckets` (1..10,000) runs of equally many, oldest first: what a chart needs of rows
   * too many to draw, with every peak.
   */
  readBuckets(metricId: string, selection: BucketSelection): Promise<DataBucket[]>;
  /** Monitored metrics in byte order of their names, after `afterName`, at most `limit` (1..10,000), with their `AnomalyBars`. */
  anomalyBars(afterName: string, limit: number): Promise<MetricBars[]>;
  /** Counts for health and Prometheus metrics. */
  totals(): Promise<Totals>;
}

export interface MetricSummary {
  readonly metricId: string;
  readonly name: string;
  readonly status: MetricStatus;
  readonly message: string | null;
  /** Stored rows. */
  readonly rows: number;
  /** Rows of the present generation with an anomaly score. */
  readonly scoredRows: number;
  readonly lastTimestamp: number | null;
  readonly lastValue: number | null;
  /** Time and anomaly score of the newest scored row. */
  readonly lastScoredTimestamp: number | null;
  readonly lastAnomalyScore: number | null;
  /** The generation that is pending or open; null if the metric is not monitored. */
  readonly generation: number | null;
  /** Before the first fit of the likelihood: how far it is. While the generation waits for rows: how many there are. Else null. */
  readonly learning: LearningProgress | null;
  /** The canonical model spec (JSON) while monitored. */
  readonly spec: string | null;
}

/** `rows` of the `of` that are needed have been seen. */
export interface LearningProgress {
  readonly rows: number;
  readonly of: number;
}

export interface ModelDescription {
  readonly generation: number;
  /** Given, or estimated when the generation opened; null while it is to be estimated. */
  readonly range: ValueRange | null;
  /** The value encoder's; null until the generation opens, and where the parameters came complete. */
  readonly resolution: number | null;
  readonly likelihood: LikelihoodConstants;
  readonly algorithmRevision: number;
  /** Null until the generation opens. */
  readonly startRowid: number | null;
  readonly processedRowid: number | null;
  readonly scoredRowid: number | null;
  /** Rows up to it were stored before monitoring began. */
  readonly backlogRowid: number;
  /** Complete model parameters; null until the generation opens. */
  readonly modelParams: Json | null;
  /** All that was told it, in that order. */
  readonly commands: readonly ModelCommand[];
  /** The likelihood's small state after row `scoredRowid`; null before the first. */
  readonly likelihoodState: Uint8Array | null;
}

export interface RecentScores {
  readonly metricId: string;
  readonly generation: number;
  /** The last row that is scored. */
  readonly scoredRowid: number;
  /** Oldest first. */
  readonly anomalyScores: readonly number[];
}

export interface DataSelection {
  /** Inclusive bounds, epoch seconds. */
  readonly fromTimestamp?: number;
  readonly toTimestamp?: number;
  /** Only rows with a higher rowid (for paging). */
  readonly afterRowid?: number;
  /** At most this many rows, 1..100,000. */
  readonly limit: number;
  readonly newestFirst?: boolean;
}

export interface MetricBars {
  readonly metricId: string;
  readonly name: string;
  readonly status: MetricStatus;
  /** Null if no row of the present generation is scored. */
  readonly bars: Uint8Array | null;
}

export interface BucketSelection {
  /** Inclusive bounds, epoch seconds. */
  readonly fromTimestamp?: number;
  readonly toTimestamp?: number;
  readonly buckets: number;
}

/** Consecutive rows, told by their extremes. */
export interface DataBucket {
  readonly firstRowid: number;
  readonly lastRowid: number;
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
  /** Lowest and highest value. */
  readonly lowest: number;
  readonly highest: number;
  /** The highest; null if none of the rows is scored. */
  readonly anomalyScore: number | null;
}

export interface DataRow {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly rawAnomalyScore: number | null;
  readonly anomalyScore: number | null;
  readonly displayValue: number | null;
  /** JSON text or null. */
  readonly multiStepBestPredictions: string | null;
}

export interface Totals {
  /** By status value. */
  readonly metrics: Readonly<Record<number, number>>;
  readonly rows: number;
  /** Rows stored but not processed by the models they are for. */
  readonly unprocessedRows: number;
}
