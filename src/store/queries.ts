import type { MetricStatus } from '../metric.ts';

/** What people and programs look at. Results count only up to the present generation's `scored_rowid`; the rest is hidden. */
export interface Queries {
  /** All metrics in byte order of their names, after `afterName` ('' for the beginning), at most `limit` (1..10,000). */
  listMetrics(afterName: string, limit: number): Promise<MetricSummary[]>;
  /** One metric as in `listMetrics`, or null. */
  describeMetric(name: string): Promise<MetricSummary | null>;
  /** Rows of a metric; ascending by time unless `newestFirst`. */
  readData(metricId: string, selection: DataSelection): Promise<DataRow[]>;
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
