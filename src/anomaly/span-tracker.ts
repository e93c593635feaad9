import type { RowBlock } from '../store/log.ts';
import type { AnomalySpan } from '../store/incidents.ts';
import { logLikelihood } from '../htm/likelihood.ts';

export interface SpanRules {
  /** Log-likelihood (0..1) at which a span opens. */
  readonly opensAt: number;
  /**
   * Log-likelihood that holds an open span: within a run of extreme rows the likelihood's repeat filter turns all but the
   * first into 0.29999999.
   */
  readonly holdsAt: number;
  /** Rows below `holdsAt`, one after the other, that end a span. */
  readonly endingRows: number;
}

/**
 * Follows one generation's anomaly scores and keeps its anomalous spans: a function of the row sequence, resumable from the
 * open span alone, since the rows below it are those that follow its last one.
 */
export class SpanTracker {
  readonly #rules: SpanRules;
  readonly #backlogRowid: number;
  readonly #changed = new Map<number, AnomalySpan>();
  #open: AnomalySpan | null;

  /**
   * @param open the span that was open after the row before the next one.
   * @param backlogRowid rows up to it open no span: they were stored before anybody watched.
   */
  constructor(rules: SpanRules, backlogRowid: number, open: AnomalySpan | null) {
    this.#rules = rules;
    this.#backlogRowid = backlogRowid;
    this.#open = open;
  }

  /**
   * Goes on with the rows that follow.
   * @param rowids those of `block` that have an anomaly score, ascending, as long as `anomalyScores`.
   * @returns the spans that these rows opened, held or ended, as they are now, in the order in which they opened.
   */
  follow(block: RowBlock, rowids: Int32Array, anomalyScores: Float64Array): AnomalySpan[] {
    this.#changed.clear();
    let position = 0;
    rowids.forEach((rowid, i) => {
      while (block.rowids[position] !== rowid) position += 1;
      this.#next(rowid, block.timestamps[position] ?? 0, block.values[position] ?? 0, anomalyScores[i] ?? 0);
    });
    return [...this.#changed.values()];
  }

  #next(rowid: number, timestamp: number, value: number, anomalyScore: number): void {
    const { opensAt, holdsAt, endingRows } = this.#rules;
    const score = logLikelihood(anomalyScore);
    if (this.#open === null) {
      if (score >= opensAt && rowid > this.#backlogRowid) {
        this.#keep(opened(rowid, timestamp, value, anomalyScore));
      }
    } else if (score >= holdsAt) {
      this.#keep(held(this.#open, rowid, timestamp, value, anomalyScore));
    } else if (rowid - this.#open.lastRowid >= endingRows) {
      this.#keep({ ...this.#open, ended: true });
      this.#open = null;
    }
  }

  #keep(span: AnomalySpan): void {
    this.#open = span;
    this.#changed.set(span.openedRowid, span);
  }
}

function opened(rowid: number, timestamp: number, value: number, anomalyScore: number): AnomalySpan {
  return {
    openedRowid: rowid,
    openedAt: timestamp,
    lastRowid: rowid,
    lastAt: timestamp,
    peakScore: anomalyScore,
    peakAt: timestamp,
    lowestValue: value,
    highestValue: value,
    ended: false,
  };
}

function held(
  span: AnomalySpan,
  rowid: number,
  timestamp: number,
  value: number,
  anomalyScore: number,
): AnomalySpan {
  const higher = anomalyScore > span.peakScore;
  return {
    ...span,
    lastRowid: rowid,
    lastAt: timestamp,
    peakScore: higher ? anomalyScore : span.peakScore,
    peakAt: higher ? timestamp : span.peakAt,
    lowestValue: Math.min(span.lowestValue, value),
    highestValue: Math.max(span.highestValue, value),
  };
}
