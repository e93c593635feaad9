import type { ExpressionBuilder } from 'kysely';
import { CUSTOM_DATASOURCE } from '../../metric.ts';
import type { DataRow, DataSelection, MetricSummary, Queries, Totals } from '../queries.ts';
import { checkLimit, MAX_DATA_ROWS } from './bounds.ts';
import { RUNNING } from './folds.ts';
import { firstRowid } from './generations.ts';
import { isPresent } from './metrics.ts';
import type { Schema } from './schema.ts';
import type { Db, Session } from './session.ts';

/** The queries in an SQL database. */
export class SqlQueries implements Queries {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async listMetrics(afterName: string, limit: number): Promise<MetricSummary[]> {
    checkLimit(limit);
    return this.#session.query(async (db) => {
      const rows = await summaries(db).where('metric.name', '>', afterName).limit(limit).execute();
      return rows.map(toSummary);
    });
  }

  describeMetric(name: string): Promise<MetricSummary | null> {
    return this.#session.query(async (db) => {
      const row = await summaries(db).where('metric.name', '=', name).executeTakeFirst();
      return row === undefined ? null : toSummary(row);
    });
  }

  async readData(metricId: string, selection: DataSelection): Promise<DataRow[]> {
    checkLimit(selection.limit, MAX_DATA_ROWS);
    return this.#session.read((db) => readData(db, metricId, selection));
  }

  totals(): Promise<Totals> {
    return this.#session.read(totals);
  }
}

function summaries(db: Db) {
  return db
    .selectFrom('metric')
    .leftJoin('anomaly_watermark', 'anomaly_watermark.uid', 'metric.uid')
    .leftJoin('generation', (join) =>
      join
        .onRef('generation.uid', '=', 'anomaly_watermark.uid')
        .onRef('generation.generation', '=', 'anomaly_watermark.generation'),
    )
    .leftJoin('metric_data as newest', (join) =>
      join.onRef('newest.uid', '=', 'metric.uid').onRef('newest.rowid', '=', 'metric.last_rowid'),
    )
    .leftJoin('metric_data as scored', (join) =>
      join
        .onRef('scored.uid', '=', 'metric.uid')
        .onRef('scored.rowid', '=', 'anomaly_watermark.scored_rowid')
        .onRef('scored.rowid', '>=', 'generation.start_rowid'),
    )
    .select([
      'metric.uid',
      'metric.name',
      'metric.status',
      'metric.message',
      'metric.last_rowid',
      'metric.last_timestamp',
      'anomaly_watermark.scored_rowid',
      'generation.start_rowid',
      'newest.metric_value as last_value',
      'scored.timestamp as last_scored_timestamp',
      'scored.anomaly_score as last_anomaly_score',
    ])
    .select((eb) => lowestRowid(eb).as('first_rowid'))
    .where('metric.datasource', '=', CUSTOM_DATASOURCE)
    .orderBy('metric.name');
}

function lowestRowid(eb: ExpressionBuilder<Schema, 'metric'>) {
  return eb
    .selectFrom('metric_data')
    .select((inner) => inner.fn.min('metric_data.rowid').as('lowest'))
    .whereRef('metric_data.uid', '=', 'metric.uid');
}

type SummaryRow = Awaited<ReturnType<ReturnType<typeof summaries>['executeTakeFirstOrThrow']>>;

function toSummary(row: SummaryRow): MetricSummary {
  const first = row.first_rowid ?? row.last_rowid + 1;
  const firstScored = Math.max(first, row.start_rowid ?? 0);
  return {
    metricId: row.uid,
    name: row.name,
    status: row.status,
    message: row.message,
    rows: row.last_rowid - first + 1,
    scoredRows: row.scored_rowid === null ? 0 : Math.max(0, row.scored_rowid - firstScored + 1),
    lastTimestamp: row.last_timestamp,
    lastValue: row.last_value,
    lastScoredTimestamp: row.last_scored_timestamp,
    lastAnomalyScore: row.last_anomaly_score,
  };
}

