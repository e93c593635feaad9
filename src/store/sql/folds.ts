import { nextStatus, statusesBefore, type MetricStatus } from '../../metric.ts';
import type {
  AnomalyScoreSlice,
  CursorMove,
  Fold,
  FoldOutcome,
  ModelFailure,
  RawScoreSlice,
} from '../log.ts';
import type { Stage } from '../leases.ts';
import { checkFinite, checkInteger, checkLengths, MAX_ROWID, MAX_ROWS } from './bounds.ts';
import { changeStatus } from './metrics.ts';
import { keepEvent } from './outbox.ts';
import { prepared } from './prepared.ts';
import { keepSpans } from './spans.ts';
import type { Attempt, Db, SqlDialect } from './session.ts';

/** Thrown inside a transaction that must leave nothing behind; the caller is told the reason. */
export class FoldRefused extends Error {
  readonly reason: NonNullable<FoldOutcome['refused']>;

  constructor(reason: NonNullable<FoldOutcome['refused']>) {
    super(`refused: ${reason}`);
    this.reason = reason;
  }
}

/** T1: see `Log.recordRawScores`. */
export async function recordRawScores(
  db: Db,
  dialect: SqlDialect,
  slice: RawScoreSlice,
  attempt: Attempt,
): Promise<void> {
  const { status } = await guard(db, 'scheduler', slice);
  if (!RUNNING.includes(status)) throw new FoldRefused('generation');
  const { numAffectedRows } = await moveProcessedRowid(db, slice);
  if (numAffectedRows !== 1n) {
    const { rows } = await processedRowid(db, slice);
    refuseUnlessLanded(slice, attempt, rows[0]?.processed_rowid);
    return;
  }
  const { rows: unseen } = await unseenCommand(db, slice);
  if (unseen.length > 0) throw new FoldRefused('command');
  const { metricId, rowids, rawScores, predictions } = slice;
  const found = await dialect.bulk.setRawScores(db, metricId, rowids, rawScores, predictions);
  checkFound(slice, found);
  if (slice.modelBuilt && nextStatus(status, 'modelBuilt') !== null) {
    await changeStatus(db, metricId, 'modelBuilt');
    await keepEvent(db, 'built', metricId);
  }
}

/** T2: see `Log.recordAnomalyScores`. */
export async function recordAnomalyScores(
  db: Db,
  dialect: SqlDialect,
  slice: AnomalyScoreSlice,
  attempt: Attempt,
): Promise<void> {
  await guard(db, 'anomaly', slice);
  const { numAffectedRows } = await moveScoredRowid(db, slice);
  if (numAffectedRows !== 1n) {
    const { rows } = await scoredRowid(db, slice);
    refuseUnlessLanded(slice, attempt, rows[0]?.scored_rowid);
    return;
  }
  const { metricId, rowids, anomalyScores, displayValues } = slice;
  await keepSpans(db, slice, slice.spans);
  checkFound(slice, await dialect.bulk.setAnomalyScores(db, metricId, rowids, anomalyScores, displayValues));
}

/** T3: see `Log.advanceCursor`. */
export async function advanceCursor(db: Db, move: CursorMove, attempt: Attempt): Promise<void> {
  const { startRowid } = await guard(db, 'publishing', move);
  const { rows } = await findCursor(db, move);
  const [cursor] = rows;
  const from = cursor?.rowid ?? startRowid - 1;
  if (from !== move.from) {
    refuseUnlessLanded(move, attempt, from);
    return;
  }
  await (cursor === undefined ? insertCursor(db, move) : moveCursor(db, move));
}

/** See `Log.failModel`. */
export async function failModel(db: Db, failure: ModelFailure): Promise<void> {
  await guard(db, 'scheduler', failure);
  const failed = await changeStatus(db, failure.metricId, 'fail', failure.message);
  if (!failed) throw new FoldRefused('generation');
  await keepEvent(db, 'failed', failure.metricId, failure.message);
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
  const { rows } = await openGeneration(db, { metricId, generation, stage });
  const [present] = rows;
  if (present === undefined || present.start_rowid === null) throw new FoldRefused('generation');
  if (present.epoch !== epoch) throw new FoldRefused('epoch');
  return { status: present.status, startRowid: present.start_rowid };
}

/** The watermark is not where the fold started: refused, unless it was this fold that moved it. */
function refuseUnlessLanded({ to }: Fold, { mayHaveLanded }: Attempt, watermark: number | undefined): void {
  if (!mayHaveLanded || watermark !== to) throw new FoldRefused('watermark');
}

const openGeneration = prepared((db, args: { metricId: string; generation: number; stage: Stage }) =>
  db
    .selectFrom('generation')
    .innerJoin('metric', 'metric.uid', 'generation.uid')
    .leftJoin('lease', (join) =>
      join.onRef('lease.partition', '=', 'metric.partition').on('lease.stage', '=', args.stage),
    )
    .select(['metric.status', 'lease.epoch', 'generation.start_rowid'])
    .where('generation.uid', '=', args.metricId)
    .where('generation.generation', '=', args.generation)
    .where('generation.state', '=', 'open'),
);

const moveProcessedRowid = prepared((db, slice: RawScoreSlice) =>
  db
    .updateTable('scheduler_watermark')
    .set({ processed_rowid: slice.to, command_sequence: slice.commandSequence })
    .where('uid', '=', slice.metricId)
    .where('processed_rowid', '=', slice.from),
);

const processedRowid = prepared((db, { metricId }: Pick<Fold, 'metricId'>) =>
  db.selectFrom('scheduler_watermark').select('processed_rowid').where('uid', '=', metricId),
);

const scoredRowid = prepared((db, { metricId }: Pick<Fold, 'metricId'>) =>
  db.selectFrom('anomaly_watermark').select('scored_rowid').where('uid', '=', metricId),
);

const unseenCommand = prepared((db, slice: RawScoreSlice) =>
  db
    .selectFrom('model_command')
    .select('sequence')
    .where('uid', '=', slice.metricId)
    .where('generation', '=', slice.generation)
    .where('sequence', '>', slice.commandSequence)
    .where('after_rowid', '<', slice.to)
    .limit(1),
);

const moveScoredRowid = prepared((db, slice: AnomalyScoreSlice) =>
  db
    .updateTable('anomaly_watermark')
    .set({ scored_rowid: slice.to, state: slice.state, bars: slice.bars })
    .where('uid', '=', slice.metricId)
    .where('scored_rowid', '=', slice.from),
);

const findCursor = prepared((db, move: CursorMove) =>
  db
    .selectFrom('cursor')
    .select('rowid')
    .where('uid', '=', move.metricId)
    .where('consumer', '=', move.consumer),
);

const insertCursor = prepared((db, move: CursorMove) =>
  db.insertInto('cursor').values({
    consumer: move.consumer,
    uid: move.metricId,
    generation: move.generation,
    rowid: move.to,
  }),
);

const moveCursor = prepared((db, move: CursorMove) =>
  db
    .updateTable('cursor')
    .set({ rowid: move.to })
    .where('uid', '=', move.metricId)
    .where('consumer', '=', move.consumer),
);

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
