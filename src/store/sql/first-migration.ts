import type { Kysely } from 'kysely';
import { MetricStatus } from '../../metric.ts';
import { newLeases } from './leases.ts';
import { newTable, type MigrationDialect } from './migration-dialect.ts';
import { NEW_INSTALLATION_PARTITIONS } from '../../partition.ts';
import type { Schema } from './schema.ts';

/**
 * Creates every table. A released migration is never changed: what comes later is a migration of its own. Where
 * creating a table cannot be rolled back, one that was cut short is run again: what is there already stays.
 */
export async function firstMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await createMetricTables(db, dialect);
  await createGenerationTables(db, dialect);
  await createWatermarkTables(db, dialect);
  await createInstallationTables(db, dialect);
}

async function createMetricTables(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'metric')
    .addColumn('uid', dialect.nameType(40), (column) => column.primaryKey().notNull())
    .addColumn('datasource', dialect.nameType(100), (column) => column.notNull())
    .addColumn('name', dialect.nameType(255), (column) => column.notNull())
    .addColumn('description', 'varchar(300)')
    .addColumn('server', 'varchar(255)')
    .addColumn('location', 'varchar(255)')
    .addColumn('tag_name', 'varchar(255)')
    .addColumn('status', 'integer', (column) => column.notNull().defaultTo(MetricStatus.UNMONITORED))
    .addColumn('message', dialect.textType)
    .addColumn('collector_error', dialect.textType)
    .addColumn('poll_interval', 'integer', (column) => column.notNull().defaultTo(60))
    .addColumn('last_rowid', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('last_timestamp', dialect.timestampType)
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('parameters', dialect.textType)
    .addColumn('model_params', dialect.textType)
    .addUniqueConstraint('metric_datasource_name_unique', ['datasource', 'name'])
    .execute();
  await newTable(db, dialect, 'metric_data')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('rowid', 'integer', (column) => column.notNull())
    .addColumn('timestamp', dialect.timestampType, (column) => column.notNull())
    .addColumn('metric_value', 'double precision', (column) => column.notNull())
    .addColumn('raw_anomaly_score', 'double precision')
    .addColumn('anomaly_score', 'double precision')
    .addColumn('display_value', 'integer')
    .addColumn('multi_step_best_predictions', dialect.textType)
    .addPrimaryKeyConstraint('metric_data_primary_key', ['uid', 'rowid'])
    .addForeignKeyConstraint('metric_data_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call(dialect.clustered)
    .execute();
}

async function createGenerationTables(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'generation')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('state', 'varchar(10)', (column) => column.notNull())
    .addColumn('backlog_rowid', 'integer', (column) => column.notNull())
    .addColumn('start_rowid', 'integer')
    .addColumn('minimum_rows', 'integer', (column) => column.notNull())
    .addColumn('min_resolution', 'double precision')
    .addColumn('range_min', 'double precision')
    .addColumn('range_max', 'double precision')
    .addColumn('resolution', 'double precision')
    .addColumn('algorithm_revision', 'integer', (column) => column.notNull())
    .addColumn('resource', 'varchar(255)')
    .addColumn('likelihood', dialect.textType, (column) => column.notNull())
    .addColumn('resolution_path', dialect.textType)
    .addColumn('spec', dialect.textType, (column) => column.notNull())
    .addColumn('model_params', dialect.textType, (column) => column.notNull())
    .addPrimaryKeyConstraint('generation_primary_key', ['uid', 'generation'])
    .addForeignKeyConstraint('generation_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call((generation) =>
      dialect.rollsBackTables ? generation : generation.addIndex(STATE_INDEX, ['state', 'uid']),
    )
    .execute();
  if (dialect.rollsBackTables) {
    await db.schema.createIndex(STATE_INDEX).on('generation').columns(['state', 'uid']).execute();
  }
  await newTable(db, dialect, 'model_command')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('after_rowid', 'integer', (column) => column.notNull())
    .addColumn('what', 'varchar(40)', (column) => column.notNull())
    .addColumn('args', dialect.textType)
    .addPrimaryKeyConstraint('model_command_primary_key', ['uid', 'generation', 'sequence'])
    .addForeignKeyConstraint(
      'model_command_to_generation_fk',
      ['uid', 'generation'],
      'generation',
      ['uid', 'generation'],
      (key) => key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call(dialect.clustered)
    .execute();
}

async function createWatermarkTables(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'scheduler_watermark')
    .addColumn('uid', dialect.nameType(40), (column) => column.primaryKey().notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('processed_rowid', 'integer', (column) => column.notNull())
    .addColumn('command_sequence', 'integer', (column) => column.notNull())
    .addForeignKeyConstraint('scheduler_watermark_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call(dialect.clustered)
    .execute();
  await newTable(db, dialect, 'anomaly_watermark')
    .addColumn('uid', dialect.nameType(40), (column) => column.primaryKey().notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('scored_rowid', 'integer', (column) => column.notNull())
    .addColumn('state', dialect.binaryType)
    .addForeignKeyConstraint('anomaly_watermark_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call(dialect.clustered)
    .execute();
  await newTable(db, dialect, 'cursor')
    .addColumn('uid', dialect.nameType(40), (column) => column.notNull())
    .addColumn('consumer', 'varchar(100)', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('rowid', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('cursor_primary_key', ['uid', 'consumer'])
    .addForeignKeyConstraint('cursor_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call(dialect.clustered)
    .execute();
  await newTable(db, dialect, 'result_clearing')
    .addColumn('uid', dialect.nameType(40), (column) => column.primaryKey().notNull())
    .addColumn('next_rowid', 'integer', (column) => column.notNull())
    .addColumn('through_rowid', 'integer', (column) => column.notNull())
    .addForeignKeyConstraint('result_clearing_to_metric_fk', ['uid'], 'metric', ['uid'], (key) =>
      key.onDelete('cascade').onUpdate('cascade'),
    )
    .$call(dialect.clustered)
    .execute();
}

async function createInstallationTables(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  await newTable(db, dialect, 'lease')
    .addColumn('stage', 'varchar(20)', (column) => column.notNull())
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('owner', 'varchar(255)')
    .addColumn('epoch', 'integer', (column) => column.notNull())
    .addColumn('expires_at', dialect.timestampType)
    .addPrimaryKeyConstraint('lease_primary_key', ['stage', 'partition'])
    .$call(dialect.clustered)
    .execute();
  await newTable(db, dialect, 'installation')
    .addColumn('name', 'varchar(40)', (column) => column.primaryKey().notNull())
    .addColumn('value', 'varchar(255)', (column) => column.notNull())
    .$call(dialect.clustered)
    .execute();
  const filled = await db.selectFrom('installation').select('name').limit(1).executeTakeFirst();
  if (filled !== undefined) return;
  await db.deleteFrom('lease').execute();
  await db.insertInto('lease').values(newLeases(NEW_INSTALLATION_PARTITIONS, 0)).execute();
  await db
    .insertInto('installation')
    .values([
      { name: 'partitions', value: String(NEW_INSTALLATION_PARTITIONS) },
      { name: 'ping', value: '0' },
    ])
    .execute();
}

/** For the sweep over generations that wait for rows. */
const STATE_INDEX = 'generation_state_idx';
