import type { Result } from '../metric.ts';
import { LIVE_CONSUMER, type PublishingLog } from './cursors.ts';
import { toResult, type LogLikelihood } from './results.ts';

/** A place in a metric's results: everything up to `rowid` of that generation. */
export interface ResultPosition {
  readonly generation: number;
  readonly rowid: number;
}

export interface ResultPage {
  /** The open one. */
  readonly generation: number;
  /** The last row of it that is scored. */
  readonly scoredRowid: number;
  /** What follows the position, in rowid order; none if the position is of another generation. */
  readonly results: readonly Result[];
}

/** Results as they are stored, for readers that keep their own position. */
export class StoredResults {
  readonly #log: Pick<PublishingLog, 'cursor' | 'readScoredRows'>;
  readonly #logLikelihood: LogLikelihood;

  constructor(log: Pick<PublishingLog, 'cursor' | 'readScoredRows'>, logLikelihood: LogLikelihood) {
    this.#log = log;
    this.#logLikelihood = logLikelihood;
  }

  /** At most `limit` (1..10,000) results after `position`; null unless a generation is open. @throws store_unavailable */
  async read(metricId: string, position: ResultPosition, limit: number): Promise<ResultPage | null> {
    const standing = await this.#log.cursor(LIVE_CONSUMER, metricId);
    if (standing === null) return null;
    const { generation, scoredRowid } = standing;
    if (generation !== position.generation || position.rowid >= scoredRowid) {
      return { generation, scoredRowid, results: [] };
    }
    const rows = await this.#log.readScoredRows(metricId, generation, position.rowid, scoredRowid, limit);
    return {
      generation,
      scoredRowid,
      results: rows.map((row) => toResult(standing, row, this.#logLikelihood)),
    };
  }
}
