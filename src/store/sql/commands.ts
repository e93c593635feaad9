import { HtmEngineError } from '../../errors.ts';
import type { TimeRange } from '../../metric.ts';
import {
  isRepeated,
  lastSequence,
  leftOutTimes,
  type ModelChange,
  type ModelCommand,
} from '../../model-command.ts';
import { checkInteger, MAX_ROWID } from './bounds.ts';
import { changeStatus, requireMetric } from './metrics.ts';
import { prepared } from './prepared.ts';
import type { Attempt, Db } from './session.ts';

/** Every turn of a model reads all commands of its generation. */
const MAX_COMMANDS = 1000;
/** Each is looked up among the rows when a new generation takes its range from them. */
const MAX_LEFT_OUT = 100;

/** See `Catalogue.changeModel`. */
export async function changeModel(
  db: Db,
  metricId: string,
  change: ModelChange,
  afterRowid: number,
  { mayHaveLanded }: Attempt,
): Promise<ModelCommand | null> {
  const present = await presentModel(db, metricId);
  const [last] = present.commands.slice(-1);
  const landed = mayHaveLanded && JSON.stringify(last?.change) === JSON.stringify(change);
  if (landed && last !== undefined) return last;
  const begin = Math.max(afterRowid, present.processedRowid);
  if (isRepeated(present.commands, change, begin)) return null;
  if (change.what === 'doNotLearn') await refuseLearned(db, metricId, present, change);
  return insertCommand(db, metricId, present, change, begin);
}

/** @throws interval_learned if the last processed row, and so perhaps others, is of that time or later. */
async function refuseLearned(
  db: Db,
  metricId: string,
  { processedRowid }: PresentModel,
  { fromTimestamp }: TimeRange,
): Promise<void> {
  const last = await db
    .selectFrom('metric_data')
    .select('timestamp')
    .where('uid', '=', metricId)
    .where('rowid', '=', processedRowid)
    .executeTakeFirst();
  if (last === undefined || last.timestamp < fromTimestamp) return;
  throw new HtmEngineError(
    'interval_learned',
    `rows up to ${last.timestamp} are learned already: begin after that, or let the model learn anew without the interval`,
    { metricId, processedRowid, processedTimestamp: last.timestamp },
  );
}

/** The first commands of a generation that is asked for: the times that it does not learn. */
export async function leaveOut(
  db: Db,
  { metricId, generation }: { readonly metricId: string; readonly generation: number },
  times: readonly TimeRange[],
): Promise<void> {
  let commands: readonly ModelCommand[] = [];
  for (const { fromTimestamp, toTimestamp } of times) {
    const change = { what: 'doNotLearn', fromTimestamp, toTimestamp } as const;
    if (isRepeated(commands, change, 0)) continue;
    const model = { generation, processedRowid: 0, commands };
    commands = [...commands, await insertCommand(db, metricId, model, change, 0)];
  }
}

/** See `Catalogue.skipRow`. */
export async function skipRow(db: Db, metricId: string, { mayHaveLanded }: Attempt): Promise<number | null> {
  const metric = await requireMetric(db, metricId);
  const isInError = await changeStatus(db, metricId, 'retry');
  if (!isInError && !mayHaveLanded) return null;
  const open = await presentModel(db, metricId);
  if (!isInError) {
    const [last] = open.commands.slice(-1);
    return last?.change.what === 'skip' ? last.afterRowid + 1 : null;
  }
  if (open.processedRowid >= metric.last_rowid) {
    throw new HtmEngineError(
      'metric_status_changed',
      `metric ${metric.name} has no row to skip: it failed after the last one; try again or let it learn anew`,
      { metricId, status: metric.status },
    );
  }
  await insertCommand(db, metricId, open, { what: 'skip' }, open.processedRowid);
  return open.processedRowid + 1;
}

/** All commands of a generation, in their order. */
export async function commandsOf(db: Db, metricId: string, generation: number): Promise<ModelCommand[]> {
  const { rows } = await commandRows(db, { metricId, generation });
  return rows.map(({ sequence, after_rowid, what, args }) => ({
    sequence,
    afterRowid: after_rowid,
    change: { what, ...(JSON.parse(args ?? '{}') as object) } as ModelChange,
  }));
}

