import { HtmEngineError } from '../../errors.ts';
import type { GenerationRequest } from '../../generation.ts';
import { MetricStatus, type MetricEvent } from '../../metric.ts';
import { generationRow, givenRange, openGeneration, rangeOfRows } from './generations.ts';
import { firstRowid } from './row-times.ts';
import { leftOutTimes } from '../../model-command.ts';
import { commandsOf } from './commands.ts';
import { changeStatus, requireMetric } from './metrics.ts';
import { keepEvent } from './outbox.ts';
import type { Attempt, Db } from './session.ts';
import { endSpans } from './spans.ts';

/** See `Catalogue.monitor`. */
export async function monitor(
  db: Db,
  metricId: string,
  request: GenerationRequest,
  { mayHaveLanded }: Attempt,
): Promise<MetricStatus> {
  const metric = await requireMetric(db, metricId);
  if (metric.status !== MetricStatus.UNMONITORED) {
    if (mayHaveLanded && (await isMonitoredBy(db, metricId, request))) return metric.status;
    throw new HtmEngineError('metric_already_monitored', `metric ${metric.name} is already monitored`, {
      metricId,
    });
  }
  if (await isClearing(db, metricId)) throw stillClearing(metric);
  const pending = generationRow(
    metricId,
    await nextGenerationNumber(db, metricId),
    request,
    metric.last_rowid,
  );
  await db.insertInto('generation').values(pending).execute();
  await db
    .updateTable('metric')
    .set({ parameters: request.spec, ...(request.resource !== null && { server: request.resource }) })
    .where('uid', '=', metricId)
    .execute();
  const first = await firstRowid(db, metricId);
  const rows = first === null ? 0 : metric.last_rowid - first + 1;
  const needsRows = request.range === null && request.resolutionPath !== null;
  if (needsRows && rows < request.minimumRows) {
    await change(db, metricId, 'awaitData');
    return MetricStatus.PENDING_DATA;
  }
  const range = needsRows ? await rangeOfRows(db, metricId, metric.last_rowid) : request.range;
  await openGeneration(db, pending, range, first ?? metric.last_rowid + 1);
  await change(db, metricId, 'monitor');
  return MetricStatus.CREATE_PENDING;
}

/** See `Catalogue.activate`. */
export async function activate(
  db: Db,
  metricId: string,
  rows: 'firstRows' | 'allRows',
): Promise<MetricStatus> {
  const metric = await requireMetric(db, metricId);
  if (metric.status !== MetricStatus.PENDING_DATA) return metric.status;
  const pending = await db
    .selectFrom('generation')
    .selectAll()
    .where('uid', '=', metricId)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  if (await isClearing(db, metricId)) {
    if (rows === 'firstRows') return metric.status;
    throw stillClearing(metric);
  }
  const first = await firstRowid(db, metricId);
  const given = givenRange(pending);
  // Parameters that came complete need no range.
  if (given !== null || pending.resolution_path === null) {
    await openGeneration(db, pending, given, first ?? metric.last_rowid + 1);
    await change(db, metricId, 'activate');
    return MetricStatus.CREATE_PENDING;
  }
  if (rows === 'firstRows') {
    if (first === null || metric.last_rowid - first + 1 < pending.minimum_rows) return metric.status;
  } else if (first === null) {
    throw new HtmEngineError(
      'statistics_not_ready',
      `metric ${metric.name} has no rows yet from which its range could be estimated: send some first`,
      { metricId },
    );
  }
  const lastUsed = rows === 'firstRows' ? first + pending.minimum_rows - 1 : metric.last_rowid;
  const leftOut = leftOutTimes(await commandsOf(db, metricId, pending.generation));
  const range = await rangeOfRows(db, metricId, lastUsed, leftOut);
  await openGeneration(db, pending, range, first);
  await change(db, metricId, 'activate');
  return MetricStatus.CREATE_PENDING;
}

/** See `Catalogue.unmonitor`. */
export async function unmonitor(db: Db, metricId: string): Promise<boolean> {
  await requireMetric(db, metricId);
  if (!(await changeStatus(db, metricId, 'unmonitor'))) return false;
  await db
    .updateTable('metric')
    .set({ parameters: null, model_params: null })
    .where('uid', '=', metricId)
    .execute();
  await closeGeneration(db, metricId);
  return true;
}

