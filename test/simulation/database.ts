import Database from 'better-sqlite3';
import type { CheckpointStore } from '../../src/checkpoints/checkpoint-store.ts';
import type { Catalogue } from '../../src/store/catalogue.ts';
import type { Log } from '../../src/store/log.ts';
import { migrate } from '../../src/store/sql/migrations.ts';
import type { Session } from '../../src/store/sql/session.ts';
import { sqlStore } from '../../src/store/sql/store.ts';
import { kyselyOver } from '../../src/store/sqlite/database.ts';
import { sqliteDialect, sqliteMigrationDialect } from '../../src/store/sqlite/dialect.ts';
import { GroupCommitSession } from '../../src/store/sqlite/group-commit.ts';
import { METRICS } from './series.ts';

/** The store's own SQL over SQLite in memory, without its thread: the same calls in the same order each run. */
export interface SimulatedDatabase {
  readonly connection: Database.Database;
  readonly session: Session;
  readonly log: Log;
  readonly catalogue: Catalogue;
  readonly checkpoints: CheckpointStore;
}

/** One for all simulations of a process: migrating it and preparing its statements takes longer than using it. */
let shared: Promise<{ database: SimulatedDatabase; reset: () => Promise<void> }> | undefined;
let now: () => number = () => 0;

/** The database with the metrics and nothing else. One simulation at a time. */
export async function openSimulatedDatabase(nowMs: () => number): Promise<SimulatedDatabase> {
  now = nowMs;
  shared ??= create();
  const { database, reset } = await shared;
  await reset();
  return database;
}

async function create(): Promise<{ database: SimulatedDatabase; reset: () => Promise<void> }> {
  const connection = new Database(':memory:');
  const db = kyselyOver(connection);
  await migrate(db, sqliteMigrationDialect, 'the simulated database');
  const session = new GroupCommitSession(connection, db, () => now());
  const { log, catalogue, checkpoints } = await sqlStore(session, sqliteDialect(connection));
  const rename = connection.prepare('update metric set uid = ? where uid = ?');
  for (const { name, metricId } of METRICS) {
    rename.run(metricId, (await catalogue.createMetric(name)).metricId);
  }
  const copyBack = keepCopy(connection);
  return {
    database: { connection, session, log, catalogue, checkpoints },
    reset: async () => {
      await session.idle();
      copyBack();
    },
  };
}

/** Keeps a copy of every table. @returns what puts them back as they were */
function keepCopy(connection: Database.Database): () => void {
  connection.exec(`attach ':memory:' as kept`);
  const tables = connection
    .prepare(`select name from main.sqlite_schema where type = 'table' and name not like 'sqlite_%'`)
    .pluck()
    .all() as string[];
  for (const table of tables)
    connection.exec(`create table kept."${table}" as select * from main."${table}"`);
  const statements = tables.flatMap((table) =>
    [`delete from main."${table}"`, `insert into main."${table}" select * from kept."${table}"`].map((text) =>
      connection.prepare(text),
    ),
  );
  connection.pragma('foreign_keys = off');
  return connection.transaction(() => statements.forEach((statement) => statement.run()));
}
