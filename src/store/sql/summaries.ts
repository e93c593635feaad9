import type { ExpressionBuilder } from 'kysely';
import type { LikelihoodConstants } from '../../generation.ts';
import { CUSTOM_DATASOURCE, MetricStatus } from '../../metric.ts';
import type { LearningProgress, MetricSummary } from '../queries.ts';
import type { Schema } from './schema.ts';
import type { Db } from './session.ts';

/** The rows from which summaries are made, in byte order of names. */
export function summaries(db: Db) {
  return db
    .selectFrom('metric')
    .leftJoin('anomaly_watermark', 'anomaly_watermark.uid', 'metric.uid')
    .leftJoin('generation', (join) =>
      join.onRef('generation.uid', '=', 'metric.uid').on('generation.state', '!=', 'closed'),
    )
    .leftJoin('metric_data as newest', (join) =>
      join.onRef('newest.uid', '=', 'metric.uid').onRef('newest.rowid', '=', 'metric.last_rowid'),
    )
    .leftJoin('metric_data as scored', (join) =>
      join
        .onRef('scored.uid', '=', 'metric.uid')
        .onRef('scored.rowid', '=', 'anomaly_watermark.scored_rowid')
        .onRef('scored.rowid', '>=', 'generation.start_rowid'),
    )
    .select([
      'metric.uid',
      'metric.name',
      'metric.status',
      'metric.message',
      'metric.last_rowid',
      'metric.last_timestamp',
      'anomaly_watermark.scored_rowid',
      'metric.parameters',
      'generation.generation',
      'generation.start_rowid',
      'generation.minimum_rows',
      'generation.likelihood',
      'newest.metric_value as last_value',
      'scored.timestamp as last_scored_timestamp',
      'scored.anomaly_score as last_anomaly_score',
    ])
    .select((eb) => lowestRowid(eb).as('first_rowid'))
    .where('metric.datasource', '=', CUSTOM_DATASOURCE)
    .orderBy('metric.name');
}

/** The lowest stored rowid of a metric, as an expression. */
export function lowestRowid(eb: ExpressionBuilder<Schema, 'metric'>) {
  return eb
    .selectFrom('metric_data')
    .select((inner) => inner.fn.min('metric_data.rowid').as('lowest'))
    .whereRef('metric_data.uid', '=', 'metric.uid');
}

type SummaryRow = Awaited<ReturnType<ReturnType<typeof summaries>['executeTakeFirstOrThrow']>>;

export function toSummary(row: SummaryRow): MetricSummary {
  const first = row.first_rowid ?? row.last_rowid + 1;
  const firstScored = Math.max(first, row.start_rowid ?? 0);
  return {
    metricId: row.uid,
    name: row.name,
    status: row.status,
    message: row.message,
    rows: row.last_rowid - first + 1,
    scoredRows: row.scored_rowid === null ? 0 : Math.max(0, row.scored_rowid - firstScored + 1),
    lastTimestamp: row.last_timestamp,
    lastValue: row.last_value,
    lastScoredTimestamp: row.last_scored_timestamp,
    lastAnomalyScore: row.last_anomaly_score,
    generation: row.generation,
    learning: learningOf(row, row.last_rowid - first + 1),
    spec: row.parameters,
  };
}

/** Told by watermarks alone: no row needs to be read. */
function learningOf(row: SummaryRow, storedRows: number): LearningProgress | null {
  if (row.status === MetricStatus.PENDING_DATA) {
    const of = row.minimum_rows ?? 0;
    return { rows: Math.min(storedRows, of), of };
  }
  if (row.likelihood === null || row.start_rowid === null || row.scored_rowid === null) return null;
  const { learningPeriod, estimationSamples } = JSON.parse(row.likelihood) as LikelihoodConstants;
  const of = learningPeriod + estimationSamples;
  const rows = row.scored_rowid - row.start_rowid + 1;
  // The row after those is the first that is scored by a fit.
  return rows <= of ? { rows, of } : null;
}
