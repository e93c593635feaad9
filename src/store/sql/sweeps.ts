import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { MetricStatus } from '../../metric.ts';
import type { Partitions } from '../log.ts';
import { RUNNING } from './folds.ts';
import { generationsWithEnoughRows } from './generations.ts';
import type { Schema } from './schema.ts';
import type { Db } from './session.ts';

/**
 * Sweeps go on after a uid. All tables of a join are told so: PostgreSQL does not conclude it for the others, and would
 * read these from their beginning.
 */

/** See `Log.modelsWithWork`. */
export async function modelsWithWork(
  db: Db,
  afterMetricId: string,
  limit: number,
  within: Partitions,
): Promise<string[]> {
  const rows = await db
    .selectFrom('scheduler_watermark')
    .innerJoin('metric', 'metric.uid', 'scheduler_watermark.uid')
    .select('scheduler_watermark.uid')
    .where('scheduler_watermark.uid', '>', afterMetricId)
    .where('metric.uid', '>', afterMetricId)
    .where('metric.status', 'in', RUNNING)
    .$if(within !== null, (models) => models.where('metric.partition', 'in', within ?? []))
    .where((eb) =>
      eb.or([
        eb('metric.status', '=', MetricStatus.CREATE_PENDING),
        eb('scheduler_watermark.processed_rowid', '<', eb.ref('metric.last_rowid')),
      ]),
    )
    .orderBy('scheduler_watermark.uid')
    .limit(limit)
    .execute();
  return rows.map((row) => row.uid);
}

/** See `Log.metricsToScore`. */
export async function metricsToScore(
  db: Db,
  afterMetricId: string,
  limit: number,
  within: Partitions,
): Promise<string[]> {
  const rows = await db
    .selectFrom('anomaly_watermark')
    .innerJoin('scheduler_watermark', 'scheduler_watermark.uid', 'anomaly_watermark.uid')
    .select('anomaly_watermark.uid')
    .where('anomaly_watermark.uid', '>', afterMetricId)
    .where('scheduler_watermark.uid', '>', afterMetricId)
    .whereRef('anomaly_watermark.scored_rowid', '<', 'scheduler_watermark.processed_rowid')
    .$if(within !== null, (metrics) => metrics.where((eb) => inPartitions(eb, within ?? [])))
    .orderBy('anomaly_watermark.uid')
    .limit(limit)
    .execute();
  return rows.map((row) => row.uid);
}

/** See `Log.metricsToPublish`. */
export async function metricsToPublish(
  db: Db,
  consumer: string,
  afterMetricId: string,
  limit: number,
  within: Partitions,
): Promise<string[]> {
  const rows = await db
    .selectFrom('anomaly_watermark')
    .leftJoin('cursor', (join) =>
      join
        .onRef('cursor.uid', '=', 'anomaly_watermark.uid')
        .on('cursor.consumer', '=', consumer)
        .on('cursor.uid', '>', afterMetricId),
    )
    .select('anomaly_watermark.uid')
    .where('anomaly_watermark.uid', '>', afterMetricId)
    .where((eb) =>
      eb(
        'anomaly_watermark.scored_rowid',
        '>',
        eb.fn.coalesce(
          'cursor.rowid',
          eb
            .selectFrom('generation')
            .select((inner) => inner('generation.start_rowid', '-', 1).as('before_start'))
            .whereRef('generation.uid', '=', 'anomaly_watermark.uid')
            .whereRef('generation.generation', '=', 'anomaly_watermark.generation'),
        ),
      ),
    )
    .$if(within !== null, (metrics) => metrics.where((eb) => inPartitions(eb, within ?? [])))
    .orderBy('anomaly_watermark.uid')
    .limit(limit)
    .execute();
  return rows.map((row) => row.uid);
}

/** Whether the metric of a watermark is in one of the partitions. */
function inPartitions(
  eb: ExpressionBuilder<Schema, 'anomaly_watermark'>,
  partitions: readonly number[],
): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('metric')
      .select('metric.uid')
      .whereRef('metric.uid', '=', 'anomaly_watermark.uid')
      .where('metric.partition', 'in', partitions),
  );
}

/** See `Catalogue.metricsToActivate`. */
export async function metricsToActivate(db: Db, afterMetricId: string, limit: number): Promise<string[]> {
  const rows = await generationsWithEnoughRows(db)
    .where('generation.uid', '>', afterMetricId)
    .where('metric.uid', '>', afterMetricId)
    .limit(limit)
    .execute();
  return rows.map((row) => row.uid);
}

/** See `Catalogue.metricsToClear`. */
export async function metricsToClear(db: Db, limit: number): Promise<string[]> {
  const rows = await db.selectFrom('result_clearing').select('uid').orderBy('uid').limit(limit).execute();
  return rows.map((row) => row.uid);
}
