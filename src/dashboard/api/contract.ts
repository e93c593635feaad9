/** What the HTTP API answers, as far as the page reads it. Times are epoch seconds. */

export type MetricState = 'UNMONITORED' | 'ACTIVE' | 'CREATE_PENDING' | 'ERROR' | 'PENDING_DATA';

/** A count on its way to a goal: rows seen, or stored, of those needed. */
export interface Progress {
  readonly rows: number;
  readonly of: number;
}

export interface Metric {
  readonly name: string;
  readonly uid: string;
  readonly state: MetricState;
  /** Why the metric is in ERROR. */
  readonly message: string | null;
  readonly rows: number;
  readonly scoredRows: number;
  readonly learning: Progress | null;
  readonly lastTimestamp: number | null;
  readonly lastValue: number | null;
  readonly lastLogLikelihood: number | null;
  readonly lastScoredTimestamp: number | null;
  readonly demo: boolean;
  /** Log-likelihoods of the newest scored rows, oldest first. */
  readonly recent?: readonly number[];
}

export interface MetricPage {
  readonly metrics: readonly Metric[];
  /** The value of `after` for the next page, or null. */
  readonly next: string | null;
}

/** A stored row; `logLikelihood` (0..1) is null where it is not scored. */
export interface Row {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly logLikelihood: number | null;
}

/** A row that was scored just now, from the stream of results. */
export interface Result {
  readonly name: string;
  readonly timestamp: number;
  readonly value: number;
  readonly logLikelihood: number;
}

/** The range of a new model; without it the range is learned from the data. */
export interface ModelRange {
  readonly min: number;
  readonly max: number;
}

export interface RowSelection {
  /** Inclusive bounds, epoch seconds. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly afterRowid?: number;
  readonly limit: number;
  readonly order: 'asc' | 'desc';
}
