import type { RowScores } from '../../detect/detector.ts';
import { levelOf, type Level } from './moments.ts';
import type { SeriesRow } from '../../detect/series-reader.ts';

/** Rows that are drawn as one: a single row while there is room for all. */
export interface PlotPoint {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly lowest: number;
  readonly highest: number;
  /** The highest of its rows. */
  readonly rawScore: number;
  readonly anomalyScore: number;
  readonly logLikelihood: number;
}

/** A stretch of time in which rows are anomalous. */
export interface PlotSpan {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly level: Exclude<Level, 'green'>;
}

/** More points than a screen has columns; an even number. */
const MAX_POINTS = 4000;
/** Anomalous points not farther apart than this are one stretch. */
const SPAN_GAP_POINTS = 10;

/** A series of any length as a bounded number of points: when they are too many, each two become one. */
export class PlotSeries {
  #points: PlotPoint[] = [];
  #rowsPerPoint = 1;
  /** What the rows of the unfinished point amount to so far, and how many they are. */
  #open: PlotPoint | null = null;
  #openRows = 0;
  #rows = 0;
  #learningUntil: number | null = null;
  readonly #learningRows: number;

  /** @param learningRows rows at the beginning that have no anomaly score yet. */
  constructor(learningRows: number) {
    this.#learningRows = learningRows;
  }

  add({ timestampSeconds, value }: SeriesRow, { rawScore, anomalyScore, logLikelihood }: RowScores): void {
    const row: PlotPoint = {
      fromSeconds: timestampSeconds,
      toSeconds: timestampSeconds,
      lowest: value,
      highest: value,
      rawScore,
      anomalyScore,
      logLikelihood,
    };
    this.#rows++;
    if (this.#rows <= this.#learningRows) this.#learningUntil = timestampSeconds;
    this.#open = this.#open === null ? row : joined(this.#open, row);
    this.#openRows++;
    if (this.#openRows < this.#rowsPerPoint) return;
    this.#points.push(this.#open);
    this.#open = null;
    this.#openRows = 0;
    if (this.#points.length === MAX_POINTS) this.#halve();
  }

  /** All points, in order of time. */
  get points(): readonly PlotPoint[] {
    return this.#open === null ? this.#points : [...this.#points, this.#open];
  }

  /** The time of the last row without an anomaly score; null without rows. */
  get learningUntilSeconds(): number | null {
    return this.#learningUntil;
  }

  /** The anomalous stretches, in order of time. */
  spans(): PlotSpan[] {
    const spans: PlotSpan[] = [];
    let lastIndex = -Infinity;
    for (const [i, { fromSeconds, toSeconds, anomalyScore }] of this.points.entries()) {
      const level = levelOf(anomalyScore);
      if (level === 'green') continue;
      const before = i - lastIndex <= SPAN_GAP_POINTS ? spans.pop() : undefined;
      spans.push({
        fromSeconds: before?.fromSeconds ?? fromSeconds,
        toSeconds,
        level: before?.level === 'red' ? 'red' : level,
      });
      lastIndex = i;
    }
    return spans;
  }

  #halve(): void {
    const halved: PlotPoint[] = [];
    for (const [i, point] of this.#points.entries()) {
      const partner = this.#points[i - 1];
      if (i % 2 === 1 && partner !== undefined) halved.push(joined(partner, point));
    }
    this.#points = halved;
    this.#rowsPerPoint *= 2;
  }
}

function joined(a: PlotPoint, b: PlotPoint): PlotPoint {
  return {
    fromSeconds: a.fromSeconds,
    toSeconds: b.toSeconds,
    lowest: Math.min(a.lowest, b.lowest),
    highest: Math.max(a.highest, b.highest),
    rawScore: Math.max(a.rawScore, b.rawScore),
    anomalyScore: Math.max(a.anomalyScore, b.anomalyScore),
    logLikelihood: Math.max(a.logLikelihood, b.logLikelihood),
  };
}
