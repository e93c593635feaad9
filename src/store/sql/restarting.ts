import { HtmEngineError } from '../../errors.ts';
import type { GenerationRequest, ValueRange } from '../../generation.ts';
import { leftOutTimes } from '../../model-command.ts';
import type { TimeRange } from '../../metric.ts';
import type { Relearning } from '../catalogue.ts';
import { commandsOf, leaveOut } from './commands.ts';
import { generationRow, rangeOfRows } from './generations.ts';
import { changeStatus, requireMetric } from './metrics.ts';
import { closeGeneration, nextGenerationNumber } from './monitoring.ts';
import { firstRowid } from './row-times.ts';
import type { Db } from './session.ts';

/** See `Catalogue.retry`. */
export async function retry(db: Db, metricId: string): Promise<boolean> {
  await requireMetric(db, metricId);
  return changeStatus(db, metricId, 'retry');
}

/** See `Catalogue.relearn`. */
export async function relearn(
  db: Db,
  metricId: string,
  request: GenerationRequest,
  { leaveOut: times, keepLeftOut, generation }: Relearning,
): Promise<boolean> {
  const present = await presentGeneration(db, metricId);
  if (generation !== null && generation !== present) return false;
  const kept = keepLeftOut ? await leftOut(db, metricId, present) : [];
  await beginAnew(db, metricId);
  await askAnew(db, metricId, request, [...kept, ...times]);
  return true;
}

/** The times that the present generation leaves out. */
export async function leftOut(db: Db, metricId: string, generation: number): Promise<TimeRange[]> {
  return leftOutTimes(await commandsOf(db, metricId, generation));
}

/** The generation that is pending or open. @throws metric_not_found, metric_not_monitored */
export async function presentGeneration(db: Db, metricId: string): Promise<number> {
  const metric = await requireMetric(db, metricId);
  const present = await db
    .selectFrom('generation')
    .select('generation')
    .where('uid', '=', metricId)
    .where('state', '!=', 'closed')
    .executeTakeFirst();
  if (present !== undefined) return present.generation;
  throw new HtmEngineError(
    'metric_not_monitored',
    `metric ${JSON.stringify(metric.name)} is not monitored: monitor it first`,
    { metricId, status: metric.status },
  );
}

/** Closes the present generation; `askAnew` follows in the same transaction. */
export async function beginAnew(db: Db, metricId: string): Promise<void> {
  if (!(await changeStatus(db, metricId, 'relearn')))
    throw new Error(`metric ${metricId} has a generation but is in no state from which it may learn anew`);
  await closeGeneration(db, metricId);
}

/** Asks for the next generation, whose range, unless its parameters came complete, is that of the rows there are now. */
export async function askAnew(
  db: Db,
  metricId: string,
  request: GenerationRequest,
  times: readonly TimeRange[],
): Promise<void> {
  const metric = await requireMetric(db, metricId);
  const generation = await nextGenerationNumber(db, metricId);
  const range =
    request.range ??
    (request.resolutionPath === null
      ? null
      : await rangeOfEnoughRows(db, metricId, metric.last_rowid, request, times));
  await db
    .insertInto('generation')
    .values(generationRow(metricId, generation, { ...request, range }, metric.last_rowid))
    .execute();
  await leaveOut(db, { metricId, generation }, times);
  await db
    .updateTable('metric')
    .set({ parameters: request.spec, model_params: null })
    .where('uid', '=', metricId)
    .execute();
}

/** The range of all rows, if there are enough of them to estimate it. */
async function rangeOfEnoughRows(
  db: Db,
  metricId: string,
  lastRowid: number,
  { minimumRows }: GenerationRequest,
  times: readonly TimeRange[],
): Promise<ValueRange | null> {
  const first = await firstRowid(db, metricId);
  if (first === null || lastRowid - first + 1 < minimumRows) return null;
  return rangeOfRows(db, metricId, lastRowid, times);
}
