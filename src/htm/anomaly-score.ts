/**
 * The raw anomaly score: the share of the active columns that were not predicted, as a binary32 number. 0 if no
 * column is active. Model reference, section 6.
 */
export function rawAnomalyScore(unpredictedColumns: number, activeColumns: number): number {
  return activeColumns === 0 ? 0 : Math.fround(unpredictedColumns / activeColumns);
}
