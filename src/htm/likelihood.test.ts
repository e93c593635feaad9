import { describe, expect, it } from 'vitest';
import type { Distribution } from './likelihood.ts';
import {
  displayValue,
  filterRepeatedExtreme,
  fitDistribution,
  isFlat,
  logLikelihood,
  MovingAverage,
  NULL_DISTRIBUTION,
  tailProbability,
} from './likelihood.ts';

/** Expected values: model reference, sections 12.6 and 7, unless a comment names another source. */
describe('log likelihood', () => {
  it.each([
    [0, -4.34e-12, 1e-14],
    [0.5, 0.0301029996658834, 1e-15],
    [0.9, 0.1000000003, 1e-9],
    [0.99, 0.2000000003, 1e-9],
    [0.999, 0.2999999967, 1e-10],
    [0.9999, 0.399999958, 1e-10],
    [0.99999, 0.4999995675, 1e-10],
    [0.999999, 0.5999956594, 1e-10],
    [1, 1, 1e-6],
  ])('of %d is %d', (score, expected, tolerance) => {
    expect(Math.abs(logLikelihood(score) - expected)).toBeLessThanOrEqual(tolerance);
  });
});

describe('tail probability', () => {
  const floors: Distribution = {
    mean: 0.03,
    variance: 0.0003,
    standardDeviation: Math.sqrt(0.0003),
  };
  const relativeError = (found: number, expected: number) => Math.abs(found / expected - 1);

  it.each([
    [0, 0.041630779742412506],
    [0.03, 0.5],
    [0.05, 0.12410427134451787],
    [0.1, 2.6556250437888822e-5],
    [0.12, 1.0170047956236257e-7],
  ])('two-sided, at the floors, of %d is %d', (average, expected) => {
    expect(relativeError(tailProbability(average, floors, 'two-sided'), expected)).toBeLessThan(1e-13);
  });

  it.each([0, 1])('two-sided under the null distribution is almost one half at %d', (average) => {
    const tail = tailProbability(average, NULL_DISTRIBUTION, 'two-sided');
    expect(relativeError(tail, 0.4998005269551551)).toBeLessThan(1e-13);
  });

  it('one-sided differs below the mean only, where it is the complement', () => {
    expect(tailProbability(0.1, floors, 'one-sided')).toBe(tailProbability(0.1, floors, 'two-sided'));
    expect(tailProbability(0, floors, 'one-sided')).toBeCloseTo(1 - 0.041630779742412506, 14);
    // Sample output of the original's README: raw score 0 at the floors, from a table of Q rounded to z = 1.7.
    expect(1 - tailProbability(0, floors, 'one-sided')).toBeCloseTo(0.044565463, 2);
  });
});

describe('fit', () => {
  it('takes mean and population variance', () => {
    const fit = fitDistribution(Float64Array.of(0, 0.1, 0.2, 0.3));
    expect(fit.mean).toBeCloseTo(0.15, 15);
    expect(fit.variance).toBeCloseTo(0.0125, 15);
    expect(fit.standardDeviation).toBeCloseTo(0.1118033989, 10);
  });

  it('never goes below the floors', () => {
    const fit = fitDistribution(Float64Array.of(0, 0, 0.01, 0));
    expect([fit.mean, fit.variance]).toEqual([0.03, 0.0003]);
    expect(fit.standardDeviation).toBe(Math.sqrt(0.0003));
  });

  it('calls a metric flat by the variance of its values', () => {
    expect(isFlat(Float64Array.of(7, 7, 7))).toBe(true);
    // Variances of two values d apart are d^2/4: 1.44e-5 and 1.6e-5 around the limit of 1.5e-5.
    expect(isFlat(Float64Array.of(1, 1.0075894664))).toBe(true);
    expect(isFlat(Float64Array.of(1, 1.008))).toBe(false);
    expect(isFlat(Float64Array.of(1e308, -1e308))).toBe(false);
  });
});

describe('filter of repeated extremes', () => {
  it('lets only the first of a run stand', () => {
    const tails = [0.5, 1e-6, 1e-7, 0.01, 1e-6];
    const filtered = tails.map((tail, i) => (i === 0 ? tail : filterRepeatedExtreme(tail, tails[i - 1])));
    [0.5, 1e-6, 0.001, 0.01, 1e-6].forEach((expected, i) => expect(filtered[i]).toBeCloseTo(expected, 15));
  });
});

describe('moving average', () => {
  it('averages what there is, then a sliding window', () => {
    const average = new MovingAverage(3);
    expect([3, 6, 0, 9, 3].map((score) => average.next(score))).toEqual([3, 4.5, 3, 5, 4]);
    expect([...average.window]).toEqual([0, 9, 3]);
    expect(average.total).toBe(12);
  });

  it('goes on from its window and total', () => {
    const whole = new MovingAverage(4);
    const scores = [0.1, 0.7, 0.3, 0.9, 0.2, 0.4, 0.6, 0.1];
    const expected = scores.map((score) => whole.next(score));
    const first = new MovingAverage(4);
    for (const score of scores.slice(0, 6)) first.next(score);
    const second = MovingAverage.continued(4, first.window, first.total);
    expect(scores.slice(6).map((score) => second.next(score))).toEqual(expected.slice(6));
  });
});

describe('display value', () => {
  // System reference, section 7.6: the column holds integers.
  it.each([
    [0, 0],
    [0.5, 1000],
    [0.9, 1000],
    [0.99, 1000],
    [0.9999, 1000],
    [0.99991, 1_000_000],
    [0.99999, 1_000_000],
    [0.999991, 1_000_000_001],
    [1, 1_000_000_001],
    [-1, 1_000_000_001],
  ])('of %d is %d', (score, expected) => {
    expect(displayValue(score)).toBe(expected);
  });
});
