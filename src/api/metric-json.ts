import { statusName } from '../metric.ts';
import type { DataRow, MetricSummary } from '../store/queries.ts';

type LogLikelihood = (anomalyScore: number) => number;

/** A metric as clients see it. */
export function metricJson(metric: MetricSummary, logLikelihood: LogLikelihood, recent?: number[]) {
  return {
    name: metric.name,
    uid: metric.metricId,
    state: statusName(metric.status),
    message: metric.message,
    rows: metric.rows,
    scoredRows: metric.scoredRows,
    learning: metric.learning,
    lastTimestamp: metric.lastTimestamp,
    lastValue: metric.lastValue,
    lastScore: metric.lastAnomalyScore,
    lastLogLikelihood: metric.lastAnomalyScore === null ? null : logLikelihood(metric.lastAnomalyScore),
    lastScoredTimestamp: metric.lastScoredTimestamp,
    demo: isDemo(metric.spec),
    ...(recent !== undefined && { recent }),
  };
}

/** A stored row as clients see it. */
export function rowJson(row: DataRow, logLikelihood: LogLikelihood) {
  return {
    rowid: row.rowid,
    timestamp: row.timestamp,
    value: row.value,
    rawAnomalyScore: row.rawAnomalyScore,
    anomalyScore: row.anomalyScore,
    logLikelihood: row.anomalyScore === null ? null : logLikelihood(row.anomalyScore),
    displayValue: row.displayValue,
    multiStepBestPredictions:
      row.multiStepBestPredictions === null
        ? null
        : (JSON.parse(row.multiStepBestPredictions) as Record<string, number>),
  };
}

/** Demo metrics say so in their spec: `userInfo: {"demo": true}`. */
function isDemo(spec: string | null): boolean {
  if (spec?.includes('"demo"') !== true) return false;
  const { metricSpec } = JSON.parse(spec) as { metricSpec?: { userInfo?: { demo?: unknown } } };
  return metricSpec?.userInfo?.demo === true;
}
