import type { LikelihoodConstants } from '../../generation.ts';
import { CUSTOM_DATASOURCE, MetricStatus } from '../../metric.ts';
import type { DroppedCursor, Keeper, PurgeOutcome, PurgeRequest } from '../retention.ts';
import type { Db, SqlDialect } from './session.ts';

/** How far a rule lets rows go, and which rule that is. */
export interface Bound {
  /** Rows up to this one may go as far as the rule is concerned. */
  readonly rowid: number;
  readonly keeper: Keeper;
}

/** Saved models that must be past a row: the newest, and the one that is loaded if that is damaged. */
const CHECKPOINTS = 2;

/** See `Retention.purgeRows`. */
export async function purgeRows(db: Db, dialect: SqlDialect, request: PurgeRequest): Promise<PurgeOutcome> {
  const { metricId, olderThan, limit } = request;
  const marks = await lockWatermarks(db, dialect, metricId);
  const metric = await db
    .selectFrom('metric')
    .select(['status', 'last_rowid'])
    .where('uid', '=', metricId)
    .where('datasource', '=', CUSTOM_DATASOURCE)
    .executeTakeFirst();
  if (metric === undefined) return kept(null);
  const old = await oldRows(db, metricId, olderThan, limit);
  const [oldest] = old;
  const newest = old.at(-1);
  if (oldest === undefined || newest === undefined) return kept(null);
  if (metric.status === MetricStatus.PENDING_DATA || (marks?.generation ?? null) !== request.generation) {
    return kept('state');
  }
  let bounds: Bound[] = [{ rowid: metric.last_rowid - 1, keeper: 'last_row' }];
  let droppedCursors: DroppedCursor[] = [];
  if (marks !== null) {
    bounds = [...bounds, ...modelBounds(marks, request), await likelihoodBound(db, metricId, marks, oldest)];
    const free = Math.min(newest, ...bounds.map(({ rowid }) => rowid));
    // A cursor that stands where nothing could be purged anyway is in nobody's way.
    const cursors = free < oldest ? [] : await cursorsInTheWay(db, request, free);
    droppedCursors = await dropIdle(db, dialect, request, cursors);
    const standing = cursors.filter(({ consumer }) => !isAmong(droppedCursors, consumer));
    bounds.push(...standing.map(({ rowid }): Bound => ({ rowid, keeper: 'cursor' })));
  }
  const lowest = bounds.reduce((least, bound) => (bound.rowid < least.rowid ? bound : least));
  const last = Math.min(newest, lowest.rowid);
  if (last >= oldest) {
    await db.deleteFrom('metric_data').where('uid', '=', metricId).where('rowid', '<=', last).execute();
  }
  const purgedRows = Math.max(0, last - oldest + 1);
  return {
    purgedRows,
    keptBy: lowest.rowid < newest ? lowest.keeper : null,
    limitReached: purgedRows === limit,
    droppedCursors,
  };
}

function kept(keptBy: Keeper | null): PurgeOutcome {
  return { purgedRows: 0, keptBy, limitReached: false, droppedCursors: [] };
}

export interface Watermarks {
  readonly generation: number;
  readonly startRowid: number;
  readonly likelihood: LikelihoodConstants;
  readonly processedRowid: number;
  readonly scoredRowid: number;
}

/** Locked, they stand still, and no generation opens or closes, until this transaction ends. Null without an open generation. */
export async function lockWatermarks(
  db: Db,
  dialect: SqlDialect,
  metricId: string,
): Promise<Watermarks | null> {
  const scheduler = await db
    .selectFrom('scheduler_watermark')
    .select(['generation', 'processed_rowid'])
    .where('uid', '=', metricId)
    .$if(dialect.locksRows, (query) => query.forUpdate())
    .executeTakeFirst();
  const anomaly = await db
    .selectFrom('anomaly_watermark')
    .select('scored_rowid')
    .where('uid', '=', metricId)
    .$if(dialect.locksRows, (query) => query.forUpdate())
    .executeTakeFirst();
  if (scheduler === undefined || anomaly === undefined) return null;
  const { start_rowid, likelihood } = await db
    .selectFrom('generation')
    .select(['start_rowid', 'likelihood'])
    .where('uid', '=', metricId)
    .where('generation', '=', scheduler.generation)
    .executeTakeFirstOrThrow();
  return {
    generation: scheduler.generation,
    startRowid: start_rowid ?? 1,
    likelihood: JSON.parse(likelihood) as LikelihoodConstants,
    processedRowid: scheduler.processed_rowid,
    scoredRowid: anomaly.scored_rowid,
  };
}

