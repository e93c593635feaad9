import type { TimeRange } from '../../metric.ts';
import type { Db } from './session.ts';

/**
 * The lowest rowid whose time is not before `timestamp`, or one past the last. Times ascend with rowids, so halving
 * the range of rowids finds it by the primary key; an index on times would cost every insertion.
 */
export async function firstRowidAt(db: Db, metricId: string, timestamp: number): Promise<number> {
  const first = await firstRowid(db, metricId);
  if (first === null) return 1;
  const { last_rowid: last } = await db
    .selectFrom('metric')
    .select('last_rowid')
    .where('uid', '=', metricId)
    .executeTakeFirstOrThrow();
  let low = first;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await db
      .selectFrom('metric_data')
      .select('timestamp')
      .where('uid', '=', metricId)
      .where('rowid', '=', middle)
      .executeTakeFirstOrThrow();
    if (row.timestamp < timestamp) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The rowids of the rows of a time: from `first` up to, not including, `end`; none if they are equal. */
export async function rowidsOf(
  db: Db,
  metricId: string,
  { fromTimestamp, toTimestamp }: TimeRange,
): Promise<{ readonly first: number; readonly end: number }> {
  const first = await firstRowidAt(db, metricId, fromTimestamp);
  return { first, end: await firstRowidAt(db, metricId, toTimestamp + 1) };
}

/** The lowest stored rowid of a metric, or null without rows. */
export async function firstRowid(db: Db, metricId: string): Promise<number | null> {
  const row = await db
    .selectFrom('metric_data')
    .select('rowid')
    .where('uid', '=', metricId)
    .orderBy('rowid')
    .limit(1)
    .executeTakeFirst();
  return row?.rowid ?? null;
}
