import { sql } from 'kysely';
import type { MigrationDialect } from '../sql/migration-dialect.ts';
import type { BulkStatements, Db, RowRun, SqlDialect } from '../sql/session.ts';

/** @param collation compares texts by bytes, blanks at their ends included. */
export function mysqlMigrationDialect(collation: string): MigrationDialect {
  return {
    timestampType: sql`datetime`,
    binaryType: sql`mediumblob`,
    textType: sql`mediumtext`,
    nameType: (length) => sql`varchar(${sql.lit(length)})`,
    epochSeconds: (column) => sql`timestampdiff(second, '1970-01-01 00:00:00', ${column})`,
    dateTime: (column) => column,
    clustered: (table) => table,
    rollsBackTables: false,
    table: (table) =>
      table.modifyEnd(sql`engine = InnoDB default character set utf8mb4 collate ${sql.raw(collation)}`),
  };
}

/** Rows of one statement: about 100 bytes each, well below the least `max_allowed_packet` in use (4 MiB). */
const CHUNK_ROWS = 10_000;

class MysqlBulk implements BulkStatements {
  readonly #collation: string;

  constructor(collation: string) {
    this.#collation = collation;
  }

  async appendRows(db: Db, runs: readonly RowRun[]): Promise<void> {
    const rows = runs.flatMap(({ metricId, firstRowid, timestamps, values }) =>
      timestamps.map(
        (timestamp, index) =>
          sql`(${metricId}, ${firstRowid + index}, ${dateTime(timestamp)}, ${values[index]})`,
      ),
    );
    for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
      await sql`insert into metric_data (uid, \`rowid\`, \`timestamp\`, metric_value) values ${sql.join(rows.slice(start, start + CHUNK_ROWS))}`.execute(
        db,
      );
    }
    await this.#moveTails(db, runs);
  }

  async #moveTails(db: Db, runs: readonly RowRun[]): Promise<void> {
    for (let start = 0; start < runs.length; start += CHUNK_ROWS) {
      const tails = runs.slice(start, start + CHUNK_ROWS).map((run) => ({
        uid: run.metricId,
        last_rowid: run.firstRowid + run.timestamps.length - 1,
        last_timestamp: dateTime(run.timestamps.at(-1) ?? 0),
      }));
      await sql`update metric as m join ${jsonRows(
        tails.map((tail) => [tail.uid, tail.last_rowid, tail.last_timestamp]),
        sql`u varchar(40) character set utf8mb4 path '$[0]', r int path '$[1]', t datetime path '$[2]'`,
      )} on m.uid = n.u collate ${sql.raw(this.#collation)} set m.last_rowid = n.r, m.last_timestamp = n.t`.execute(
        db,
      );
    }
  }

  async setRawScores(
    db: Db,
    metricId: string,
    rowids: Int32Array,
    rawScores: Float64Array,
    predictions: readonly string[] | undefined,
  ): Promise<number> {
    const rows = Array.from(rowids, (rowid, index) => [
      rowid,
      exact(rawScores[index]),
      predictions?.[index] ?? null,
    ]);
    const { numAffectedRows } = await sql`update metric_data as d join ${jsonRows(
      rows,
      sql`r int path '$[0]', s double path '$[1]', p mediumtext path '$[2]'`,
    )} on d.\`rowid\` = n.r set d.raw_anomaly_score = n.s, d.multi_step_best_predictions = n.p
      where d.uid = ${metricId}`.execute(db);
    return Number(numAffectedRows);
  }

  async setAnomalyScores(
    db: Db,
    metricId: string,
    rowids: Int32Array,
    anomalyScores: Float64Array,
    displayValues: Int32Array,
  ): Promise<number> {
    const rows = Array.from(rowids, (rowid, index) => [
      rowid,
      exact(anomalyScores[index]),
      displayValues[index],
    ]);
    const { numAffectedRows } = await sql`update metric_data as d join ${jsonRows(
      rows,
      sql`r int path '$[0]', s double path '$[1]', v int path '$[2]'`,
    )} on d.\`rowid\` = n.r set d.anomaly_score = n.s, d.display_value = n.v
      where d.uid = ${metricId} and d.raw_anomaly_score is not null`.execute(db);
    return Number(numAffectedRows);
  }
}

/** A table `n` of rows that are sent as one argument. */
function jsonRows(rows: readonly (readonly unknown[])[], columns: ReturnType<typeof sql>) {
  return sql`json_table(${JSON.stringify(rows)}, '$[*]' columns (${columns})) as n`;
}

/** As text: the server then converts it as it does a literal, exactly; its JSON numbers might lose a bit. */
function exact(value: number | undefined): string {
  return String(value);
}

/** Epoch seconds as the server writes times, in UTC. */
function dateTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

/** @param collation as for `mysqlMigrationDialect`. */
export function mysqlDialect(collation: string): SqlDialect {
  return {
    isOneOf: (expression, values) =>
      values.length === 0 ? sql`false` : sql`${expression} in (${sql.join(values)})`,
    time: dateTime,
    now: sql`cast(unix_timestamp(sysdate(3)) as double)`,
    bulk: new MysqlBulk(collation),
    locksRows: true,
  };
}
