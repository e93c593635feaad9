/** What the engine's HTTP interface answers (docs/http.md), as far as the command line looks at it. */

export interface Learning {
  /** Rows seen. */
  readonly rows: number;
  /** Rows needed. */
  readonly of: number;
}

export interface MetricJson {
  readonly name: string;
  readonly uid: string;
  readonly state: 'UNMONITORED' | 'ACTIVE' | 'CREATE_PENDING' | 'ERROR' | 'PENDING_DATA';
  /** Why it is in ERROR. */
  readonly message: string | null;
  readonly rows: number;
  readonly scoredRows: number;
  /** Null when the likelihood is fitted, or nothing is learned. */
  readonly learning: Learning | null;
  /** Epoch seconds, as all times here. */
  readonly lastTimestamp: number | null;
  readonly lastValue: number | null;
  readonly lastScore: number | null;
  readonly lastLogLikelihood: number | null;
  readonly lastScoredTimestamp: number | null;
  readonly demo: boolean;
  /** Log-likelihoods 0..1 of the last scored rows, oldest first, where they were asked for. */
  readonly recent?: readonly number[];
}

export interface RowJson {
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly rawAnomalyScore: number | null;
  readonly anomalyScore: number | null;
  readonly logLikelihood: number | null;
}

export interface ModelJson {
  readonly name: string;
  readonly uid: string;
  readonly state: MetricJson['state'];
  readonly message: string | null;
  readonly generation: number | null;
  readonly variant: string | null;
  readonly range: { readonly min: number; readonly max: number } | null;
  readonly resolution: number | null;
  readonly processedRowid: number | null;
  readonly scoredRowid: number | null;
  readonly learning: Learning | null;
  readonly checkpoints: readonly { readonly rowid: number }[];
  /** Of rows an estimate. */
  readonly diskBytes: { readonly rows: number; readonly checkpoints: number };
}

/** Body of `PUT .../model`; everything may be left out. */
export interface MonitorRequest {
  readonly min?: number;
  readonly max?: number;
  readonly minResolution?: number;
  readonly enableClassifier?: boolean;
  readonly unit?: string;
  readonly resource?: string;
}

/** A spec goes from export to import as it is: only the engine knows what is in it. */
export type ModelSpecJson = Readonly<Record<string, unknown>>;

export interface ImportOutcome {
  readonly name: string | null;
  readonly uid?: string | null;
  readonly outcome: 'monitored' | 'already_monitored' | 'refused';
  readonly code?: string;
  readonly message?: string;
}

export interface SampleJson {
  readonly name: string;
  readonly value: number;
  /** Epoch seconds; without it the engine takes the present time. */
  readonly timestamp?: number;
}

/** What became of a batch of samples: those that are not among the problems are stored. */
export interface SamplesAnswer {
  readonly accepted: number;
  readonly refused: number;
  readonly problems: readonly { readonly line: number; readonly reason: string; readonly message?: string }[];
}

/** Data of a `result` event. */
export interface ResultJson {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly rowid: number;
  readonly timestamp: number;
  readonly value: number;
  readonly rawAnomalyScore: number;
  readonly anomalyScore: number;
  readonly logLikelihood: number;
  readonly backlog: boolean;
}

/** What a pass of retention came to: metrics with rows that are too old and stay, by what keeps them. */
export interface PassJson {
  readonly metrics: number;
  readonly metricsWithOldRows: number;
  readonly purgedRows: number;
  readonly droppedCursors: number;
  readonly keptBy: Readonly<
    Record<'scoring' | 'checkpoints' | 'likelihood' | 'cursor' | 'last_row' | 'state', number>
  >;
}

export interface RetentionJson {
  /** 0: for ever. */
  readonly maxAgeSeconds: number;
  readonly running: boolean;
  readonly failure: string | null;
  readonly lastPass: (PassJson & { readonly finishedAt: number; readonly durationMs: number }) | null;
}
