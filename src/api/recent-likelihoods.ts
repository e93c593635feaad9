import type { MetricSummary, Queries } from '../store/queries.ts';

/** Rows of a strip at the most. */
export const MAX_RECENT_ROWS = 120;
/** Metrics that are asked for together, so that the store gets to other things in between. */
const PAGE_METRICS = 100;
/** A strip is for the eye: more digits would only make the answer longer. */
const DECIMALS = 10_000;

/** The log-likelihoods of each metric's newest scored rows: what a page draws as a strip. */
export class RecentLikelihoods {
  readonly #queries: Pick<Queries, 'recentScores'>;
  readonly #logLikelihood: (anomalyScore: number) => number;

  constructor(queries: Pick<Queries, 'recentScores'>, logLikelihood: (anomalyScore: number) => number) {
    this.#queries = queries;
    this.#logLikelihood = logLikelihood;
  }

  /** @param rows at most so many of each, 1..120. @returns by metric id, oldest first, rounded to 4 decimals; none for a metric that has no scores */
  async of(metrics: readonly MetricSummary[], rows: number): Promise<Map<string, number[]>> {
    const strips = new Map<string, number[]>();
    const scored = metrics.filter(({ scoredRows }) => scoredRows > 0).map(({ metricId }) => metricId);
    for (let start = 0; start < scored.length; start += PAGE_METRICS) {
      const page = await this.#queries.recentScores(scored.slice(start, start + PAGE_METRICS), rows);
      for (const { metricId, anomalyScores } of page) {
        strips.set(
          metricId,
          anomalyScores.map((score) => this.#rounded(score)),
        );
      }
    }
    return strips;
  }

  #rounded(anomalyScore: number): number {
    return Math.round(this.#logLikelihood(anomalyScore) * DECIMALS) / DECIMALS;
  }
}
