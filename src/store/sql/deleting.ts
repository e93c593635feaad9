import { sql } from 'kysely';
import { HtmEngineError } from '../../errors.ts';
import { MetricStatus } from '../../metric.ts';
import type { DeletionOutcome, Keeper, RowDeletion } from '../retention.ts';
import { requireMetric } from './metrics.ts';
import { type Bound, likelihoodBound, lockWatermarks, modelBounds } from './purging.ts';
import { askAnew, beginAnew, leftOut, presentGeneration } from './restarting.ts';
import { firstRowid, rowidsOf } from './row-times.ts';
import type { Db, SqlDialect } from './session.ts';

/** Rows that one transaction deletes or moves: others wait for it. */
const MAX_TOUCHED_ROWS = 500_000;

/** Consecutive rows: from `first` up to, not including, `end`. */
interface Rowids {
  readonly first: number;
  readonly end: number;
}

/** See `Retention.deleteRows`. */
export async function deleteRows(
  db: Db,
  dialect: SqlDialect,
  deletion: RowDeletion,
): Promise<DeletionOutcome> {
  const { metricId, times, relearn } = deletion;
  const metric = await requireMetric(db, metricId);
  const rowids = await rowidsOf(db, metricId, times);
  if (rowids.first === rowids.end) return { deletedRows: 0, keptBy: null };
  await refuseTooMany(db, metricId, rowids);
  const outcome = { deletedRows: rowids.end - rowids.first, keptBy: null };
  if (relearn !== null) {
    const kept = await leftOut(db, metricId, await presentGeneration(db, metricId));
    await beginAnew(db, metricId);
    await removeRows(db, deletion, rowids, metric.last_rowid);
    await askAnew(db, metricId, relearn, kept);
    return outcome;
  }
  const keptBy =
    metric.status === MetricStatus.UNMONITORED
      ? null
      : await keeperOf(db, dialect, deletion, rowids, metric.last_rowid);
  if (keptBy !== null) return { deletedRows: 0, keptBy };
  await removeRows(db, deletion, rowids, metric.last_rowid);
  return outcome;
}

async function refuseTooMany(db: Db, metricId: string, { end }: Rowids): Promise<void> {
  const touched = end - ((await firstRowid(db, metricId)) ?? end);
  if (touched <= MAX_TOUCHED_ROWS) return;
  throw new HtmEngineError(
    'invalid_argument',
    `the metric has ${touched} rows up to the end of the interval, and at most ${MAX_TOUCHED_ROWS} are deleted or moved in one go: delete older rows first`,
    { metricId },
  );
}

/** What may still ask for one of the rows of a monitored metric: the rule of retention. */
async function keeperOf(
  db: Db,
  dialect: SqlDialect,
  { metricId, generation, checkpointRowids }: RowDeletion,
  { first, end }: Rowids,
  lastRowid: number,
): Promise<Keeper | null> {
  const marks = await lockWatermarks(db, dialect, metricId);
  if (marks === null || marks.generation !== generation) return 'state';
  const cursors = await db
    .selectFrom('cursor')
    .select('rowid')
    .where('uid', '=', metricId)
    .where('rowid', '<', end - 1)
    .execute();
  const bounds: readonly Bound[] = [
    { rowid: lastRowid - 1, keeper: 'last_row' },
    ...modelBounds(marks, { checkpointRowids }),
    await likelihoodBound(db, metricId, marks, first),
    ...cursors.map(({ rowid }): Bound => ({ rowid, keeper: 'cursor' })),
  ];
  const lowest = bounds.reduce((least, bound) => (bound.rowid < least.rowid ? bound : least));
  return lowest.rowid < end - 1 ? lowest.keeper : null;
}

async function removeRows(
  db: Db,
  { metricId, times }: RowDeletion,
  { first, end }: Rowids,
  lastRowid: number,
): Promise<void> {
  await db
    .deleteFrom('metric_data')
    .where('uid', '=', metricId)
    .where('rowid', '>=', first)
    .where('rowid', '<', end)
    .execute();
  await moveUp(db, metricId, first, end - first);
  await moveClearing(db, metricId, { first, end });
  await db
    .deleteFrom('anomaly_span')
    .where('uid', '=', metricId)
    .where('opened_at', '>=', times.fromTimestamp)
    .where('last_at', '<=', times.toTimestamp)
    .execute();
  if (end <= lastRowid) return;
  await db
    .updateTable('metric')
    .set((eb) => ({
      last_timestamp: eb
        .selectFrom('metric_data')
        .select('metric_data.timestamp')
        .where('metric_data.uid', '=', metricId)
        .where('metric_data.rowid', '=', lastRowid),
    }))
    .where('uid', '=', metricId)
    .execute();
}

/** Adds `rows` to the rowids before `before`. By way of negative ones: each must be unique at every moment. */
async function moveUp(db: Db, metricId: string, before: number, rows: number): Promise<void> {
  await db
    .updateTable('metric_data')
    .set({ rowid: sql<number>`-(${sql.ref('rowid')} + ${rows})` })
    .where('uid', '=', metricId)
    .where('rowid', '<', before)
    .execute();
  await db
    .updateTable('metric_data')
    .set({ rowid: sql<number>`-${sql.ref('rowid')}` })
    .where('uid', '=', metricId)
    .where('rowid', '<', 0)
    .execute();
}

/** The rows whose old results are still to be cleared are others now, or gone. */
async function moveClearing(db: Db, metricId: string, { first, end }: Rowids): Promise<void> {
  const clearing = await db
    .selectFrom('result_clearing')
    .select(['next_rowid', 'through_rowid'])
    .where('uid', '=', metricId)
    .executeTakeFirst();
  if (clearing === undefined) return;
  const { next_rowid: next, through_rowid: through } = clearing;
  const moved = end - first;
  const next_rowid = next < first ? next + moved : Math.max(next, end);
  const through_rowid = through < first ? through + moved : Math.max(through, end - 1);
  if (next_rowid > through_rowid)
    await db.deleteFrom('result_clearing').where('uid', '=', metricId).execute();
  else
    await db
      .updateTable('result_clearing')
      .set({ next_rowid, through_rowid })
      .where('uid', '=', metricId)
      .execute();
}