async function readData(db: Db, metricId: string, selection: DataSelection): Promise<DataRow[]> {
  const { fromTimestamp, toTimestamp, afterRowid = 0, limit, newestFirst = false } = selection;
  const from = fromTimestamp === undefined ? 0 : await firstRowidAt(db, metricId, fromTimestamp);
  let query = db
    .selectFrom('metric_data')
    .leftJoin('anomaly_watermark', 'anomaly_watermark.uid', 'metric_data.uid')
    .select([
      'metric_data.rowid',
      'metric_data.timestamp',
      'metric_data.metric_value',
      'metric_data.raw_anomaly_score',
      'metric_data.anomaly_score',
      'metric_data.display_value',
      'metric_data.multi_step_best_predictions',
      'anomaly_watermark.scored_rowid',
    ])
    .where('metric_data.uid', '=', metricId)
    .where('metric_data.rowid', '>', Math.max(afterRowid, from - 1))
    .orderBy('metric_data.rowid', newestFirst ? 'desc' : 'asc')
    .limit(limit);
  if (toTimestamp !== undefined) {
    // Times are whole seconds: what is later than a time is what is not before the next second.
    const end = await firstRowidAt(db, metricId, Math.floor(toTimestamp) + 1);
    query = query.where('metric_data.rowid', '<', end);
  }
  const rows = await query.execute();
  return rows.map((row) => {
    const visible = row.scored_rowid !== null && row.rowid <= row.scored_rowid;
    return {
      rowid: row.rowid,
      timestamp: row.timestamp,
      value: row.metric_value,
      rawAnomalyScore: visible ? row.raw_anomaly_score : null,
      anomalyScore: visible ? row.anomaly_score : null,
      displayValue: visible ? row.display_value : null,
      multiStepBestPredictions: visible ? row.multi_step_best_predictions : null,
    };
  });
}

/**
 * The lowest rowid whose time is not before `timestamp`, or one past the last. Times ascend with rowids, so halving
 * the range of rowids finds it by the primary key; an index on times would cost every insertion.
 */
async function firstRowidAt(db: Db, metricId: string, timestamp: number): Promise<number> {
  const first = await firstRowid(db, metricId);
  if (first === null) return 1;
  const { last_rowid: last } = await db
    .selectFrom('metric')
    .select('last_rowid')
    .where('uid', '=', metricId)
    .executeTakeFirstOrThrow();
  let low = first;
  let high = last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await db
      .selectFrom('metric_data')
      .select('timestamp')
      .where('uid', '=', metricId)
      .where('rowid', '=', middle)
      .executeTakeFirstOrThrow();
    if (row.timestamp < timestamp) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function totals(db: Db): Promise<Totals> {
  const statuses = await db
    .selectFrom('metric')
    .select((eb) => ['metric.status', eb.fn.countAll<number>().as('metrics')])
    .where(isPresent)
    .groupBy('metric.status')
    .execute();
  const { rows } = await db
    .selectFrom('metric')
    .select((eb) =>
      eb.fn.sum<number | null>(eb(eb('metric.last_rowid', '+', 1), '-', lowestRowid(eb))).as('rows'),
    )
    .where(isPresent)
    .executeTakeFirstOrThrow();
  const { unprocessed } = await db
    .selectFrom('scheduler_watermark')
    .innerJoin('metric', 'metric.uid', 'scheduler_watermark.uid')
    .select((eb) =>
      eb.fn
        .sum<number | null>(eb('metric.last_rowid', '-', eb.ref('scheduler_watermark.processed_rowid')))
        .as('unprocessed'),
    )
    .where('metric.status', 'in', RUNNING)
    .executeTakeFirstOrThrow();
  return {
    metrics: Object.fromEntries(statuses.map(({ status, metrics }) => [status, metrics])),
    rows: rows ?? 0,
    unprocessedRows: unprocessed ?? 0,
  };
}
