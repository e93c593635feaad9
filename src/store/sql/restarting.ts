import { HtmEngineError } from '../../errors.ts';
import type { GenerationRequest, ValueRange } from '../../generation.ts';
import { firstRowid, generationRow, rangeOfRows } from './generations.ts';
import { changeStatus, requireMetric } from './metrics.ts';
import { closeGeneration, nextGenerationNumber } from './monitoring.ts';
import type { Db } from './session.ts';

/** See `Catalogue.retry`. */
export async function retry(db: Db, metricId: string): Promise<boolean> {
  await requireMetric(db, metricId);
  return changeStatus(db, metricId, 'retry');
}

/** See `Catalogue.relearn`. */
export async function relearn(db: Db, metricId: string, request: GenerationRequest): Promise<void> {
  const metric = await requireMetric(db, metricId);
  if (!(await changeStatus(db, metricId, 'relearn'))) {
    throw new HtmEngineError(
      'metric_not_monitored',
      `metric ${JSON.stringify(metric.name)} is not monitored: monitor it first`,
      { metricId, status: metric.status },
    );
  }
  await closeGeneration(db, metricId);
  const generation = await nextGenerationNumber(db, metricId);
  const range = request.range ?? (await rangeOfEnoughRows(db, metricId, metric.last_rowid, request));
  await db
    .insertInto('generation')
    .values(generationRow(metricId, generation, { ...request, range }, metric.last_rowid))
    .execute();
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
): Promise<ValueRange | null> {
  const first = await firstRowid(db, metricId);
  if (first === null || lastRowid - first + 1 < minimumRows) return null;
  return rangeOfRows(db, metricId, lastRowid);
}