/** Gives a copy of a metric the commands of its source, whose rows after `offset` it has from 1 on. */
export async function copyCommands(
  db: Db,
  source: { readonly metricId: string; readonly generation: number },
  copy: { readonly metricId: string; readonly generation: number },
  offset: number,
): Promise<void> {
  const rows = (await commandsOf(db, source.metricId, source.generation)).flatMap(
    ({ sequence, afterRowid, change }) => {
      const isPast = afterRowid < offset && (change.what === 'skip' || change.what === 'reset');
      return isPast ? [] : [commandRow(copy, sequence, Math.max(0, afterRowid - offset), change)];
    },
  );
  for (const row of rows) await db.insertInto('model_command').values(row).execute();
}

/** @throws RangeError for what is a programmer's error. */
export function checkChange(change: ModelChange, afterRowid: number): void {
  checkInteger('afterRowid', afterRowid, 0, MAX_ROWID);
  if (change.what === 'doNotLearn') checkTimes(change);
}

/** @throws RangeError unless both are whole seconds and in order. */
export function checkTimes({ fromTimestamp, toTimestamp }: TimeRange): void {
  checkInteger('fromTimestamp', fromTimestamp, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('toTimestamp', toTimestamp, fromTimestamp, Number.MAX_SAFE_INTEGER);
}

interface PresentModel {
  readonly generation: number;
  /** 0 while the generation waits for rows. */
  readonly processedRowid: number;
  readonly commands: readonly ModelCommand[];
}

/**
 * The generation that is open or waits for rows. Transactions are serializable, so the watermark that is read stays what
 * it is until the command is in.
 */
async function presentModel(db: Db, metricId: string): Promise<PresentModel> {
  const { name } = await requireMetric(db, metricId);
  const present = await db
    .selectFrom('generation')
    .leftJoin('scheduler_watermark', 'scheduler_watermark.uid', 'generation.uid')
    .select(['generation.generation', 'scheduler_watermark.processed_rowid'])
    .where('generation.uid', '=', metricId)
    .where('generation.state', '!=', 'closed')
    .executeTakeFirst();
  if (present === undefined) {
    throw new HtmEngineError('metric_not_monitored', `metric ${name} has no model: monitor it first`, {
      metricId,
    });
  }
  const { generation, processed_rowid: processedRowid } = present;
  return {
    generation,
    processedRowid: processedRowid ?? 0,
    commands: await commandsOf(db, metricId, generation),
  };
}

async function insertCommand(
  db: Db,
  metricId: string,
  { generation, commands }: PresentModel,
  change: ModelChange,
  afterRowid: number,
): Promise<ModelCommand> {
  if (commands.length >= MAX_COMMANDS) {
    throw new HtmEngineError(
      'overloaded',
      `the model has had ${MAX_COMMANDS} commands, the most there may be: let it learn anew`,
      { metricId },
    );
  }
  if (change.what === 'doNotLearn' && leftOutTimes(commands).length >= MAX_LEFT_OUT) {
    throw new HtmEngineError(
      'overloaded',
      `the model leaves out ${MAX_LEFT_OUT} intervals, the most there may be: switch learning off, or leave out longer ones`,
      { metricId },
    );
  }
  const sequence = lastSequence(commands) + 1;
  await db
    .insertInto('model_command')
    .values(commandRow({ metricId, generation }, sequence, afterRowid, change))
    .execute();
  return { sequence, afterRowid, change };
}

function commandRow(
  { metricId, generation }: { readonly metricId: string; readonly generation: number },
  sequence: number,
  afterRowid: number,
  { what, ...args }: ModelChange,
) {
  return {
    uid: metricId,
    generation,
    sequence,
    after_rowid: afterRowid,
    what,
    args: Object.keys(args).length === 0 ? null : JSON.stringify(args),
  };
}

const commandRows = prepared((db, args: { metricId: string; generation: number }) =>
  db
    .selectFrom('model_command')
    .select(['sequence', 'after_rowid', 'what', 'args'])
    .where('uid', '=', args.metricId)
    .where('generation', '=', args.generation)
    .orderBy('sequence'),
);
