import { sql } from 'kysely';
import type { MigrationDialect } from '../sql/migration-dialect.ts';
import type { BulkStatements, Db, RowRun, SqlDialect } from '../sql/session.ts';

export const postgresMigrationDialect: MigrationDialect = {
  timestampType: sql`timestamptz`,
  binaryType: sql`bytea`,
  textType: 'text',
  nameType: (length) => sql`varchar(${sql.lit(length)}) collate "C"`,
  epochSeconds: (column) => sql`cast(extract(epoch from ${column}) as bigint)`,
  dateTime: (column) => column,
  // Rows are updated twice each; with room on their page that leaves the index alone.
  clustered: (table) => table.modifyEnd(sql`with (fillfactor = 80)`),
  table: (table) => table,
  rollsBackTables: true,
};

/** Rows of one statement: each of its arguments is an array, so its text is the same whatever their number. */
const CHUNK_ROWS = 10_000;

class PostgresBulk implements BulkStatements {
  async appendRows(db: Db, runs: readonly RowRun[]): Promise<void> {
    const uids: string[] = [];
    const rowids: number[] = [];
    const timestamps: number[] = [];
    const values: number[] = [];
    for (const run of runs) {
      for (const [index, timestamp] of run.timestamps.entries()) {
        uids.push(run.metricId);
        rowids.push(run.firstRowid + index);
        timestamps.push(timestamp);
        values.push(run.values[index] ?? Number.NaN);
      }
    }
    for (let start = 0; start < uids.length; start += CHUNK_ROWS) {
      const end = start + CHUNK_ROWS;
      await sql`insert into metric_data (uid, rowid, "timestamp", metric_value)
        select u, r, to_timestamp(t), v from unnest(${uids.slice(start, end)}::varchar[], ${rowids.slice(start, end)}::int[],
          ${timestamps.slice(start, end)}::float8[], ${values.slice(start, end)}::float8[]) as n (u, r, t, v)`.execute(
        db,
      );
    }
    await sql`update metric set last_rowid = n.r, last_timestamp = to_timestamp(n.t)
      from unnest(${runs.map((run) => run.metricId)}::varchar[], ${runs.map(lastRowid)}::int[],
        ${runs.map((run) => run.timestamps.at(-1))}::float8[]) as n (u, r, t) where metric.uid = n.u`.execute(
      db,
    );
  }

  async setRawScores(
    db: Db,
    metricId: string,
    rowids: Int32Array,
    rawScores: Float64Array,
    predictions: readonly string[] | undefined,
  ): Promise<number> {
    const texts = predictions ?? Array.from(rowids, () => null);
    const { numAffectedRows } = await sql`update metric_data as d
      set raw_anomaly_score = n.s, multi_step_best_predictions = n.p
      from unnest(${[...rowids]}::int[], ${[...rawScores]}::float8[], ${[...texts]}::text[]) as n (r, s, p)
      where d.uid = ${metricId} and d.rowid = n.r`.execute(db);
    return Number(numAffectedRows);
  }

  async setAnomalyScores(
    db: Db,
    metricId: string,
    rowids: Int32Array,
    anomalyScores: Float64Array,
    displayValues: Int32Array,
  ): Promise<number> {
    const { numAffectedRows } = await sql`update metric_data as d
      set anomaly_score = n.s, display_value = n.v
      from unnest(${[...rowids]}::int[], ${[...anomalyScores]}::float8[], ${[...displayValues]}::int[]) as n (r, s, v)
      where d.uid = ${metricId} and d.rowid = n.r and d.raw_anomaly_score is not null`.execute(db);
    return Number(numAffectedRows);
  }
}

function lastRowid(run: RowRun): number {
  return run.firstRowid + run.timestamps.length - 1;
}

export const postgresDialect: SqlDialect = {
  isOneOf: (expression, values) => sql`${expression} = any(${[...values]}::varchar[])`,
  time: (epochSeconds) => new Date(epochSeconds * 1000),
  now: sql`extract(epoch from clock_timestamp())::float8`,
  bulk: new PostgresBulk(),
  locksRows: true,
};
