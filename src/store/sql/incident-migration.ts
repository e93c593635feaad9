import type { Kysely } from 'kysely';
import { newTable, type MigrationDialect } from './migration-dialect.ts';
import type { Schema } from './schema.ts';

/** Adds anomalous spans and what people say of them. Times are epoch seconds in all databases: no span is found by SQL of ours as a date. */
export async function incidentMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'anomaly_span')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('opened_rowid', 'integer', (column) => column.notNull())
    .addColumn('opened_at', 'bigint', (column) => column.notNull())
    .addColumn('last_rowid', 'integer', (column) => column.notNull())
    .addColumn('last_at', 'bigint', (column) => column.notNull())
    .addColumn('peak_score', 'double precision', (column) => column.notNull())
    .addColumn('peak_at', 'bigint', (column) => column.notNull())
    .addColumn('lowest_value', 'double precision', (column) => column.notNull())
    .addColumn('highest_value', 'double precision', (column) => column.notNull())
    .addColumn('ended', 'integer', (column) => column.notNull())
    .addColumn('acknowledged_at', 'bigint')
    .addColumn('acknowledged_note', dialect.textType)
    .addPrimaryKeyConstraint('anomaly_span_primary_key', ['uid', 'generation', 'opened_rowid'])
    .addForeignKeyConstraint('anomaly_span_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call((table) => (dialect.rollsBackTables ? table : table.addIndex(NEWEST_INDEX, ['last_at'])))
    .execute();
  if (dialect.rollsBackTables) {
    await db.schema.createIndex(NEWEST_INDEX).on('anomaly_span').column('last_at').execute();
  }
  await newTable(db, dialect, 'mute')
    .addColumn('id', dialect.nameType(40), (column) => column.primaryKey().notNull())
    .addColumn('pattern', dialect.nameType(255), (column) => column.notNull())
    .addColumn('from_at', 'bigint', (column) => column.notNull())
    .addColumn('until_at', 'bigint')
    .addColumn('note', dialect.textType, (column) => column.notNull())
    .execute();
  await newTable(db, dialect, 'usual_pattern')
    .addColumn('id', dialect.nameType(40), (column) => column.primaryKey().notNull())
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('lowest_value', 'double precision', (column) => column.notNull())
    .addColumn('highest_value', 'double precision', (column) => column.notNull())
    .addColumn('from_minute', 'integer')
    .addColumn('to_minute', 'integer')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('note', dialect.textType, (column) => column.notNull())
    .addForeignKeyConstraint('usual_pattern_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .execute();
}

/** For the spans with the newest rows. */
const NEWEST_INDEX = 'anomaly_span_newest_idx';
