import type { Metric, Result } from '../api/contract.ts';

/** Scores of a metric that the overview shows. */
export const STRIP_SCORES = 60;

/** The metric after `result`: what the API would say of it now. A result that is not newer than the metric changes nothing. */
export function applyResult(metric: Metric, result: Result): Metric {
  if (metric.lastScoredTimestamp !== null && result.timestamp <= metric.lastScoredTimestamp) return metric;
  const newRow = metric.lastTimestamp === null || result.timestamp > metric.lastTimestamp;
  return {
    ...metric,
    ...(newRow && { rows: metric.rows + 1, lastTimestamp: result.timestamp, lastValue: result.value }),
    scoredRows: metric.scoredRows + 1,
    learning: afterOneRow(metric),
    lastLogLikelihood: result.logLikelihood,
    lastScoredTimestamp: result.timestamp,
    recent: [...(metric.recent ?? []), result.logLikelihood].slice(-STRIP_SCORES),
  };
}

function afterOneRow({ state, learning }: Metric): Metric['learning'] {
  if (learning === null || state !== 'ACTIVE') return learning;
  const rows = learning.rows + 1;
  return rows < learning.of ? { rows, of: learning.of } : null;
}
