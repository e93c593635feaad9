import { HtmEngineError } from '../../errors.ts';
import { lastSequence, type ModelChange, type ModelCommand } from '../../model-command.ts';
import { checkInteger, MAX_ROWID } from './bounds.ts';
import { changeStatus, requireMetric } from './metrics.ts';
import { prepared } from './prepared.ts';
import type { Attempt, Db } from './session.ts';

/** Every turn of a model reads all commands of its generation. */
const MAX_COMMANDS = 1000;

/** See `Catalogue.changeModel`. */
export async function changeModel(
  db: Db,
  metricId: string,
  change: ModelChange,
  afterRowid: number,
  { mayHaveLanded }: Attempt,
): Promise<ModelCommand> {
  const open = await openModel(db, metricId);
  const [last] = open.commands.slice(-1);
  const landed = mayHaveLanded && JSON.stringify(last?.change) === JSON.stringify(change);
  if (landed && last !== undefined) return last;
  if (change.what === 'doNotLearn' && afterRowid < open.processedRowid) {
    throw new HtmEngineError(
      'invalid_argument',
      `the rows after ${afterRowid} are learned already, up to ${open.processedRowid}: begin later, or let the model learn anew`,
      { metricId, processedRowid: open.processedRowid },
    );
  }
  return insertCommand(db, metricId, open, change, Math.max(afterRowid, open.processedRowid));
}

/** See `Catalogue.skipRow`. */
export async function skipRow(db: Db, metricId: string, { mayHaveLanded }: Attempt): Promise<number | null> {
  const metric = await requireMetric(db, metricId);
  const isInError = await changeStatus(db, metricId, 'retry');
  if (!isInError && !mayHaveLanded) return null;
  const open = await openModel(db, metricId);
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
      const moved =
        change.what === 'doNotLearn' ? { ...change, throughRowid: change.throughRowid - offset } : change;
      return isPast ? [] : [commandRow(copy, sequence, Math.max(0, afterRowid - offset), moved)];
    },
  );
  for (const row of rows) await db.insertInto('model_command').values(row).execute();
}

/** @throws RangeError for what is a programmer's error. */
export function checkChange(change: ModelChange, afterRowid: number): void {
  checkInteger('afterRowid', afterRowid, 0, MAX_ROWID);
  if (change.what === 'doNotLearn')
    checkInteger('throughRowid', change.throughRowid, afterRowid + 1, MAX_ROWID);
}

interface OpenModel {
  readonly generation: number;
  readonly processedRowid: number;
  readonly commands: readonly ModelCommand[];
}

/** Transactions are serializable, so the watermark that is read stays what it is until the command is in. */
async function openModel(db: Db, metricId: string): Promise<OpenModel> {
  const { name } = await requireMetric(db, metricId);
  const watermark = await db
    .selectFrom('scheduler_watermark')
    .select(['generation', 'processed_rowid'])
    .where('uid', '=', metricId)
    .executeTakeFirst();
  if (watermark === undefined) {
    throw new HtmEngineError(
      'metric_not_monitored',
      `metric ${name} has no model: monitor it first, or wait until it has the rows it needs`,
      { metricId },
    );
  }
  const { generation, processed_rowid: processedRowid } = watermark;
  return { generation, processedRowid, commands: await commandsOf(db, metricId, generation) };
}

async function insertCommand(
  db: Db,
  metricId: string,
  { generation, commands }: OpenModel,
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
