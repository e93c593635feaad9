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
  /** Of a model that predicts: the best guess by how many rows later it is about. */
  readonly multiStepBestPredictions?: Readonly<Record<string, number>> | null;
}

/** Consecutive rows, told by their extremes. */
export interface Bucket {
  readonly firstRowid: number;
  readonly lastRowid: number;
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
  /** The lowest and the highest value. */
  readonly lowest: number;
  readonly highest: number;
  /** The highest; null if none of the rows is scored. */
  readonly logLikelihood: number | null;
}

/** A row that was scored just now, from the stream of results. */
export interface Result {
  readonly name: string;
  readonly timestamp: number;
  readonly value: number;
  readonly logLikelihood: number;
}

/** What the stream of results tells. `reset`: the present state is to be read anew. */
export type StreamEvent =
  | { readonly type: 'opened' }
  | { readonly type: 'result'; readonly result: Result }
  | { readonly type: 'reset' };

/** The range of a new model; without it the range is learned from the data. */
export interface ModelRange {
  readonly min: number;
  readonly max: number;
}

/** A stretch of time, both ends included. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

export type Restart = 'retry' | 'skip' | 'relearn';

/** The model of a monitored metric. What its generation does not know before it opens is null. */
export interface ModelDetails {
  readonly state: MetricState;
  /** Why it is in ERROR. */
  readonly failure: {
    readonly message: string;
    readonly row: { readonly rowid: number; readonly timestamp: number; readonly value: number } | null;
  } | null;
  readonly restarts: readonly Restart[];
  readonly generation: number;
  readonly range: ModelRange | null;
  readonly resolution: number | null;
  readonly startRowid: number | null;
  readonly processedRowid: number | null;
  readonly learns: boolean;
  readonly leftOut: readonly Interval[];
  /** What it took when it ran last; null where the process that answers has not run it. */
  readonly cost: {
    readonly warm: boolean;
    readonly bytes: number;
    readonly loadMs: number;
    readonly rowMs: number | null;
  } | null;
  readonly diskBytes: { readonly rows: number; readonly checkpoints: number };
  /** The newest first. */
  readonly checkpoints: readonly { readonly rowid: number }[];
}

/** How the averaged raw scores of a metric are distributed. */
export interface LikelihoodDetails {
  readonly constants: { readonly averagingWindow: number };
  /** Null before the first fit. */
  readonly distribution: {
    readonly mean: number;
    readonly standardDeviation: number;
    /** The average that is held against them. */
    readonly averageScore: number;
  } | null;
  /** From 0 to 1. */
  readonly histogram: { readonly binWidth: number; readonly counts: readonly number[] };
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

/** How the engine is. */
export interface EngineStatus {
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Metrics by state. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly rows: number;
  readonly unprocessedRows: number;
  readonly ready: boolean;
  /** Who works on how many partitions of a stage, where several processes share the work; else empty. */
  readonly leases: readonly LeaseShare[];
}

export interface LeaseShare {
  readonly stage: string;
  /** Null: nobody has these. */
  readonly owner: string | null;
  readonly alive: boolean;
  readonly partitions: number;
}
