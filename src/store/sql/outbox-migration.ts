import type { Kysely } from 'kysely';
import { newTable, type MigrationDialect } from './migration-dialect.ts';
import type { Schema } from './schema.ts';

/** Adds the table for what happened to models. Events outlive their metric, so nothing refers to it. */
export async function outboxMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'outbox')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('event_id', dialect.nameType(40), (column) => column.notNull())
    .addColumn('kind', 'varchar(10)', (column) => column.notNull())
    .addColumn('name', dialect.nameType(255), (column) => column.notNull())
    .addColumn('resource', 'varchar(255)', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('spec', dialect.textType)
    .addColumn('message', dialect.textType)
    .addPrimaryKeyConstraint('outbox_primary_key', ['uid', 'sequence'])
    .$call(dialect.clustered)
    .execute();
}
