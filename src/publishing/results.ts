import type { Result } from '../metric.ts';
import type { CursorPosition, ScoredRow } from '../store/log.ts';

/** The anomaly score on its log scale, 0..1. Given from outside: only the anomaly stage knows the algorithms. */
export type LogLikelihood = (anomalyScore: number) => number;

/** A scored row as consumers get it. */
export function toResult(metric: CursorPosition, row: ScoredRow, logLikelihood: LogLikelihood): Result {
  return {
    metricId: metric.metricId,
    name: metric.name,
    generation: metric.generation,
    rowid: row.rowid,
    timestamp: row.timestamp,
    value: row.value,
    rawAnomalyScore: row.rawAnomalyScore,
    anomalyScore: row.anomalyScore,
    logLikelihood: logLikelihood(row.anomalyScore),
    displayValue: row.displayValue,
    multiStepBestPredictions: parsePredictions(row.multiStepBestPredictions),
    backlog: row.rowid <= metric.backlogRowid,
  };
}

/** The scheduler wrote this text, so its shape is not checked again. */
function parsePredictions(text: string | null): Result['multiStepBestPredictions'] {
  return text === null ? null : (JSON.parse(text) as Result['multiStepBestPredictions']);
}
