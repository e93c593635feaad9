import { erfc, log } from './numeric.ts';

/**
 * Anomaly likelihood: how unusual the recent raw scores are among those of the metric's past. Model reference,
 * section 7. This file holds the parts; `streaming-likelihood.ts` puts them together row by row.
 */

/** Which averages count as unusual: only those above the mean, or those far from it on either side. */
export type Tail = 'one-sided' | 'two-sided';

/** The normal distribution that averaged raw scores are held against. */
export interface Distribution {
  readonly mean: number;
  /** Population variance. */
  readonly variance: number;
  readonly standardDeviation: number;
}

/** So wide that nothing is unusual: stands in while there is too little to fit, and for metrics that do not move. */
export const NULL_DISTRIBUTION: Distribution = { mean: 0.5, variance: 1e6, standardDeviation: 1e3 };

/**
 * Moving average of the last scores (section 7.2): of all there are until the window is full. The total is carried
 * from row to row with the rounding it gathers, as in the originals.
 */
export class MovingAverage {
  readonly #ring: Float64Array;
  #count = 0;
  #oldest = 0;
  #total = 0;

  /** @param size scores in the window, 1 or more. */
  constructor(size: number) {
    this.#ring = new Float64Array(size);
  }

  /** Continues from what `window` and `total` of another one of the same size gave. */
  static continued(size: number, window: Float64Array, total: number): MovingAverage {
    const average = new MovingAverage(size);
    average.#ring.set(window);
    average.#count = window.length;
    average.#total = total;
    return average;
  }

  /** Takes one score in and returns the average. */
  next(score: number): number {
    const size = this.#ring.length;
    if (this.#count === size) {
      this.#total -= this.#ring[this.#oldest];
      this.#ring[this.#oldest] = score;
      this.#oldest = this.#oldest + 1 === size ? 0 : this.#oldest + 1;
    } else {
      this.#ring[this.#count++] = score;
    }
    this.#total += score;
    return this.#total / this.#count;
  }

  /** The scores in the window, oldest first. */
  get window(): Float64Array {
    return Float64Array.from({ length: this.#count }, (_, i) => this.#ring[(this.#oldest + i) % this.#count]);
  }

  /** The running total of the window. */
  get total(): number {
    return this.#total;
  }
}

/** The distribution of `averages` (at least one), with the floors of section 7.5 so that a quiet past does not make every ripple unusual. */
export function fitDistribution(averages: Float64Array): Distribution {
  const { mean, variance } = moments(averages);
  const floored = Math.max(variance, 0.0003);
  return { mean: Math.max(mean, 0.03), variance: floored, standardDeviation: Math.sqrt(floored) };
}

/** Whether a metric's values vary too little for its scores to mean anything (section 7.3). */
export function isFlat(values: Float64Array): boolean {
  return moments(values).variance < 1.5e-5;
}

/**
 * The probability of an average as high as `average`, or, two-sided, as far from the mean: 0 .. 1, two-sided
 * 0 .. 0.5. The divisor is 1.4142 as in the originals, not the root of 2.
 */
export function tailProbability(average: number, distribution: Distribution, tail: Tail): number {
  const above = average - distribution.mean;
  const distance = tail === 'two-sided' ? Math.abs(above) : above;
  return 0.5 * erfc(distance / distribution.standardDeviation / 1.4142);
}

/**
 * Lets only the first row of a run of extremes stand out (section 7.6).
 * @param previous the unfiltered tail probability of the row before.
 */
export function filterRepeatedExtreme(tail: number, previous: number): number {
  return tail <= EXTREME && previous <= EXTREME ? NOTABLE : tail;
}

/** Spreads anomaly scores close to 1 over a scale: 0.9 -> 0.1, 0.99 -> 0.2, 0.99999 -> 0.5, 1 -> 1 (nearly). 0 gives -4e-12. */
export function logLikelihood(anomalyScore: number): number {
  return log(1.0000000001 - anomalyScore) / LOG_OF_1E_10;
}

/**
 * The colour of a row as the integer that is stored: 0 not scored, 1000 green, 1000000 yellow (log likelihood from
 * 0.4), 1000000001 red (anomaly score above 0.99999). System reference, section 7.6.
 */
export function displayValue(anomalyScore: number): number {
  const score = Math.abs(anomalyScore);
  if (score === 0) return 0;
  if (score > 0.99999) return 1_000_000_001;
  return logLikelihood(score) >= 0.4 ? 1_000_000 : 1000;
}

const EXTREME = 1 - 0.99999;
const NOTABLE = 1 - 0.999;
const LOG_OF_1E_10 = -23.02585084720009;

function moments(values: Float64Array): { mean: number; variance: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  return { mean, variance: squares / values.length };
}
