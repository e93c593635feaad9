import type Database from 'better-sqlite3';
import { sql } from 'kysely';
import type { MigrationDialect } from '../sql/migration-dialect.ts';
import type { BulkStatements, RowRun, SqlDialect } from '../sql/session.ts';

export const sqliteMigrationDialect: MigrationDialect = {
  timestampType: 'integer',
  binaryType: 'blob',
  clustered: (table) => table.modifyEnd(sql`without rowid`),
};

/** What SQLite does its own way. */
export function sqliteDialect(connection: Database.Database): SqlDialect {
  return {
    // One parameter whatever their number, so that the statement stays the same and stays prepared.
    isOneOf: (expression, values) =>
      sql`${expression} in (select value from json_each(${JSON.stringify(values)}))`,
    bulk: new SqliteBulk(connection),
  };
}

/** Prepared statements run row by row: there is no round trip to save. They share the connection's transaction. */
class SqliteBulk implements BulkStatements {
  readonly #insertRow: Database.Statement;
  readonly #moveTail: Database.Statement;
  readonly #setRawScore: Database.Statement;
  readonly #setAnomalyScore: Database.Statement;

  constructor(connection: Database.Database) {
    this.#insertRow = connection.prepare(
      'insert into metric_data (uid, rowid, timestamp, metric_value) values (?, ?, ?, ?)',
    );
    this.#moveTail = connection.prepare('update metric set last_rowid = ?, last_timestamp = ? where uid = ?');
    this.#setRawScore = connection.prepare(
      'update metric_data set raw_anomaly_score = ?, multi_step_best_predictions = ? where uid = ? and rowid = ?',
    );
    this.#setAnomalyScore = connection.prepare(
      'update metric_data set anomaly_score = ?, display_value = ?' +
        ' where uid = ? and rowid = ? and raw_anomaly_score is not null',
    );
  }

  appendRows(_db: unknown, runs: readonly RowRun[]): Promise<void> {
    for (const { metricId, firstRowid, timestamps, values } of runs) {
      for (const [index, timestamp] of timestamps.entries()) {
        this.#insertRow.run(metricId, firstRowid + index, timestamp, values[index]);
      }
    }
    for (const { metricId, firstRowid, timestamps } of runs) {
      this.#moveTail.run(firstRowid + timestamps.length - 1, timestamps.at(-1), metricId);
    }
    return Promise.resolve();
  }

  setRawScores(
    _db: unknown,
    metricId: string,
    rowids: Int32Array,
    rawScores: Float64Array,
    predictions: readonly string[] | undefined,
  ): Promise<number> {
    let found = 0;
    for (const [index, rowid] of rowids.entries()) {
      const prediction = predictions?.[index] ?? null;
      found += this.#setRawScore.run(rawScores[index], prediction, metricId, rowid).changes;
    }
    return Promise.resolve(found);
  }

  setAnomalyScores(
    _db: unknown,
    metricId: string,
    rowids: Int32Array,
    anomalyScores: Float64Array,
    displayValues: Int32Array,
  ): Promise<number> {
    let found = 0;
    for (const [index, rowid] of rowids.entries()) {
      found += this.#setAnomalyScore.run(anomalyScores[index], displayValues[index], metricId, rowid).changes;
    }
    return Promise.resolve(found);
  }
}
