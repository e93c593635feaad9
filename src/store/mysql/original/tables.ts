import { sql, type Kysely } from 'kysely';
import type { Schema } from '../../sql/schema.ts';
import { MODELS_TABLE, RESULTS_TABLE } from './recognise.ts';

/** Indexes of the original that no statement of ours uses, and that every written score would have to keep up. */
const OLD_INDEXES = {
  metric: ['datasource_idx', 'server_idx', 'location_idx'],
  metric_data: ['timestamp_idx', 'anomaly_score_idx'],
} as const;
const FOREIGN_KEY = 'metric_data_to_metric_fk';
const UNIQUE_NAMES = 'metric_datasource_name_unique';

/** The tables that are there only because the database was the original's. The first marks the upgrade as begun. */
export async function createOwnTables(db: Kysely<Schema>, collation: string): Promise<void> {
  const end = sql`engine = InnoDB default character set utf8mb4 collate ${sql.raw(collation)}`;
  await sql`create table if not exists ${sql.table(MODELS_TABLE)} (uid varchar(40) not null primary key,
    name varchar(255) not null, status int not null, parameters mediumtext) ${end}`.execute(db);
  await sql`create table if not exists ${sql.table(RESULTS_TABLE)} (uid varchar(40) not null, \`rowid\` int not null,
    raw_anomaly_score double, anomaly_score double, display_value int, multi_step_best_predictions mediumtext,
    primary key (uid, \`rowid\`)) ${end}`.execute(db);
}

/**
 * Gives `metric` and `metric_data` the columns that our first migration would: each statement may have run before.
 * Times keep what a reader of the server's own time zone saw, as the original's clients did.
 */
export async function reshapeTables(db: Kysely<Schema>, collation: string): Promise<void> {
  const modes = await sql<{ mode: string }>`select @@session.sql_mode as mode`.execute(db);
  // Early states have a default for times that is no time: strict modes refuse every statement on such a table.
  await sql`set session sql_mode = 'STRICT_TRANS_TABLES'`.execute(db);
  await sql`alter table metric_data alter column \`timestamp\` drop default`.execute(db);
  await sql`set session sql_mode = ${modes.rows[0]?.mode ?? ''}`.execute(db);
  if (await hasConstraint(db, 'metric_data', FOREIGN_KEY))
    await sql`alter table metric_data drop foreign key ${sql.ref(FOREIGN_KEY)}`.execute(db);
  const convert = sql`convert to character set utf8mb4 collate ${sql.raw(collation)}`;
  await sql`set session time_zone = @@global.time_zone`.execute(db);
  try {
    await sql`alter table metric_data ${await dropsOf(db, 'metric_data')}
      modify column uid varchar(40) not null, modify column \`rowid\` int not null,
      modify column \`timestamp\` datetime not null, modify column metric_value double not null,
      ${await addsColumn(db, 'metric_data', 'multi_step_best_predictions')} multi_step_best_predictions mediumtext,
      ${convert}`.execute(db);
    await sql`alter table metric ${await dropsOf(db, 'metric')}
      modify column uid varchar(40) not null, modify column datasource varchar(100) not null,
      modify column name varchar(255) not null, modify column description varchar(300),
      modify column server varchar(255), modify column location varchar(255), modify column tag_name varchar(255),
      modify column status int not null default 0, modify column message mediumtext,
      modify column collector_error mediumtext, modify column last_timestamp datetime,
      modify column parameters mediumtext, modify column model_params mediumtext,
      ${await addsColumn(db, 'metric', 'partition')} \`partition\` int not null default 0, ${convert}`.execute(
      db,
    );
  } finally {
    await sql`set session time_zone = '+00:00'`.execute(db);
  }
}

/** What only holds once the rows are as they must be. */
export async function constrainTables(db: Kysely<Schema>): Promise<void> {
  await sql`alter table metric modify column poll_interval int not null default 60,
    modify column last_rowid int not null default 0, alter column \`partition\` drop default`.execute(db);
  if (!(await hasConstraint(db, 'metric', UNIQUE_NAMES)))
    await sql`alter table metric add constraint ${sql.ref(UNIQUE_NAMES)} unique (datasource, name)`.execute(
      db,
    );
  if (!(await hasConstraint(db, 'metric_data', FOREIGN_KEY)))
    await sql`alter table metric_data add constraint ${sql.ref(FOREIGN_KEY)} foreign key (uid)
      references metric (uid) on delete cascade on update cascade`.execute(db);
}

async function dropsOf(db: Kysely<Schema>, table: keyof typeof OLD_INDEXES) {
  const { rows } = await sql<{ name: string }>`select distinct index_name as \`name\`
    from information_schema.statistics where table_schema = database() and table_name = ${table}`.execute(db);
  const present = new Set(rows.map(({ name }) => name));
  const drops = OLD_INDEXES[table].filter((name) => present.has(name));
  return sql.join([...drops.map((name) => sql`drop index ${sql.ref(name)},`), sql``], sql` `);
}

async function addsColumn(db: Kysely<Schema>, table: string, column: string) {
  const { rows } = await sql`select 1 from information_schema.columns
    where table_schema = database() and table_name = ${table} and column_name = ${column}`.execute(db);
  return rows.length === 0 ? sql`add column` : sql`modify column`;
}

async function hasConstraint(db: Kysely<Schema>, table: string, name: string): Promise<boolean> {
  const { rows } = await sql`select 1 from information_schema.table_constraints
    where table_schema = database() and table_name = ${table} and constraint_name = ${name}`.execute(db);
  return rows.length > 0;
}
