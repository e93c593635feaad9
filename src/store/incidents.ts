/**
 * Anomalous spans, which T2 writes with the scores that make them (`Log.recordAnomalyScores`), and what people have said of
 * them: seen, muted, or usual after all.
 */
export interface Incidents {
  /** Spans with their metrics, those with the newest rows first. */
  spans(selection: SpanSelection): Promise<SpanRecord[]>;
  span(key: SpanKey): Promise<SpanRecord | null>;
  /** Notes that somebody has seen these spans; those that were seen before stay as they are. @returns how many were not. */
  acknowledge(spans: readonly SpanKey[], atTimestamp: number, note: string): Promise<number>;

  /** Adds a mute; one of the same id is kept as it is. */
  addMute(mute: Mute): Promise<void>;
  /** All mutes, the newest first, at most `MAX_MUTES`. */
  mutes(): Promise<Mute[]>;
  /** @returns whether there was one of that id. */
  removeMute(id: string): Promise<boolean>;

  /** Adds a pattern of what is usual for a metric; one of the same id is kept as it is. @throws metric_not_found */
  addUsual(pattern: UsualPattern): Promise<void>;
  /** The patterns of these metrics (at most 10,000), or of all, the newest first, at most `MAX_USUAL_PATTERNS`. */
  usualPatterns(metricIds?: readonly string[]): Promise<UsualPattern[]>;
  /** @returns whether there was one of that id. */
  removeUsual(id: string): Promise<boolean>;
}

/** The most mutes and patterns that are kept; who wants one more removes one first. */
export const MAX_MUTES = 1_000;
export const MAX_USUAL_PATTERNS = 10_000;

/** Which span: no metric opens two at the same row of a generation. */
export interface SpanKey {
  readonly metricId: string;
  readonly generation: number;
  readonly openedRowid: number;
}

/** A stretch of a metric's rows in which it was anomalous. Times are epoch seconds, those of rows. */
export interface AnomalySpan {
  /** The row that opened it. */
  readonly openedRowid: number;
  readonly openedAt: number;
  /** The last row that held it open. */
  readonly lastRowid: number;
  readonly lastAt: number;
  /** The highest anomaly score, and the first time it was reached. */
  readonly peakScore: number;
  readonly peakAt: number;
  /** The values of the rows that opened or held it lie between these. */
  readonly lowestValue: number;
  readonly highestValue: number;
  /** Enough usual rows have followed, or its generation was closed. */
  readonly ended: boolean;
}

export interface SpanRecord extends AnomalySpan, SpanKey {
  readonly name: string;
  readonly acknowledgement: { readonly atTimestamp: number; readonly note: string } | null;
}

export interface SpanSelection {
  /** Spans that lie in this time at least in part; inclusive, epoch seconds. */
  readonly fromTimestamp?: number;
  readonly toTimestamp?: number;
  readonly metricId?: string;
  /** 1..10,000. */
  readonly limit: number;
}

/** Spans of metrics whose names match, opened in this time, concern nobody. */
export interface Mute {
  /** 32 hex digits, chosen by the caller. */
  readonly id: string;
  /** A metric's name; `*` stands for any run of characters, `?` for any one. */
  readonly pattern: string;
  /** Inclusive, epoch seconds; null for ever. */
  readonly fromTimestamp: number;
  readonly untilTimestamp: number | null;
  readonly note: string;
}

/** What somebody has called usual for a metric: spans whose anomalous values lie in this range concern nobody. */
export interface UsualPattern {
  /** 32 hex digits, chosen by the caller. */
  readonly id: string;
  readonly metricId: string;
  readonly lowestValue: number;
  readonly highestValue: number;
  /** Minutes of the day (UTC, 0..1439) between which such a span must open, wrapping at midnight; null for any time. */
  readonly fromMinute: number | null;
  readonly toMinute: number | null;
  readonly createdAt: number;
  readonly note: string;
}
