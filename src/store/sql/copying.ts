import { randomUUID } from 'node:crypto';
import { HtmEngineError } from '../../errors.ts';
import { CUSTOM_DATASOURCE, MetricStatus } from '../../metric.ts';
import type { MetricCopy } from '../catalogue.ts';
import { copyCommands } from './commands.ts';
import { firstRowid } from './row-times.ts';
import { createMetrics, requireMetric, selectMetric } from './metrics.ts';
import { partitionOf } from '../../partition.ts';
import { COPYING_DATASOURCE, DISCARDED_DATASOURCE } from './schema.ts';
import type { Db } from './session.ts';

/** See `Catalogue.beginCopy`. The copy is a metric of a datasource that nobody looks at, under its own id as its name. */
export async function beginCopy(db: Db, partitions: number, sourceId: string): Promise<MetricCopy> {
  const source = await requireMetric(db, sourceId);
  const present = await presentGeneration(db, sourceId);
  const first = (await firstRowid(db, sourceId)) ?? source.last_rowid + 1;
  const [created] = await createMetrics(db, partitions, [randomUUID()]);
  if (created === undefined) throw new Error(`no copy of ${source.name} was created`);
  await db
    .updateTable('metric')
    .set({ datasource: COPYING_DATASOURCE, name: created.uid })
    .where('uid', '=', created.uid)
    .execute();
  return {
    copyId: created.uid,
    sourceId,
    generation: present.generation,
    firstRowid: first,
    lastRowid: source.last_rowid,
  };
}

/** See `Catalogue.copyRows`. */
export async function copyRows(db: Db, copy: MetricCopy, limit: number): Promise<boolean> {
  const { copyId, sourceId, firstRowid: first, lastRowid } = copy;
  await requireMetric(db, sourceId);
  const { last_rowid: copied, last_timestamp: copiedTime } = await requireCopy(db, copyId);
  const offset = first - 1;
  const after = copied + offset;
  const through = Math.min(after + limit, lastRowid);
  if (after >= through) return false;
  const next = await db
    .selectFrom('metric_data')
    .select('timestamp')
    .where('uid', '=', sourceId)
    .where('rowid', '=', after + 1)
    .executeTakeFirst();
  // Rows that were deleted let those before them move up.
  if (next === undefined || next.timestamp <= (copiedTime ?? Number.NEGATIVE_INFINITY))
    throw removed(sourceId);
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('metric_data')
    .columns(['uid', 'rowid', 'timestamp', 'metric_value'])
    .expression((eb) =>
      eb
        .selectFrom('metric_data as source')
        .innerJoin('metric as copy', (join) => join.on('copy.uid', '=', copyId))
        .select((inner) => [
          'copy.uid',
          inner('source.rowid', '-', offset).as('rowid'),
          'source.timestamp',
          'source.metric_value',
        ])
        .where('source.uid', '=', sourceId)
        .where('source.rowid', '>', after)
        .where('source.rowid', '<=', through),
    )
    .executeTakeFirstOrThrow();
  if (Number(numInsertedOrUpdatedRows) !== through - after) {
    throw removed(sourceId);
  }
  const last = through - offset;
  await db
    .updateTable('metric')
    .set((eb) => ({
      last_rowid: last,
      last_timestamp: eb
        .selectFrom('metric_data')
        .select('metric_data.timestamp')
        .where('metric_data.uid', '=', copyId)
        .where('metric_data.rowid', '=', last),
    }))
    .where('uid', '=', copyId)
    .execute();
  return through < lastRowid;
}

