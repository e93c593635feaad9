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

/** Names an anomalous span of a metric. */
export interface SpanKey {
  readonly uid: string;
  readonly generation: number;
  readonly openedRowid: number;
}

/** A stretch of rows in which a metric was anomalous, as the engine keeps it. */
export interface Span extends SpanKey {
  readonly name: string;
  readonly openedAt: number;
  /** Of the last row that held it open. */
  readonly lastAt: number;
  /** A log-likelihood, 0..1. */
  readonly peakLogLikelihood: number;
  readonly peakAt: number;
  readonly lowestValue: number;
  readonly highestValue: number;
  readonly ended: boolean;
  readonly acknowledgement: { readonly at: number; readonly note: string } | null;
  readonly silence: { readonly by: 'mute' | 'usual'; readonly id: string } | null;
}

/** Spans, of one metric or many, that lie close in time. */
export interface Incident {
  readonly id: string;
  readonly openedAt: number;
  readonly lastAt: number;
  readonly open: boolean;
  readonly peakLogLikelihood: number;
  readonly acknowledged: boolean;
  readonly silenced: boolean;
  readonly spans: readonly Span[];
}

export interface IncidentPage {
  /** The newest first. */
  readonly incidents: readonly Incident[];
  /** Older spans of the time asked for are left out. */
  readonly more: boolean;
}

export interface Mute {
  readonly id: string;
  /** A name; `*` is any run of characters, `?` any one. */
  readonly pattern: string;
  readonly from: number;
  /** Null for ever. */
  readonly until: number | null;
  readonly note: string;
}

/** Spans of the metric with values in this range, at this time of day, concern nobody. */
export interface UsualPattern {
  readonly id: string;
  readonly uid: string;
  readonly lowestValue: number;
  readonly highestValue: number;
  /** Minutes of the day in UTC; null for any time. */
  readonly fromMinute: number | null;
  readonly toMinute: number | null;
  readonly createdAt: number;
  readonly note: string;
}

/** Over which metrics are ranked, up to now. */
export type RankedPeriod = 'hour' | 'day' | 'week';

/** A monitored metric's place among the others: how anomalous it was in each part of the period, oldest first. */
export interface RankedMetric {
  readonly name: string;
  /** Highest log-likelihoods; null where no row was scored. */
  readonly bars: readonly (number | null)[];
}
