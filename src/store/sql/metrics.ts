import { randomUUID } from 'node:crypto';
import type { ExpressionBuilder, Insertable } from 'kysely';
import { HtmEngineError } from '../../errors.ts';
import { automaticRequestFor, type AutomaticRequest } from '../../generation.ts';
import {
  CUSTOM_DATASOURCE,
  MetricStatus,
  nextStatus,
  statusesBefore,
  type Metric,
  type MetricEvent,
} from '../../metric.ts';
import { checkRequest, generationRow } from './generations.ts';
import { partitionOf } from '../../partition.ts';
import { COPYING_DATASOURCE, DISCARDED_DATASOURCE, type Schema } from './schema.ts';
import type { Db } from './session.ts';

/** The original's interval for custom metrics. */
const POLL_INTERVAL_SECONDS = 300;
/** Bounds the number of parameters of one statement. */
const INSERT_CHUNK_ROWS = 200;

/**
 * Inserts metrics of the custom datasource that do not exist yet; with `autoMonitor` they wait for rows in
 * PENDING_DATA with their generation asked for, else they are UNMONITORED.
 */
export async function createMetrics(
  db: Db,
  partitions: number,
  names: readonly string[],
  autoMonitor?: AutomaticRequest,
): Promise<{ uid: string; name: string; status: MetricStatus }[]> {
  if (autoMonitor?.resolutionPath === null) {
    throw new TypeError('automatic monitoring must leave the range open');
  }
  const metrics: Insertable<Schema['metric']>[] = [];
  const generations: Insertable<Schema['generation']>[] = [];
  const status = autoMonitor === undefined ? MetricStatus.UNMONITORED : awaitingData();
  for (const { uid, name } of withIds(names)) {
    const request = autoMonitor === undefined ? null : automaticRequestFor(name, autoMonitor);
    metrics.push({
      uid,
      datasource: CUSTOM_DATASOURCE,
      name,
      description: `Custom metric ${name}`,
      server: name,
      location: '',
      status,
      poll_interval: POLL_INTERVAL_SECONDS,
      last_rowid: 0,
      partition: partitionOf(name, partitions),
      parameters: request?.spec ?? null,
    });
    if (request !== null) {
      checkRequest(request);
      generations.push(generationRow(uid, 1, request, 0));
    }
  }
  await insertInChunks(db, 'metric', metrics);
  await insertInChunks(db, 'generation', generations);
  return metrics.map(({ uid, name }) => ({ uid, name, status }));
}

/** In uid order, as metrics are always touched. */
function withIds(names: readonly string[]): { uid: string; name: string }[] {
  return names
    .map((name) => ({ uid: randomUUID().replaceAll('-', ''), name }))
    .sort((a, b) => (a.uid < b.uid ? -1 : 1));
}

function awaitingData(): MetricStatus {
  const status = nextStatus(MetricStatus.UNMONITORED, 'awaitData');
  if (status === null) throw new Error('a new metric may not wait for data');
  return status;
}

async function insertInChunks<Table extends 'metric' | 'generation'>(
  db: Db,
  table: Table,
  rows: readonly Insertable<Schema[Table]>[],
): Promise<void> {
  for (let start = 0; start < rows.length; start += INSERT_CHUNK_ROWS) {
    await db
      .insertInto(table)
      .values(rows.slice(start, start + INSERT_CHUNK_ROWS))
      .execute();
  }
}

/** Condition: the metric is neither discarded nor a copy that is still being made. */
export function isPresent(eb: ExpressionBuilder<Schema, 'metric'>) {
  return eb('metric.datasource', 'not in', [DISCARDED_DATASOURCE, COPYING_DATASOURCE]);
}

/** The metric's row. @throws HtmEngineError `metric_not_found` */
export async function requireMetric(db: Db, metricId: string) {
  const metric = await db
    .selectFrom('metric')
    .select(['uid', 'name', 'status', 'last_rowid'])
    .where('uid', '=', metricId)
    .where(isPresent)
    .executeTakeFirst();
  if (metric === undefined) {
    throw new HtmEngineError('metric_not_found', `no metric has the id ${metricId}`, { metricId });
  }
  return metric;
}

/**
 * Changes the state of a metric from one in which `event` may happen; the message goes unless one is given.
 * @returns false, and nothing is changed, if its state is another.
 */
export async function changeStatus(
  db: Db,
  metricId: string,
  event: MetricEvent,
  message: string | null = null,
): Promise<boolean> {
  const [before] = statusesBefore(event);
  const status = before === undefined ? null : nextStatus(before, event);
  if (status === null) throw new Error(`no state allows ${event}`);
  const { numUpdatedRows } = await db
    .updateTable('metric')
    .set({ status, message })
    .where('uid', '=', metricId)
    .where('status', 'in', statusesBefore(event))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** A metric that answers a condition, or null. */
export async function selectMetric(
  db: Db,
  condition: { readonly uid: string } | { readonly name: string },
): Promise<Metric | null> {
  const query = db.selectFrom('metric').selectAll();
  const row = await (
    'uid' in condition
      ? query.where('uid', '=', condition.uid).where(isPresent)
      : query.where('datasource', '=', CUSTOM_DATASOURCE).where('name', '=', condition.name)
  ).executeTakeFirst();
  if (row === undefined) return null;
  return {
    metricId: row.uid,
    name: row.name,
    datasource: row.datasource,
    description: row.description,
    server: row.server,
    location: row.location,
    parameters: row.parameters,
    modelParams: row.model_params,
    status: row.status,
    message: row.message,
    pollIntervalSeconds: row.poll_interval,
    lastRowid: row.last_rowid,
    lastTimestamp: row.last_timestamp,
    partition: row.partition,
  };
}