/** See `Catalogue.finishCopy`. */
export async function finishCopy(
  db: Db,
  partitions: number,
  copy: MetricCopy,
  name: string,
): Promise<MetricStatus> {
  const { copyId, sourceId } = copy;
  const source = await requireMetric(db, sourceId);
  const present = await presentGeneration(db, sourceId);
  if (present.generation !== copy.generation) {
    throw new HtmEngineError('metric_status_changed', `metric ${source.name} learns anew: try again`, {
      metricId: sourceId,
      status: source.status,
    });
  }
  const { last_rowid: rows } = await requireCopy(db, copyId);
  await makeWay(db, name);
  const isOpen = present.state === 'open';
  const spec = renamed(present.spec, name);
  const status = isOpen ? MetricStatus.CREATE_PENDING : MetricStatus.PENDING_DATA;
  await db
    .insertInto('generation')
    .values({
      ...present,
      uid: copyId,
      generation: 1,
      spec,
      backlog_rowid: rows,
      start_rowid: isOpen ? 1 : null,
    })
    .execute();
  await db
    .updateTable('metric')
    .set({
      datasource: CUSTOM_DATASOURCE,
      name,
      description: `Custom metric ${name}`,
      server: present.resource ?? name,
      partition: partitionOf(name, partitions),
      status,
      parameters: spec,
      model_params: isOpen ? present.model_params : null,
    })
    .where('uid', '=', copyId)
    .execute();
  if (rows > 0) {
    const origin = { metricId: sourceId, generation: copy.generation };
    await copyCommands(db, origin, { metricId: copyId, generation: 1 }, copy.firstRowid - 1);
  }
  if (!isOpen) return status;
  await db
    .insertInto('scheduler_watermark')
    .values({ uid: copyId, generation: 1, processed_rowid: 0, command_sequence: 0 })
    .execute();
  await db.insertInto('anomaly_watermark').values({ uid: copyId, generation: 1, scored_rowid: 0 }).execute();
  return status;
}

/** See `Catalogue.abandonCopies`. */
export async function abandonCopies(db: Db, copyId?: string): Promise<void> {
  let query = db
    .updateTable('metric')
    .set({ datasource: DISCARDED_DATASOURCE })
    .where('datasource', '=', COPYING_DATASOURCE);
  if (copyId !== undefined) query = query.where('uid', '=', copyId);
  await query.execute();
}

/** @throws metric_not_monitored */
async function presentGeneration(db: Db, metricId: string) {
  const present = await db
    .selectFrom('generation')
    .selectAll()
    .where('uid', '=', metricId)
    .where('state', '!=', 'closed')
    .executeTakeFirst();
  if (present !== undefined) return present;
  throw new HtmEngineError(
    'metric_not_monitored',
    `metric ${metricId} is not monitored: there is no model to copy`,
    { metricId },
  );
}

async function requireCopy(db: Db, copyId: string) {
  return db
    .selectFrom('metric')
    .select(['last_rowid', 'last_timestamp'])
    .where('uid', '=', copyId)
    .where('datasource', '=', COPYING_DATASOURCE)
    .executeTakeFirstOrThrow();
}

function removed(sourceId: string): HtmEngineError {
  return new HtmEngineError(
    'metric_status_changed',
    'rows of the metric were removed while they were copied: try again',
    { metricId: sourceId },
  );
}

/** A metric of that name gives way if nothing is known of it but the name. */
async function makeWay(db: Db, name: string): Promise<void> {
  const other = await selectMetric(db, { name });
  if (other === null) return;
  const { metricId } = other;
  if (other.status !== MetricStatus.UNMONITORED) {
    throw new HtmEngineError(
      'metric_already_monitored',
      `metric ${JSON.stringify(name)} is monitored: copy to another name`,
      { metricId },
    );
  }
  if (other.lastRowid > 0) {
    throw new HtmEngineError(
      'metric_already_exists',
      `metric ${JSON.stringify(name)} has rows of its own: copy to another name, or delete it first`,
      { metricId },
    );
  }
  await db.deleteFrom('metric').where('uid', '=', metricId).execute();
}

/** The spec with another metric's name. */
function renamed(spec: string, name: string): string {
  const { metricSpec, ...others } = JSON.parse(spec) as { metricSpec: object };
  const { datasource, ...rest } = others as { datasource?: unknown };
  return JSON.stringify({ datasource, metricSpec: { ...metricSpec, metric: name }, ...rest });
}
