import type { Kysely } from 'kysely';
import { newTable, type MigrationDialect } from './migration-dialect.ts';
import type { Schema } from './schema.ts';

/** Adds the table for saved models, for those who keep them with the rows. */
export async function checkpointMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'checkpoint')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('rowid', 'integer', (column) => column.notNull())
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('chunk', 'integer', (column) => column.notNull())
    .addColumn('bytes', 'integer', (column) => column.notNull())
    .addColumn('data', dialect.binaryType, (column) => column.notNull())
    .addPrimaryKeyConstraint('checkpoint_primary_key', ['uid', 'generation', 'rowid', 'revision', 'chunk'])
    .execute();
}
