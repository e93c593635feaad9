import type { Kysely } from 'kysely';
import { newTable, type MigrationDialect } from './migration-dialect.ts';
import type { Schema } from './schema.ts';

/** Adds the ages that metrics have of their own, and the cursors that keep rows from being purged. */
export async function retentionMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'metric_retention')
    .addColumn('uid', dialect.nameType(40), (column) => column.primaryKey().notNull())
    .addColumn('max_age_seconds', 'integer', (column) => column.notNull())
    .addForeignKeyConstraint('metric_retention_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .execute();
  await newTable(db, dialect, 'stalled_cursor')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('consumer', 'varchar(100)', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('rowid', 'integer', (column) => column.notNull())
    .addColumn('since', dialect.timestampType, (column) => column.notNull())
    .addPrimaryKeyConstraint('stalled_cursor_primary_key', ['uid', 'consumer'])
    .addForeignKeyConstraint('stalled_cursor_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .execute();
}
