import { HtmEngineError } from '../../errors.ts';
import {
  METRIC_PARTS,
  type ColumnValues,
  type InstallationSummary,
  type MetricPart,
  type MetricRecord,
  type RowRecord,
  type Transfer,
} from '../transfer.ts';
import { checkLimit } from './bounds.ts';
import { newLeases } from './leases.ts';
import type { Db, Session, SqlDialect } from './session.ts';
import { copyUnderWay, COPYING } from './unfinished-copy.ts';

/** Rows of one insertion: bounds the number of parameters of a statement. */
const INSERT_CHUNK_ROWS = 50;
/** Columns that are times; databases of some kinds take them in another form than numbers. */
const TIME_COLUMNS = new Set(['timestamp', 'last_timestamp', 'since']);

/** Moving an installation, in an SQL database. */
export class SqlTransfer implements Transfer {
  readonly #session: Session;
  readonly #dialect: SqlDialect;

  constructor(session: Session, dialect: SqlDialect) {
    this.#session = session;
    this.#dialect = dialect;
  }

  describe(): Promise<InstallationSummary> {
    return this.#session.read(describe);
  }

  async metrics(afterMetricId: string, limit: number): Promise<MetricRecord[]> {
    checkLimit(limit);
    return this.#session.read(async (db) => {
      const metrics = await db
        .selectFrom('metric')
        .selectAll()
        .where('uid', '>', afterMetricId)
        .orderBy('uid')
        .limit(limit)
        .execute();
      const records: MetricRecord[] = [];
      for (const metric of metrics) {
        const parts = [];
        for (const table of METRIC_PARTS) parts.push({ table, rows: await partRows(db, table, metric.uid) });
        records.push({ metricId: metric.uid, name: metric.name, metric: { ...metric }, parts });
      }
      return records;
    });
  }

  async rows(metricId: string, after: number, limit: number): Promise<RowRecord[]> {
    checkLimit(limit);
    return this.#session.query((db) =>
      db
        .selectFrom('metric_data')
        .select([
          'rowid',
          'timestamp',
          'metric_value',
          'raw_anomaly_score',
          'anomaly_score',
          'display_value',
          'multi_step_best_predictions',
        ])
        .where('uid', '=', metricId)
        .where('rowid', '>', after)
        .orderBy('rowid')
        .limit(limit)
        .execute(),
    );
  }

  async begin(source: InstallationSummary): Promise<void> {
    const identity = JSON.stringify([source.partitions, source.epoch]);
    await this.#session.write(async (db) => {
      if ((await copyUnderWay(db)) === identity) return;
      const { metrics } = await describe(db);
      if (metrics > 0) {
        throw new HtmEngineError(
          'store_not_empty',
          `the target has ${metrics} metrics that are not from this copy: give an empty database`,
        );
      }
      await db.deleteFrom('installation').where('name', '=', COPYING).execute();
      await db.insertInto('installation').values({ name: COPYING, value: identity }).execute();
      await db
        .updateTable('installation')
        .set({ value: String(source.partitions) })
        .where('name', '=', 'partitions')
        .execute();
      await db.deleteFrom('lease').execute();
      await db.insertInto('lease').values(newLeases(source.partitions, source.epoch)).execute();
    });
  }

  addMetric({ metricId, metric, parts }: MetricRecord): Promise<number> {
    return this.#session.write(async (db) => {
      const existing = await db
        .selectFrom('metric')
        .select((eb) =>
          eb
            .selectFrom('metric_data')
            .select((inner) => inner.fn.max('metric_data.rowid').as('last'))
            .whereRef('metric_data.uid', '=', 'metric.uid')
            .as('last'),
        )
        .where('uid', '=', metricId)
        .executeTakeFirst();
      if (existing !== undefined) return existing.last ?? 0;
      await this.#insert(db, 'metric', [metric]);
      for (const { table, rows } of parts) await this.#insert(db, table, rows);
      return 0;
    });
  }

  async addRows(metricId: string, rows: readonly RowRecord[]): Promise<void> {
    await this.#session.write(async (db) => {
      const [first] = rows;
      const { last } = await db
        .selectFrom('metric_data')
        .select((eb) => eb.fn.max('rowid').as('last'))
        .where('uid', '=', metricId)
        .executeTakeFirstOrThrow();
      // The commit of an attempt before this one was heard after all.
      if (first !== undefined && (last as number | null) !== null && last >= first.rowid) return;
      await this.#insert(
        db,
        'metric_data',
        rows.map((row) => ({ uid: metricId, ...row })),
      );
    });
  }

  async finish(): Promise<void> {
    await this.#session.write(async (db) => {
      await db.deleteFrom('installation').where('name', '=', COPYING).execute();
    });
  }

  async #insert(db: Db, table: 'metric' | 'metric_data' | MetricPart, rows: readonly ColumnValues[]) {
    for (let start = 0; start < rows.length; start += INSERT_CHUNK_ROWS) {
      const chunk = rows.slice(start, start + INSERT_CHUNK_ROWS).map((row) => this.#toColumns(row));
      await db
        .insertInto(table)
        .values(chunk as never)
        .execute();
    }
  }

  #toColumns(row: ColumnValues): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(row).map(([column, value]) => {
        if (TIME_COLUMNS.has(column) && typeof value === 'number') return [column, this.#dialect.time(value)];
        return [column, value instanceof Uint8Array ? Buffer.from(value) : value];
      }),
    );
  }
}

async function describe(db: Db): Promise<InstallationSummary> {
  const { partitions } = await db
    .selectFrom('installation')
    .select('value as partitions')
    .where('name', '=', 'partitions')
    .executeTakeFirstOrThrow();
  const { epoch } = await db
    .selectFrom('lease')
    .select((eb) => eb.fn.max('epoch').as('epoch'))
    .executeTakeFirstOrThrow();
  const { metrics } = await db
    .selectFrom('metric')
    .select((eb) => eb.fn.countAll<number>().as('metrics'))
    .executeTakeFirstOrThrow();
  const { rows } = await db
    .selectFrom('metric_data')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  return { partitions: Number(partitions), epoch, metrics, rows };
}

async function partRows(db: Db, table: MetricPart, metricId: string): Promise<ColumnValues[]> {
  const rows = await db.selectFrom(table).selectAll().where('uid', '=', metricId).execute();
  return rows;
}
