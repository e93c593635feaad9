import { statusesBefore, type MetricStatus } from '../../metric.ts';
import type {
  AnomalyScoreSlice,
  CursorMove,
  Fold,
  FoldOutcome,
  ModelFailure,
  RawScoreSlice,
} from '../log.ts';
import { checkFinite, checkInteger, checkLengths, MAX_ROWID, MAX_ROWS } from './bounds.ts';
import { changeStatus } from './metrics.ts';
import type { Stage } from './schema.ts';
import type { Db, SqlDialect } from './session.ts';

/** Thrown inside a transaction that must leave nothing behind; the caller is told the reason. */
export class FoldRefused extends Error {
  readonly reason: NonNullable<FoldOutcome['refused']>;

  constructor(reason: NonNullable<FoldOutcome['refused']>) {
    super(`refused: ${reason}`);
    this.reason = reason;
  }
}

/** T1: see `Log.recordRawScores`. */
export async function recordRawScores(db: Db, dialect: SqlDialect, slice: RawScoreSlice): Promise<void> {
  const { status } = await guard(db, 'scheduler', slice);
  if (!RUNNING.includes(status)) throw new FoldRefused('generation');
  const { numUpdatedRows } = await db
    .updateTable('scheduler_watermark')
    .set({ processed_rowid: slice.to, command_sequence: slice.commandSequence })
    .where('uid', '=', slice.metricId)
    .where('processed_rowid', '=', slice.from)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new FoldRefused('watermark');
  await refuseUnseenCommand(db, slice);
  const { metricId, rowids, rawScores, predictions } = slice;
  const found = await dialect.bulk.setRawScores(db, metricId, rowids, rawScores, predictions);
  checkFound(slice, found);
  if (slice.modelBuilt) await changeStatus(db, metricId, 'modelBuilt');
}

/** T2: see `Log.recordAnomalyScores`. */
export async function recordAnomalyScores(
  db: Db,
  dialect: SqlDialect,
  slice: AnomalyScoreSlice,
): Promise<void> {
  await guard(db, 'anomaly', slice);
  const { numUpdatedRows } = await db
    .updateTable('anomaly_watermark')
    .set({ scored_rowid: slice.to, state: slice.state })
    .where('uid', '=', slice.metricId)
    .where('scored_rowid', '=', slice.from)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new FoldRefused('watermark');
  const { metricId, rowids, anomalyScores, displayValues } = slice;
  checkFound(slice, await dialect.bulk.setAnomalyScores(db, metricId, rowids, anomalyScores, displayValues));
}

/** T3: see `Log.advanceCursor`. */
export async function advanceCursor(db: Db, move: CursorMove): Promise<void> {
  const { startRowid } = await guard(db, 'publishing', move);
  const { consumer, metricId: uid, generation, from, to } = move;
  const cursor = await db
    .selectFrom('cursor')
    .select('rowid')
    .where('uid', '=', uid)
    .where('consumer', '=', consumer)
    .executeTakeFirst();
  if ((cursor?.rowid ?? startRowid - 1) !== from) throw new FoldRefused('watermark');
  if (cursor === undefined) {
    await db.insertInto('cursor').values({ consumer, uid, generation, rowid: to }).execute();
  } else {
    await db
      .updateTable('cursor')
      .set({ rowid: to })
      .where('uid', '=', uid)
      .where('consumer', '=', consumer)
      .execute();
  }
}

/** See `Log.failModel`. */
export async function failModel(db: Db, failure: ModelFailure): Promise<void> {
  await guard(db, 'scheduler', failure);
  const failed = await changeStatus(db, failure.metricId, 'fail', failure.message);
  if (!failed) throw new FoldRefused('generation');
}

/** @throws RangeError if the slice contradicts itself. */
export function checkRawScoreSlice(slice: RawScoreSlice): void {
  const { rowids, rawScores, predictions = rowids, commandSequence } = slice;
  checkFold(slice);
  checkRowids(slice, rowids);
  checkLengths(rowids.length, { rawScores, predictions });
  checkFinite('a raw score', rawScores);
  checkInteger('commandSequence', commandSequence, 0, MAX_ROWID);
}

/** @throws RangeError if the slice contradicts itself. */
export function checkAnomalyScoreSlice(slice: AnomalyScoreSlice): void {
  const { rowids, anomalyScores, displayValues } = slice;
  checkFold(slice);
  checkRowids(slice, rowids);
  checkLengths(rowids.length, { anomalyScores, displayValues });
  checkFinite('an anomaly score', anomalyScores);
}

/** @throws RangeError if `from` or `to` is no rowid or they are the wrong way round. */
export function checkFold({ from, to }: Fold): void {
  checkInteger('from', from, 0, MAX_ROWID);
  checkInteger('to', to, from, MAX_ROWID);
}

/** The states in which a metric's model runs. */
export const RUNNING: readonly MetricStatus[] = statusesBefore('fail');

/** What every fold checks first: its generation is the open one, and nobody has taken the stage's lease since. */
async function guard(
  db: Db,
  stage: Stage,
  { metricId, generation, epoch }: Pick<Fold, 'metricId' | 'generation' | 'epoch'>,
): Promise<{ status: MetricStatus; startRowid: number }> {
  const present = await db
    .selectFrom('generation')
    .innerJoin('metric', 'metric.uid', 'generation.uid')
    .leftJoin('lease', (join) =>
      join.onRef('lease.partition', '=', 'metric.partition').on('lease.stage', '=', stage),
    )
    .select(['metric.status', 'lease.epoch', 'generation.start_rowid'])
    .where('generation.uid', '=', metricId)
    .where('generation.generation', '=', generation)
    .where('generation.state', '=', 'open')
    .executeTakeFirst();
  if (present === undefined || present.start_rowid === null) throw new FoldRefused('generation');
  if (present.epoch !== epoch) throw new FoldRefused('epoch');
  return { status: present.status, startRowid: present.start_rowid };
}

async function refuseUnseenCommand(db: Db, slice: RawScoreSlice): Promise<void> {
  const unseen = await db
    .selectFrom('model_command')
    .select('sequence')
    .where('uid', '=', slice.metricId)
    .where('generation', '=', slice.generation)
    .where('sequence', '>', slice.commandSequence)
    .where('after_rowid', '<', slice.to)
    .limit(1)
    .executeTakeFirst();
  if (unseen !== undefined) throw new FoldRefused('command');
}

function checkRowids({ from, to }: Fold, rowids: Int32Array): void {
  checkInteger('the number of rows of a slice', rowids.length, 0, MAX_ROWS);
  let before = from;
  for (const rowid of rowids) {
    if (rowid <= before || rowid > to) {
      throw new RangeError(
        `the rowids of a slice must ascend within (${from}, ${to}], but ${rowid} follows ${before}`,
      );
    }
    before = rowid;
  }
}

function checkFound({ metricId, rowids }: RawScoreSlice | AnomalyScoreSlice, found: number): void {
  if (found === rowids.length) return;
  throw new RangeError(
    `metric ${metricId}: ${rowids.length - found} of the rows in this slice do not exist or wait for the stage before`,
  );
}
