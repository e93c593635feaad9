import type {
  BucketSelection,
  DataBucket,
  DataRow,
  DataSelection,
  MetricBars,
  MetricSummary,
  ModelDescription,
  Queries,
  RecentScores,
  Totals,
} from '../queries.ts';
import { checkLimit, MAX_DATA_ROWS, MAX_RECENT } from './bounds.ts';
import { readBuckets } from './buckets.ts';
import { anomalyBars, describeModel, recentScores } from './descriptions.ts';
import { RUNNING } from './folds.ts';
import { isPresent } from './metrics.ts';
import type { Db, Session, SqlDialect } from './session.ts';
import { firstRowidAt } from './row-times.ts';
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

  async readBuckets(metricId: string, selection: BucketSelection): Promise<DataBucket[]> {
    checkLimit(selection.buckets);
    return readBuckets(this.#session, metricId, selection);
  }

  async anomalyBars(afterName: string, limit: number): Promise<MetricBars[]> {
    checkLimit(limit);
    return this.#session.query((db) => anomalyBars(db, afterName, limit));
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
