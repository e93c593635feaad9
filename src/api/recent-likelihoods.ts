import { MAX_RECENT_ROWS } from '../contract/metrics.ts';
import type { Result } from '../metric.ts';
import type { MetricSummary, Queries } from '../store/queries.ts';
import type { LiveResults } from './live-results.ts';

/** Metrics that are asked for together, so that the store gets to other things in between. */
const PAGE_METRICS = 100;
/** A strip is for the eye: more digits would only make the answer longer. */
const DECIMALS = 10_000;

export interface RecentLikelihoodsOptions {
  readonly queries: Pick<Queries, 'recentScores'>;
  readonly live: Pick<LiveResults, 'open' | 'listen'>;
  readonly logLikelihood: (anomalyScore: number) => number;
  /** Metrics whose strips are kept in memory, about 1 kB each. */
  readonly maxMetrics: number;
}

/** The newest log-likelihoods of one metric's generation, up to `rowid`. */
interface Strip {
  readonly generation: number;
  rowid: number;
  /** Oldest first. */
  readonly likelihoods: number[];
}

/**
 * The log-likelihoods of each metric's newest scored rows: what a page draws as a strip. Read from the store when a
 * metric is asked for the first time, kept up to date by what is scored from then on.
 */
export class RecentLikelihoods {
  readonly #options: RecentLikelihoodsOptions;
  /** By metric id, least recently read from the store first. */
  readonly #strips = new Map<string, Strip>();

  constructor(options: RecentLikelihoodsOptions) {
    this.#options = options;
    options.live.listen((results) => {
      for (const result of results) this.#append(result);
    });
  }

  /** @param rows at most so many of each, 1..120. @returns by metric id, oldest first, rounded to 4 decimals; none for a metric that has no scores */
  async of(metrics: readonly MetricSummary[], rows: number): Promise<Map<string, readonly number[]>> {
    await this.#options.live.open();
    const found = new Map<string, readonly number[]>();
    const missing: string[] = [];
    for (const { metricId, generation, scoredRows } of metrics) {
      if (scoredRows === 0) continue;
      const strip = this.#strips.get(metricId);
      if (strip?.generation === generation) found.set(metricId, strip.likelihoods.slice(-rows));
      else missing.push(metricId);
    }
    for (let start = 0; start < missing.length; start += PAGE_METRICS) {
      for (const [metricId, strip] of await this.#read(missing.slice(start, start + PAGE_METRICS))) {
        found.set(metricId, strip.likelihoods.slice(-rows));
      }
    }
    return found;
  }

  async #read(metricIds: readonly string[]): Promise<Map<string, Strip>> {
    const { queries, maxMetrics } = this.#options;
    const read = new Map<string, Strip>();
    for (const recent of await queries.recentScores(metricIds, MAX_RECENT_ROWS)) {
      const { metricId, generation, scoredRowid, anomalyScores } = recent;
      const likelihoods = anomalyScores.map((score) => this.#rounded(score));
      const strip = { generation, rowid: scoredRowid, likelihoods };
      this.#strips.delete(metricId);
      this.#strips.set(metricId, strip);
      read.set(metricId, strip);
    }
    for (const metricId of this.#strips.keys()) {
      if (this.#strips.size <= maxMetrics) break;
      this.#strips.delete(metricId);
    }
    return read;
  }

  #append({ metricId, generation, rowid, anomalyScore }: Result): void {
    const strip = this.#strips.get(metricId);
    if (strip === undefined || (strip.generation === generation && rowid <= strip.rowid)) return;
    if (strip.generation !== generation || rowid !== strip.rowid + 1) {
      // Something is missing in between: it is read again when it is asked for.
      this.#strips.delete(metricId);
      return;
    }
    strip.rowid = rowid;
    strip.likelihoods.push(this.#rounded(anomalyScore));
    if (strip.likelihoods.length > MAX_RECENT_ROWS) strip.likelihoods.shift();
  }

  #rounded(anomalyScore: number): number {
    return Math.round(this.#options.logLikelihood(anomalyScore) * DECIMALS) / DECIMALS;
  }
}
