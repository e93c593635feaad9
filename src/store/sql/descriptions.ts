import type { Json, LikelihoodConstants } from '../../generation.ts';
import { CUSTOM_DATASOURCE, MetricStatus } from '../../metric.ts';
import type { MetricBars, ModelDescription, RecentScores } from '../queries.ts';
import { commandsOf } from './commands.ts';
import { givenRange } from './generations.ts';
import type { Db, SqlDialect } from './session.ts';

/** See `Queries.describeModel`. */
export async function describeModel(db: Db, metricId: string): Promise<ModelDescription | null> {
  const row = await db
    .selectFrom('generation')
    .leftJoin('scheduler_watermark', 'scheduler_watermark.uid', 'generation.uid')
    .leftJoin('anomaly_watermark', 'anomaly_watermark.uid', 'generation.uid')
    .selectAll('generation')
    .select([
      'scheduler_watermark.processed_rowid',
      'anomaly_watermark.scored_rowid',
      'anomaly_watermark.state as likelihood_state',
    ])
    .where('generation.uid', '=', metricId)
    .where('generation.state', '!=', 'closed')
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    generation: row.generation,
    range: givenRange(row),
    resolution: row.resolution,
    likelihood: JSON.parse(row.likelihood) as LikelihoodConstants,
    algorithmRevision: row.algorithm_revision,
    startRowid: row.start_rowid,
    processedRowid: row.processed_rowid,
    scoredRowid: row.scored_rowid,
    backlogRowid: row.backlog_rowid,
    modelParams: row.state === 'open' ? (JSON.parse(row.model_params) as Json) : null,
    commands: await commandsOf(db, metricId, row.generation),
    likelihoodState: row.likelihood_state === null ? null : new Uint8Array(row.likelihood_state),
  };
}

/** See `Queries.anomalyBars`. */
export async function anomalyBars(db: Db, afterName: string, limit: number): Promise<MetricBars[]> {
  const rows = await db
    .selectFrom('metric')
    .leftJoin('anomaly_watermark', 'anomaly_watermark.uid', 'metric.uid')
    .select(['metric.uid', 'metric.name', 'metric.status', 'anomaly_watermark.bars'])
    .where('metric.datasource', '=', CUSTOM_DATASOURCE)
    .where('metric.status', '!=', MetricStatus.UNMONITORED)
    .where('metric.name', '>', afterName)
    .orderBy('metric.name')
    .limit(limit)
    .execute();
  return rows.map(({ uid, name, status, bars }) => ({
    metricId: uid,
    name,
    status,
    // A copy: what a driver gives may be a window into something larger.
    bars: bars === null ? null : new Uint8Array(bars),
  }));
}

/** See `Queries.recentScores`. */
export async function recentScores(
  db: Db,
  dialect: SqlDialect,
  metricIds: readonly string[],
  rows: number,
): Promise<RecentScores[]> {
  const scored = await db
    .selectFrom('anomaly_watermark')
    .innerJoin('generation', (join) =>
      join
        .onRef('generation.uid', '=', 'anomaly_watermark.uid')
        .onRef('generation.generation', '=', 'anomaly_watermark.generation'),
    )
    .innerJoin('metric_data', (join) =>
      join
        .onRef('metric_data.uid', '=', 'anomaly_watermark.uid')
        .onRef('metric_data.rowid', '>=', 'generation.start_rowid')
        .onRef('metric_data.rowid', '<=', 'anomaly_watermark.scored_rowid')
        .on((eb) => eb('metric_data.rowid', '>', eb('anomaly_watermark.scored_rowid', '-', rows))),
    )
    .select([
      'anomaly_watermark.uid',
      'anomaly_watermark.generation',
      'anomaly_watermark.scored_rowid',
      'metric_data.anomaly_score',
    ])
    .where((eb) => dialect.isOneOf(eb.ref('anomaly_watermark.uid'), metricIds))
    .where('metric_data.anomaly_score', 'is not', null)
    .orderBy('metric_data.uid')
    .orderBy('metric_data.rowid')
    .$narrowType<{ anomaly_score: number }>()
    .execute();
  const byMetric = new Map<string, RecentScores & { readonly anomalyScores: number[] }>();
  for (const row of scored) {
    let recent = byMetric.get(row.uid);
    if (recent === undefined) {
      recent = {
        metricId: row.uid,
        generation: row.generation,
        scoredRowid: row.scored_rowid,
        anomalyScores: [],
      };
      byMetric.set(row.uid, recent);
    }
    recent.anomalyScores.push(row.anomaly_score);
  }
  return [...byMetric.values()];
}