/** The rowids of the oldest rows, ascending, as far as they are too old. */
async function oldRows(db: Db, metricId: string, olderThan: number, limit: number): Promise<number[]> {
  const rows = await db
    .selectFrom('metric_data')
    .select(['rowid', 'timestamp'])
    .where('uid', '=', metricId)
    .orderBy('rowid')
    .limit(limit)
    .execute();
  return rows.filter(({ timestamp }) => timestamp < olderThan).map(({ rowid }) => rowid);
}

export function modelBounds(
  marks: Watermarks,
  { checkpointRowids }: Pick<PurgeRequest, 'checkpointRowids'>,
): Bound[] {
  const usable = checkpointRowids
    .filter((rowid) => rowid <= marks.processedRowid)
    .sort((a, b) => b - a)
    .slice(0, CHECKPOINTS);
  const older = usable.length < CHECKPOINTS ? 0 : (usable.at(-1) ?? 0);
  return [
    { rowid: Math.min(marks.processedRowid, marks.scoredRowid), keeper: 'scoring' },
    { rowid: older, keeper: 'checkpoints' },
  ];
}

/** The next fit looks back over the last rows that have scores, however many rows without lie between them. */
export async function likelihoodBound(
  db: Db,
  metricId: string,
  { scoredRowid, startRowid, likelihood }: Watermarks,
  oldest: number,
): Promise<Bound> {
  const { historicWindowSize } = likelihood;
  const keeper = 'likelihood';
  const atMost = scoredRowid - historicWindowSize;
  // Rows without scores only make the window reach back further: spares most metrics a look at all of it.
  if (atMost < oldest) return { rowid: atMost, keeper };
  const first = await db
    .selectFrom('metric_data')
    .select('rowid')
    .where('uid', '=', metricId)
    .where('rowid', '<=', scoredRowid)
    .where('raw_anomaly_score', 'is not', null)
    .orderBy('rowid', 'desc')
    .offset(historicWindowSize - 1)
    .limit(1)
    .executeTakeFirst();
  return { rowid: (first?.rowid ?? startRowid) - 1, keeper };
}

interface CursorInTheWay {
  readonly consumer: string;
  readonly generation: number;
  readonly rowid: number;
}

/** Cursors before row `free`, up to which rows could be purged otherwise. */
function cursorsInTheWay(db: Db, { metricId }: PurgeRequest, free: number): Promise<CursorInTheWay[]> {
  return db
    .selectFrom('cursor')
    .select(['consumer', 'generation', 'rowid'])
    .where('uid', '=', metricId)
    .where('rowid', '<', free)
    .orderBy('consumer')
    .execute();
}

/** Drops those that have been in the way at the same row for too long; notes since when the others are. */
async function dropIdle(
  db: Db,
  dialect: SqlDialect,
  { metricId, now, cursorIdleSeconds }: PurgeRequest,
  cursors: readonly CursorInTheWay[],
): Promise<DroppedCursor[]> {
  if (cursors.length === 0) return [];
  const known = await db.selectFrom('stalled_cursor').selectAll().where('uid', '=', metricId).execute();
  const dropped: DroppedCursor[] = [];
  for (const { consumer, generation, rowid } of cursors) {
    const before = known.find((stalled) => stalled.consumer === consumer);
    const stands = before?.generation === generation && before.rowid === rowid;
    if (before !== undefined && stands && now - before.since < cursorIdleSeconds) continue;
    await db
      .deleteFrom('stalled_cursor')
      .where('uid', '=', metricId)
      .where('consumer', '=', consumer)
      .execute();
    if (stands) {
      await db.deleteFrom('cursor').where('uid', '=', metricId).where('consumer', '=', consumer).execute();
      dropped.push({ consumer, rowid });
    } else {
      await db
        .insertInto('stalled_cursor')
        .values({ uid: metricId, consumer, generation, rowid, since: dialect.time(now) as number }) // as the column's driver takes it
        .execute();
    }
  }
  return dropped;
}

function isAmong(dropped: readonly DroppedCursor[], consumer: string): boolean {
  return dropped.some((cursor) => cursor.consumer === consumer);
}
