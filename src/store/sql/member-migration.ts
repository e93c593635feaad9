import type { Kysely } from 'kysely';
import { newTable, type MigrationDialect } from './migration-dialect.ts';
import type { Schema } from './schema.ts';

/**
 * Adds the table of those who share the work of a stage. A lease is in force while its owner lives, so it has no time of
 * its own any more.
 */
export async function memberMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'member')
    .addColumn('stage', 'varchar(20)', (column) => column.notNull())
    .addColumn('owner', 'varchar(255)', (column) => column.notNull())
    .addColumn('expires_at', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('member_primary_key', ['stage', 'owner'])
    .$call(dialect.clustered)
    .execute();
  const tables = await db.introspection.getTables();
  const lease = tables.find((table) => table.name === 'lease');
  // Where changing a table cannot be rolled back, this may be the second run.
  if (lease?.columns.some((column) => column.name === 'expires_at') === true)
    await db.schema.alterTable('lease').dropColumn('expires_at').execute();
}
