import type { Kysely } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { HtmEngineError } from '../../errors.ts';
import { barsMigration } from './bars-migration.ts';
import { checkpointMigration } from './checkpoint-migration.ts';
import { firstMigration } from './first-migration.ts';
import { incidentMigration } from './incident-migration.ts';
import { memberMigration } from './member-migration.ts';
import type { MigrationDialect } from './migration-dialect.ts';
import { retentionMigration } from './retention-migration.ts';
import { outboxMigration } from './outbox-migration.ts';
import type { Schema } from './schema.ts';
import { viewMigration } from './view-migration.ts';

/**
 * Brings the schema up to date: forward only. The caller holds a transaction, or whatever keeps a second program
 * from doing the same at the same time.
 * @throws HtmEngineError `store_newer` if a migration has run that this program does not know.
 */
export async function migrate(db: Kysely<Schema>, dialect: MigrationDialect, where: string): Promise<void> {
  const migrations: Record<string, Migration> = {
    '0001-first': { up: (database: Kysely<Schema>) => firstMigration(database, dialect) },
    '0002-checkpoints': { up: (database: Kysely<Schema>) => checkpointMigration(database, dialect) },
    '0003-incidents': { up: (database: Kysely<Schema>) => incidentMigration(database, dialect) },
    '0004-views': { up: (database: Kysely<Schema>) => viewMigration(database, dialect) },
    '0005-retention': { up: (database: Kysely<Schema>) => retentionMigration(database, dialect) },
    '0006-outbox': { up: (database: Kysely<Schema>) => outboxMigration(database, dialect) },
    '0007-anomaly-bars': { up: (database: Kysely<Schema>) => barsMigration(database, dialect) },
    '0008-members': { up: (database: Kysely<Schema>) => memberMigration(database, dialect) },
  };
  await refuseNewer(db, Object.keys(migrations), where);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw asError(error);
}

async function refuseNewer(db: Kysely<Schema>, known: readonly string[], where: string): Promise<void> {
  const unknown = (await executedMigrations(db)).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new HtmEngineError(
    'store_newer',
    `${where} was made by a newer version of htmengine (it has the migration ${unknown.join(', ')}): install that version or a newer one`,
  );
}

async function executedMigrations(db: Kysely<Schema>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === MIGRATION_TABLE)) return [];
  const rows = await db
    .$extendTables<{ [MIGRATION_TABLE]: { name: string } }>()
    .selectFrom(MIGRATION_TABLE)
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}

const MIGRATION_TABLE = 'kysely_migration';

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
