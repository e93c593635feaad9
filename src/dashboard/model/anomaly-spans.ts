/** The log-likelihood at which a span opens. */
export const SPAN_OPENS_AT = 0.5;
/**
 * A span stays open while scores reach this: within a run of anomalous rows the likelihood's repeat filter turns
 * all but the first into 0.29999999.
 */
export const SPAN_HOLDS_AT = 0.29;
/** Rows below `SPAN_HOLDS_AT`, one after the other, that close a span. */
export const SPAN_CLOSING_ROWS = 12;

/** A stretch of time in which a metric was anomalous. Times are epoch seconds. */
export interface AnomalySpan {
  /** The row that opened it. */
  readonly from: number;
  /** The last row that held it open. */
  readonly to: number;
  /** The highest log-likelihood, and the first time it was reached. */
  readonly peak: number;
  readonly peakAt: number;
  /** Scored rows from the first to the last, those between that were usual included. */
  readonly rows: number;
  /** Too few rows have followed to close it. */
  readonly open: boolean;
}

/**
 * The anomalous spans of rows in the order of their times.
 * @param scores log-likelihoods 0..1; a row that is not scored (null) neither opens, holds nor closes
 * @param rowsPerPoint rows that a point stands for where there are fewer points than rows, which makes `rows` an estimate
 */
export function anomalySpans(
  timestamps: ArrayLike<number>,
  scores: ArrayLike<number | null>,
  rowsPerPoint = 1,
): AnomalySpan[] {
  const spans: AnomalySpan[] = [];
  let span: AnomalySpan | null = null;
  let rowsBelow = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? null;
    const time = timestamps[i] ?? NaN;
    if (score === null) continue;
    if (span === null) {
      if (score < SPAN_OPENS_AT) continue;
      span = { from: time, to: time, peak: score, peakAt: time, rows: rowsPerPoint, open: true };
      rowsBelow = 0;
    } else if (score >= SPAN_HOLDS_AT) {
      span = held(span, time, score, rowsBelow + rowsPerPoint);
      rowsBelow = 0;
    } else if ((rowsBelow += rowsPerPoint) >= SPAN_CLOSING_ROWS) {
      spans.push({ ...span, open: false });
      span = null;
    }
  }
  if (span !== null) spans.push(span);
  return spans;
}

function held(span: AnomalySpan, time: number, score: number, moreRows: number): AnomalySpan {
  const higher = score > span.peak;
  return {
    ...span,
    to: time,
    rows: span.rows + moreRows,
    peak: higher ? score : span.peak,
    peakAt: higher ? time : span.peakAt,
  };
}
