import { displayValue } from '../../htm/index.ts';
import { LEARNING_ROWS, type RowScores } from '../../detect/detector.ts';
import type { SeriesRow } from '../../detect/series-reader.ts';

/** How anomalous a row is, as the engine shows it: the log-likelihood reaches 0.4 (yellow) or 0.5 (red). */
export type Level = 'red' | 'yellow' | 'green';

/** A row that stands out from those around it. */
export interface Moment extends Omit<RowScores, 'prediction'> {
  readonly line: number;
  readonly timestampSeconds: number;
  readonly value: number;
  readonly level: Level;
}

/** What is not above this is no moment: a tenth of all rows would be, by chance alone. */
export const LEAST_ANOMALY_SCORE = 0.9;
const KEPT_MOMENTS = 10;
/** A shock keeps the averaged raw scores high for so many rows: they are one moment. */
const MOMENT_ROWS = 10;
const COLOURS = new Map<number, Level>([
  [1_000_000_001, 'red'],
  [1_000_000, 'yellow'],
]);

/** @param anomalyScore 0 .. 1. */
export function levelOf(anomalyScore: number): Level {
  return COLOURS.get(displayValue(anomalyScore)) ?? 'green';
}

/** Finds the most anomalous moments of a series in one pass: of rows close together only the highest. */
export class Moments {
  readonly #best: Moment[] = [];
  #peak: Moment | null = null;
  #rows = 0;
  #peakRow = 0;

  add({ line, timestampSeconds, value }: SeriesRow, scores: RowScores): void {
    this.#rows++;
    if (this.#rows <= LEARNING_ROWS || scores.anomalyScore <= LEAST_ANOMALY_SCORE) return;
    const isApart = this.#rows - this.#peakRow > MOMENT_ROWS;
    if (this.#peak !== null && !isApart && scores.anomalyScore <= this.#peak.anomalyScore) return;
    if (isApart) this.#keepPeak();
    const { rawScore, anomalyScore, logLikelihood } = scores;
    const level = levelOf(anomalyScore);
    this.#peak = { line, timestampSeconds, value, rawScore, anomalyScore, logLikelihood, level };
    this.#peakRow = this.#rows;
  }

  /** At most 10, the highest first, earlier ones before later ones; call it after the last row. */
  top(): Moment[] {
    this.#keepPeak();
    this.#peak = null;
    return [...this.#best];
  }

  #keepPeak(): void {
    const peak = this.#peak;
    if (peak === null) return;
    const place = this.#best.findIndex(({ anomalyScore }) => anomalyScore < peak.anomalyScore);
    this.#best.splice(place < 0 ? this.#best.length : place, 0, peak);
    this.#best.length = Math.min(this.#best.length, KEPT_MOMENTS);
  }
}
