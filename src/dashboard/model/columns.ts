import type { Bucket, Row } from '../api/contract.ts';
import type { Columns } from './thinning.ts';

/** Rows by column; a prediction stands at the row that it was about. */
export function columnsOfRows(rows: readonly Row[]): Columns {
  return {
    timestamps: rows.map(({ timestamp }) => timestamp),
    values: rows.map(({ value }) => value),
    scores: rows.map(({ logLikelihood }) => logLikelihood),
    ...(rows.some(({ multiStepBestPredictions }) => (multiStepBestPredictions ?? null) !== null) && {
      predictions: rows.map((_, i) => rows[i - 1]?.multiStepBestPredictions?.['1'] ?? null),
    }),
  };
}

/**
 * Buckets by column: two points each, so that a line through them passes through every extreme, and the score at both. Which
 * extreme came first is not known, nor seen at this distance.
 */
export function columnsOfBuckets(buckets: readonly Bucket[]): Columns {
  return {
    timestamps: buckets.flatMap(({ firstTimestamp, lastTimestamp }) => [firstTimestamp, lastTimestamp]),
    values: buckets.flatMap(({ lowest, highest }) => [lowest, highest]),
    scores: buckets.flatMap(({ logLikelihood }) => [logLikelihood, logLikelihood]),
  };
}
