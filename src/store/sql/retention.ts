import { CUSTOM_DATASOURCE, MetricStatus } from '../../metric.ts';
import {
  type DeletionOutcome,
  KEEP_FOR_EVER,
  type PurgeOutcome,
  type PurgeRequest,
  type RetainedMetric,
  type Retention,
  type RowDeletion,
} from '../retention.ts';
import { checkInteger, checkLimit, MAX_ROWID } from './bounds.ts';
import { checkTimes } from './commands.ts';
import { deleteRows } from './deleting.ts';
import { checkRequest } from './generations.ts';
import { requireMetric } from './metrics.ts';
import { purgeRows } from './purging.ts';
import type { Session, SqlDialect } from './session.ts';

/** Retention in an SQL database. */
export class SqlRetention implements Retention {
  readonly #session: Session;
  readonly #dialect: SqlDialect;

  constructor(session: Session, dialect: SqlDialect) {
    this.#session = session;
    this.#dialect = dialect;
  }

  async listRetained(afterMetricId: string, limit: number): Promise<RetainedMetric[]> {
    checkLimit(limit);
    return this.#session.query((db) =>
      db
        .selectFrom('metric')
        .innerJoin('metric_data as oldest', (join) =>
          join.onRef('oldest.uid', '=', 'metric.uid').on((eb) =>
            eb(
              'oldest.rowid',
              '=',
              eb
                .selectFrom('metric_data')
                .select((inner) => inner.fn.min('metric_data.rowid').as('first'))
                .whereRef('metric_data.uid', '=', 'metric.uid'),
            ),
          ),
        )
        .leftJoin('metric_retention', 'metric_retention.uid', 'metric.uid')
        .leftJoin('scheduler_watermark', 'scheduler_watermark.uid', 'metric.uid')
        .select((eb) => [
          'metric.uid as metricId',
          'metric.name',
          'oldest.timestamp as firstTimestamp',
          eb(eb('metric.last_rowid', '-', eb.ref('oldest.rowid')), '+', 1)
            .$castTo<number>()
            .as('rows'),
          'metric_retention.max_age_seconds as maxAgeSeconds',
          'scheduler_watermark.generation',
        ])
        .where('metric.datasource', '=', CUSTOM_DATASOURCE)
        .where('metric.status', '!=', MetricStatus.PENDING_DATA)
        .where('metric.uid', '>', afterMetricId)
        .orderBy('metric.uid')
        .limit(limit)
        .execute(),
    );
  }

  async purgeRows(request: PurgeRequest): Promise<PurgeOutcome> {
    checkLimit(request.limit);
    return this.#session.write((db) => purgeRows(db, this.#dialect, request));
  }

  async deleteRows(deletion: RowDeletion): Promise<DeletionOutcome> {
    checkTimes(deletion.times);
    if (deletion.relearn !== null) checkRequest(deletion.relearn);
    return this.#session.write((db) => deleteRows(db, this.#dialect, deletion));
  }

  async setMaxAge(metricId: string, maxAgeSeconds: number | null): Promise<void> {
    if (maxAgeSeconds !== null) checkInteger('maxAgeSeconds', maxAgeSeconds, KEEP_FOR_EVER, MAX_ROWID);
    await this.#session.write(async (db) => {
      await requireMetric(db, metricId);
      await db.deleteFrom('metric_retention').where('uid', '=', metricId).execute();
      if (maxAgeSeconds === null) return;
      await db
        .insertInto('metric_retention')
        .values({ uid: metricId, max_age_seconds: maxAgeSeconds })
        .execute();
    });
  }

  maxAge(metricId: string): Promise<number | null> {
    return this.#session.query(async (db) => {
      const row = await db
        .selectFrom('metric_retention')
        .select('max_age_seconds')
        .where('uid', '=', metricId)
        .executeTakeFirst();
      return row?.max_age_seconds ?? null;
    });
  }
}
