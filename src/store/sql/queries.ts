import type {
  DataRow,
  DataSelection,
  MetricSummary,
  ModelDescription,
  Queries,
  RecentScores,
  Totals,
} from '../queries.ts';
import { checkLimit, MAX_DATA_ROWS, MAX_RECENT } from './bounds.ts';
import { describeModel, recentScores } from './descriptions.ts';
import { RUNNING } from './folds.ts';
import { firstRowid } from './generations.ts';
import { isPresent } from './metrics.ts';
import type { Db, Session, SqlDialect } from './session.ts';
import { lowestRowid, summaries, toSummary } from './summaries.ts';

/** The queries in an SQL database. */
export class SqlQueries implements Queries {
  readonly #session: Session;
  readonly #dialect: SqlDialect;

  constructor(session: Session, dialect: SqlDialect) {
    this.#session = session;
    this.#dialect = dialect;
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

  describeModel(metricId: string): Promise<ModelDescription | null> {
    return this.#session.read((db) => describeModel(db, metricId));
  }

  async recentScores(metricIds: readonly string[], rows: number): Promise<RecentScores[]> {
    checkLimit(metricIds.length, MAX_RECENT);
    checkLimit(rows, MAX_RECENT);
    return this.#session.read((db) => recentScores(db, this.#dialect, metricIds, rows));
  }

  async readData(metricId: string, selection: DataSelection): Promise<DataRow[]> {
    checkLimit(selection.limit, MAX_DATA_ROWS);
    return this.#session.read((db) => readData(db, metricId, selection));
  }

  totals(): Promise<Totals> {
    return this.#session.read(totals);
  }
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
