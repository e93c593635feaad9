import Database from 'better-sqlite3';
import { Kysely, SqliteDialect, type SqliteDatabase, type SqliteStatement } from 'kysely';
import { migrate } from '../sql/migrations.ts';
import type { Schema } from '../sql/schema.ts';
import { sqliteMigrationDialect } from './dialect.ts';
import { toOpenError } from './faults.ts';

export interface SqliteOptions {
  /** The database file; it is created if need be, its directory is not. */
  readonly path: string;
  /** How long a statement waits for a database that another program has locked. */
  readonly busyTimeoutMs: number;
  /** Memory for pages of the database. */
  readonly cacheBytes: number;
}

/**
 * The write-ahead log is copied into the database after so many pages, 64 MiB. A page that was written several times
 * since is copied once: appending a row to each of 10,000 metrics took 390 ms with SQLite's 1000 pages, so 260 ms.
 */
const CHECKPOINT_PAGES = 16_384;
/** A write-ahead log that a burst made larger is cut to this. */
const WAL_LIMIT_BYTES = 64 * 2 ** 20;
const STATEMENT_CACHE_SIZE = 200;

/**
 * Opens the database, makes it durable (a write-ahead log that is synced at every commit) and brings its schema up
 * to date.
 * @throws HtmEngineError `store_locked`, `store_newer`, `data_directory_unwritable`, `store_unavailable`
 */
export async function openDatabase(
  options: SqliteOptions,
): Promise<{ connection: Database.Database; db: Kysely<Schema> }> {
  let connection: Database.Database | undefined;
  try {
    connection = new Database(options.path, { timeout: options.busyTimeoutMs });
    configure(connection, options.cacheBytes);
    const db = kyselyOver(connection);
    await migrateAlone(connection, db, options.path);
    return { connection, db };
  } catch (error) {
    connection?.close();
    throw toOpenError(error, options.path);
  }
}

/** Statements over a connection, the most used of them kept prepared. */
export function kyselyOver(connection: Database.Database): Kysely<Schema> {
  return new Kysely({ dialect: new SqliteDialect({ database: new CachingDatabase(connection) }) });
}

function configure(connection: Database.Database, cacheBytes: number): void {
  setPragma(connection, 'journal_mode', 'WAL', 'wal');
  setPragma(connection, 'synchronous', 'FULL', 2);
  setPragma(connection, 'foreign_keys', 'ON', 1);
  setPragma(connection, 'temp_store', 'MEMORY', 2);
  setPragma(connection, 'cache_size', -Math.ceil(cacheBytes / 1024));
  setPragma(connection, 'wal_autocheckpoint', CHECKPOINT_PAGES);
  setPragma(connection, 'journal_size_limit', WAL_LIMIT_BYTES);
}

/** SQLite does not complain about what it cannot do: what counts is what it says afterwards. */
function setPragma(
  connection: Database.Database,
  name: string,
  value: string | number,
  inForce: string | number = value,
): void {
  connection.pragma(`${name} = ${value}`);
  const found: unknown = connection.pragma(name, { simple: true });
  if (found !== inForce) throw new Error(`SQLite has ${name} = ${String(found)}, not ${value}`);
}

/** In one transaction of our own: a kill leaves either no new migration or all, and a second program waits. */
async function migrateAlone(connection: Database.Database, db: Kysely<Schema>, path: string): Promise<void> {
  connection.exec('BEGIN IMMEDIATE');
  try {
    expectWritable(connection);
    await migrate(db, sqliteMigrationDialect, path);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

/**
 * A file that may only be read is opened all the same, and BEGIN IMMEDIATE begins a transaction that reads: without a
 * write the first sample would find out.
 */
function expectWritable(connection: Database.Database): void {
  const version = Number(connection.pragma('user_version', { simple: true }));
  connection.pragma(`user_version = ${version}`);
}

/** Keeps the statements that were used last prepared: compiling one takes longer than running it. */
class CachingDatabase implements SqliteDatabase {
  readonly #connection: Database.Database;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(connection: Database.Database) {
    this.#connection = connection;
  }

  prepare(text: string): SqliteStatement {
    const statement = this.#statements.get(text) ?? this.#connection.prepare(text);
    this.#statements.delete(text);
    this.#statements.set(text, statement);
    if (this.#statements.size > STATEMENT_CACHE_SIZE) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return statement;
  }

  close(): void {
    this.#connection.close();
  }
}
