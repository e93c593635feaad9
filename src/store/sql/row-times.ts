import { firstRowid } from './generations.ts';
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
