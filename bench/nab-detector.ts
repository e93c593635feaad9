import { estimateRange, resolutionFor } from '../src/generation.ts';
import type { Ceiling } from '../src/htm/index.ts';
import { AnomalyModel, rdseResolution, scalarAnomalyParameters } from '../src/htm/index.ts';
import { logLikelihood } from '../src/htm/likelihood.ts';
import { RangeRule } from '../src/htm/range-rule.ts';
import type { LikelihoodParameters } from '../src/htm/streaming-likelihood.ts';
import { DEFAULT_LIKELIHOOD, LikelihoodWithHistory } from '../src/htm/streaming-likelihood.ts';
import type { Series } from './nab-corpus.ts';
import { probationaryRows } from './nab-score.ts';

export const VARIANTS = ['cpp', 'tm_cpp'] as const;
export type Variant = (typeof VARIANTS)[number];

/** From which rows a series' range is taken: all of them, as the benchmark's own detector does, or the first 288, as a live user has it. */
export const RANGES = ['full', 'first288'] as const;
export type Range = (typeof RANGES)[number];

/** What is computed for every row of a series. */
export interface Detection {
  /** The model's raw score, 0 .. 1. */
  readonly rawScores: Float64Array;
  /** 1 minus the tail probability, 0 .. 1. */
  readonly anomalyScores: Float64Array;
  /** The same on a log scale, 0 .. 1. */
  readonly logLikelihoods: Float64Array;
  /** 1 where the range rule speaks, else 0. */
  readonly outside: Float64Array;
}

/** The width of a value bucket for a series. Model reference, sections 1.3 and 7.7; system reference, 4.4. */
export function resolutionOf({ values }: Series, range: Range): number {
  const known = range === 'full' ? values : values.subarray(0, 288);
  const min = known.reduce((a, b) => Math.min(a, b), Infinity);
  const max = known.reduce((a, b) => Math.max(a, b), -Infinity);
  if (range === 'first288') return resolutionFor(estimateRange(min, max), null);
  const padding = 0.2 * Math.abs(max - min);
  return rdseResolution(min - padding, max + padding);
}

/** The constants of the likelihood for a series of `rows` rows: the probation of the benchmark, half of it learning. */
export function likelihoodFor(rows: number): LikelihoodParameters {
  const probation = probationaryRows(rows);
  const learningPeriod = Math.floor(probation / 2);
  return {
    ...DEFAULT_LIKELIHOOD,
    learningPeriod,
    estimationSamples: Math.max(1, probation - learningPeriod),
  };
}

/** A fresh model for a series, as a function that gives the raw score of its rows, one after the other. */
export function rawScorer(
  series: Series,
  variant: Variant,
  range: Range,
  ceiling: Ceiling | null = null,
): (row: number) => number {
  const model = AnomalyModel.create(
    scalarAnomalyParameters({ resolution: resolutionOf(series, range), variant, ceiling }),
  );
  return (row) => model.run(series.seconds[row] ?? NaN, series.values[row] ?? NaN);
}

/** Runs a series through the likelihood and the range rule. @param rawScoreOf is asked for each row once, in order. */
export function detect(
  { values }: Series,
  rawScoreOf: (row: number) => number,
  likelihoodParameters: LikelihoodParameters,
): Detection {
  const likelihood = new LikelihoodWithHistory(likelihoodParameters);
  const rangeRule = new RangeRule();
  const rawScores = new Float64Array(values.length);
  const anomalyScores = new Float64Array(values.length);
  const outside = new Float64Array(values.length);
  for (const [i, value] of values.entries()) {
    const rawScore = rawScoreOf(i);
    rawScores[i] = rawScore;
    anomalyScores[i] = likelihood.next(value, rawScore);
    outside[i] = rangeRule.next(value) ? 1 : 0;
  }
  return { rawScores, anomalyScores, logLikelihoods: anomalyScores.map(logLikelihood), outside };
}

/** The benchmark's score: the log likelihood, and 1 where the range rule speaks. */
export function withRangeRule({ logLikelihoods, outside }: Detection): Float64Array {
  return logLikelihoods.map((score, i) => (outside[i] === 1 ? 1 : score));
}