/** Ends the pending or open generation: its watermarks and cursors go, its open span ends, its results are noted for clearing. */
export async function closeGeneration(db: Db, metricId: string): Promise<void> {
  await keepEvent(db, 'deleted', metricId);
  await rememberResults(db, metricId);
  await db
    .updateTable('generation')
    .set({ state: 'closed' })
    .where('uid', '=', metricId)
    .where('state', '!=', 'closed')
    .execute();
  await db.deleteFrom('scheduler_watermark').where('uid', '=', metricId).execute();
  await db.deleteFrom('anomaly_watermark').where('uid', '=', metricId).execute();
  await db.deleteFrom('cursor').where('uid', '=', metricId).execute();
  await endSpans(db, metricId);
  await db.deleteFrom('stalled_cursor').where('uid', '=', metricId).execute();
}

/** See `Catalogue.clearResults`. */
export async function clearResults(db: Db, metricId: string, limit: number): Promise<boolean> {
  const left = await db
    .selectFrom('result_clearing')
    .select(['next_rowid', 'through_rowid'])
    .where('uid', '=', metricId)
    .executeTakeFirst();
  if (left === undefined) return false;
  const last = Math.min(left.next_rowid + limit - 1, left.through_rowid);
  await db
    .updateTable('metric_data')
    .set({
      raw_anomaly_score: null,
      anomaly_score: null,
      display_value: null,
      multi_step_best_predictions: null,
    })
    .where('uid', '=', metricId)
    .where('rowid', '>=', left.next_rowid)
    .where('rowid', '<=', last)
    .execute();
  if (last === left.through_rowid) {
    await db.deleteFrom('result_clearing').where('uid', '=', metricId).execute();
    return false;
  }
  await db
    .updateTable('result_clearing')
    .set({ next_rowid: last + 1 })
    .where('uid', '=', metricId)
    .execute();
  return true;
}

/** Whether the generation that is not closed was asked for in these words. */
async function isMonitoredBy(db: Db, metricId: string, request: GenerationRequest): Promise<boolean> {
  const present = await db
    .selectFrom('generation')
    .select('spec')
    .where('uid', '=', metricId)
    .where('state', '!=', 'closed')
    .executeTakeFirst();
  return present?.spec === request.spec;
}

async function change(db: Db, metricId: string, event: MetricEvent): Promise<void> {
  if (await changeStatus(db, metricId, event)) return;
  throw new Error(`metric ${metricId} changed its state inside a transaction`);
}

/** Whether old results wait to be cleared: new scores must never stand beside those of an older generation. */
async function isClearing(db: Db, metricId: string): Promise<boolean> {
  const clearing = await db
    .selectFrom('result_clearing')
    .select('uid')
    .where('uid', '=', metricId)
    .executeTakeFirst();
  return clearing !== undefined;
}

function stillClearing(metric: {
  readonly uid: string;
  readonly name: string;
  readonly status: MetricStatus;
}): HtmEngineError {
  return new HtmEngineError(
    'metric_status_changed',
    `the old results of metric ${metric.name} are still being cleared: try again in a moment`,
    { metricId: metric.uid, status: metric.status },
  );
}

/** The number of the metric's next generation; none is given twice. */
export async function nextGenerationNumber(db: Db, metricId: string): Promise<number> {
  const last = await db
    .selectFrom('generation')
    .select('generation')
    .where('uid', '=', metricId)
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst();
  return (last?.generation ?? 0) + 1;
}

/** Notes which rows carry results of the generation that is about to be closed. */
async function rememberResults(db: Db, metricId: string): Promise<void> {
  const open = await db
    .selectFrom('generation')
    .innerJoin('scheduler_watermark', 'scheduler_watermark.uid', 'generation.uid')
    .select(['generation.start_rowid', 'scheduler_watermark.processed_rowid'])
    .where('generation.uid', '=', metricId)
    .where('generation.state', '=', 'open')
    .executeTakeFirst();
  if (open === undefined || open.start_rowid === null || open.processed_rowid < open.start_rowid) return;
  await db
    .insertInto('result_clearing')
    .values({ uid: metricId, next_rowid: open.start_rowid, through_rowid: open.processed_rowid })
    .execute();
}
