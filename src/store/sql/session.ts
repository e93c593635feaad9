import type { Expression, Kysely, RawBuilder, SqlBool } from 'kysely';
import type { Schema } from './schema.ts';

/** The database as an operation sees it: inside a transaction where it writes. */
export type Db = Kysely<Schema>;

/** How operations reach a database. */
export interface Session {
  /** Runs an operation that is a single reading statement: consistent in itself, it needs no transaction. */
  query<T>(operation: (db: Db) => Promise<T>): Promise<T>;
  /** Runs an operation that only reads, on one consistent state of the database. */
  read<T>(operation: (db: Db) => Promise<T>): Promise<T>;
  /**
   * Runs an operation in one transaction, as if no other ran at the same time (where a database has several writers:
   * isolation level serializable, repeated after a conflict), and resolves once it is durable.
   * Whatever the operation throws rolls all of it back and is thrown on.
   */
  write<T>(operation: (db: Db, attempt: Attempt) => Promise<T>): Promise<T>;
}

/** What an operation must know of the attempts before it. */
export interface Attempt {
  /**
   * The answer to an earlier attempt's commit was lost with the connection, so what it wrote may be there. An
   * operation for which repeating is not the same as doing it once looks, and takes it for its own.
   */
  readonly mayHaveLanded: boolean;
}

/** What differs from database to database, beside what Kysely's own dialects even out. */
export interface SqlDialect {
  /** `expression in (values)` for up to tens of thousands of values. */
  isOneOf(expression: Expression<string>, values: readonly string[]): Expression<SqlBool>;
  /** Epoch seconds as a column of times takes them. */
  time(epochSeconds: number): unknown;
  /** The database's clock when the statement runs: epoch seconds with a fraction. */
  readonly now: RawBuilder<number>;
  readonly bulk: BulkStatements;
  /** Whether rows are locked one by one (`for update`); if not, a writer has the whole database to itself. */
  readonly locksRows: boolean;
}

/**
 * Statements over many rows, which every database has its own fastest way for. They run in the transaction of the
 * operation that calls them.
 */
export interface BulkStatements {
  /** Inserts the rows and sets the metrics' `last_rowid` and `last_timestamp` to the last of them. Runs are in uid order. */
  appendRows(db: Db, runs: readonly RowRun[]): Promise<void>;
  /** Sets the raw score (and the predictions) of stored rows. @returns how many rows there were. */
  setRawScores(
    db: Db,
    metricId: string,
    rowids: Int32Array,
    rawScores: Float64Array,
    predictions: readonly string[] | undefined,
  ): Promise<number>;
  /** Sets the anomaly score and the display value of rows that have a raw score. @returns how many rows there were. */
  setAnomalyScores(
    db: Db,
    metricId: string,
    rowids: Int32Array,
    anomalyScores: Float64Array,
    displayValues: Int32Array,
  ): Promise<number>;
}

/** New rows of one metric with consecutive rowids. */
export interface RowRun {
  readonly metricId: string;
  readonly firstRowid: number;
  readonly timestamps: readonly number[];
  readonly values: readonly number[];
}
