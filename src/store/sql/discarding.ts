import { HtmEngineError } from '../../errors.ts';
import { MetricStatus } from '../../metric.ts';
import { firstRowid } from './row-times.ts';
import { requireMetric } from './metrics.ts';
import { DISCARDED_DATASOURCE } from './schema.ts';
import type { Db } from './session.ts';

/** See `Catalogue.discardMetric`. */
export async function discardMetric(db: Db, metricId: string): Promise<void> {
  const metric = await requireMetric(db, metricId);
  if (metric.status !== MetricStatus.UNMONITORED) {
    throw new HtmEngineError(
      'metric_status_changed',
      `metric ${metric.name} is monitored: unmonitor it before it is deleted`,
      { metricId, status: metric.status },
    );
  }
  await db
    .updateTable('metric')
    .set({ datasource: DISCARDED_DATASOURCE, name: metricId })
    .where('uid', '=', metricId)
    .execute();
  // Its rows go whole; nobody needs to clear them first.
  await db.deleteFrom('result_clearing').where('uid', '=', metricId).execute();
}

/** See `Catalogue.removeDiscarded`. */
export async function removeDiscarded(db: Db, limit: number): Promise<boolean> {
  for (let allowed = limit; allowed > 0;) {
    const metric = await db
      .selectFrom('metric')
      .select(['uid', 'last_rowid'])
      .where('datasource', '=', DISCARDED_DATASOURCE)
      .orderBy('name')
      .limit(1)
      .executeTakeFirst();
    if (metric === undefined) return false;
    const first = await firstRowid(db, metric.uid);
    if (first !== null) {
      const last = Math.min(first + allowed - 1, metric.last_rowid);
      await db.deleteFrom('metric_data').where('uid', '=', metric.uid).where('rowid', '<=', last).execute();
      allowed -= last - first + 1;
      if (last < metric.last_rowid) return true;
    } else {
      allowed -= 1;
    }
    await db.deleteFrom('metric').where('uid', '=', metric.uid).execute();
  }
  return true;
}
