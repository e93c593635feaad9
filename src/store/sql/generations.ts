import type { Selectable } from 'kysely';
import { HtmEngineError } from '../../errors.ts';
import type { TimeRange } from '../../metric.ts';
import {
  estimateRange,
  fillResolution,
  resolutionFor,
  type Generation,
  type GenerationRequest,
  type Json,
  type LikelihoodConstants,
  type ValueRange,
} from '../../generation.ts';
import { checkInteger, MAX_ROWID } from './bounds.ts';
import { rowidsOf } from './row-times.ts';
import type { Schema } from './schema.ts';
import type { Db } from './session.ts';

type GenerationRow = Selectable<Schema['generation']>;

/** @throws HtmEngineError `invalid_range`; RangeError for what is a programmer's error. */
export function checkRequest({ range, minimumRows, minResolution }: GenerationRequest): void {
  checkInteger('minimumRows', minimumRows, 1, MAX_ROWID);
  if (minResolution !== null && !(minResolution > 0 && Number.isFinite(minResolution))) {
    throw new RangeError(`minResolution must be a finite number above 0, not ${minResolution}`);
  }
  if (range !== null && !(range.min < range.max && Number.isFinite(range.max - range.min))) {
    throw new HtmEngineError(
      'invalid_range',
      `min = ${range.min} and max = ${range.max}: min must be less than max, and their difference finite`,
    );
  }
}

/** The row that keeps a request until its generation opens. */
export function generationRow(
  metricId: string,
  generation: number,
  request: GenerationRequest,
  backlogRowid: number,
): GenerationRow {
  return {
    uid: metricId,
    generation,
    state: 'pending',
    backlog_rowid: backlogRowid,
    start_rowid: null,
    minimum_rows: request.minimumRows,
    min_resolution: request.minResolution,
    range_min: request.range?.min ?? null,
    range_max: request.range?.max ?? null,
    resolution: null,
    algorithm_revision: request.algorithmRevision,
    resource: request.resource,
    likelihood: JSON.stringify(request.likelihood),
    resolution_path: request.resolutionPath === null ? null : JSON.stringify(request.resolutionPath),
    spec: request.spec,
    model_params: JSON.stringify(request.modelParams),
  };
}

/** The range a generation was given, or null if it is to be estimated. */
export function givenRange({ range_min: min, range_max: max }: GenerationRow): ValueRange | null {
  return min === null || max === null ? null : { min, max };
}

/**
 * The range of the values of a metric's rows up to `throughRowid`. There is at least one.
 * @param leftOut times whose rows do not count, unless there are no others.
 */
export async function rangeOfRows(
  db: Db,
  metricId: string,
  throughRowid: number,
  leftOut: readonly TimeRange[] = [],
): Promise<ValueRange> {
  let query = db
    .selectFrom('metric_data')
    .select((eb) => [
      eb.fn.min<number | null>('metric_value').as('lowest'),
      eb.fn.max<number | null>('metric_value').as('highest'),
    ])
    .where('uid', '=', metricId)
    .where('rowid', '<=', throughRowid);
  for (const times of leftOut) {
    const { first, end } = await rowidsOf(db, metricId, times);
    if (first < end) query = query.where((eb) => eb.or([eb('rowid', '<', first), eb('rowid', '>=', end)]));
  }
  const { lowest, highest } = await query.executeTakeFirstOrThrow();
  if (lowest !== null && highest !== null) return estimateRange(lowest, highest);
  if (leftOut.length === 0) throw new Error(`metric ${metricId} has no rows up to ${throughRowid}`);
  return rangeOfRows(db, metricId, throughRowid);
}

/**
 * Freezes a pending generation and lets the stages begin with it: resolution, complete parameters, watermarks.
 * @param range null only where the parameters came complete.
 */
export async function openGeneration(
  db: Db,
  pending: GenerationRow,
  range: ValueRange | null,
  startRowid: number,
): Promise<void> {
  const frozen = freeze(pending, range);
  await db
    .updateTable('generation')
    .set({
      state: 'open',
      start_rowid: startRowid,
      range_min: range?.min ?? null,
      range_max: range?.max ?? null,
      resolution: frozen.resolution,
      model_params: frozen.modelParams,
    })
    .where('uid', '=', pending.uid)
    .where('generation', '=', pending.generation)
    .execute();
  await db
    .updateTable('metric')
    .set({ model_params: frozen.modelParams })
    .where('uid', '=', pending.uid)
    .execute();
  const { uid, generation } = pending;
  const before = startRowid - 1;
  await db
    .insertInto('scheduler_watermark')
    .values({ uid, generation, processed_rowid: before, command_sequence: 0 })
    .execute();
  await db.insertInto('anomaly_watermark').values({ uid, generation, scored_rowid: before }).execute();
}

function freeze(
  pending: GenerationRow,
  range: ValueRange | null,
): { resolution: number | null; modelParams: string } {
  if (pending.resolution_path === null) return { resolution: null, modelParams: pending.model_params };
  if (range === null) throw new Error(`generation ${pending.generation} of ${pending.uid} has no range`);
  const resolution = resolutionFor(range, pending.min_resolution);
  const path = JSON.parse(pending.resolution_path) as string[];
  const template = JSON.parse(pending.model_params) as Json;
  return { resolution, modelParams: JSON.stringify(fillResolution(template, path, resolution)) };
}

/** The pending generations that may open: their metric has the rows they wait for, or they have a range already. In uid order. */
export function generationsWithEnoughRows(db: Db) {
  return (
    db
      .selectFrom('generation')
      .innerJoin('metric', 'metric.uid', 'generation.uid')
      .select('generation.uid')
      .where('generation.state', '=', 'pending')
      // New scores must never stand beside those of an older generation.
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('result_clearing')
              .select('result_clearing.uid')
              .whereRef('result_clearing.uid', '=', 'generation.uid'),
          ),
        ),
      )
      .where((eb) =>
        eb.or([
          eb('generation.range_min', 'is not', null),
          eb('generation.resolution_path', 'is', null),
          eb.and([
            // Spares most metrics the look at their first row.
            eb('metric.last_rowid', '>=', eb.ref('generation.minimum_rows')),
            eb(
              eb(
                'metric.last_rowid',
                '-',
                eb
                  .selectFrom('metric_data')
                  .select((inner) => inner.fn.min('metric_data.rowid').as('first_rowid'))
                  .whereRef('metric_data.uid', '=', 'generation.uid'),
              ),
              '>=',
              eb('generation.minimum_rows', '-', 1),
            ),
          ]),
        ]),
      )
      .orderBy('generation.uid')
  );
}

/** Columns of `generation` from which `toGeneration` makes what a stage works with. */
export const GENERATION_COLUMNS = [
  'generation.uid',
  'generation.generation',
  'generation.model_params',
  'generation.likelihood',
  'generation.algorithm_revision',
  'generation.start_rowid',
  'generation.backlog_rowid',
] as const;

export function toGeneration(
  row: Pick<
    GenerationRow,
    | 'uid'
    | 'generation'
    | 'model_params'
    | 'likelihood'
    | 'algorithm_revision'
    | 'start_rowid'
    | 'backlog_rowid'
  >,
): Generation {
  if (row.start_rowid === null) throw new Error(`generation ${row.generation} of ${row.uid} is not open`);
  return {
    metricId: row.uid,
    generation: row.generation,
    modelParams: JSON.parse(row.model_params) as Json,
    likelihood: JSON.parse(row.likelihood) as LikelihoodConstants,
    algorithmRevision: row.algorithm_revision,
    startRowid: row.start_rowid,
    backlogRowid: row.backlog_rowid,
  };
}
