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
    ...toldBySpec(metric.spec),
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

/** What a spec tells of its metric. Demo metrics say so: `userInfo: {"demo": true}`. Most specs tell nothing, and are not read. */
function toldBySpec(spec: string | null): { resource: string | null; unit: string | null; demo: boolean } {
  if (spec === null || !/"(?:resource|unit|demo)"/.test(spec)) {
    return { resource: null, unit: null, demo: false };
  }
  const { metricSpec = {} } = JSON.parse(spec) as {
    metricSpec?: { resource?: string; unit?: string; userInfo?: { demo?: unknown } };
  };
  const { resource = null, unit = null, userInfo } = metricSpec;
  return { resource, unit, demo: userInfo?.demo === true };
}
