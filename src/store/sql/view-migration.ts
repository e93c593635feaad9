import { sql, type Kysely } from 'kysely';
import { CUSTOM_DATASOURCE, MetricStatus, statusName } from '../../metric.ts';
import type { MigrationDialect } from './migration-dialect.ts';
import type { Schema } from './schema.ts';

/** Adds what people may rely on who plot with SQL: `htmengine_metrics` and `htmengine_results` (docs/stores.md). */
export async function viewMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  const { epochSeconds, dateTime } = dialect;
  await createView(
    db,
    dialect,
    'htmengine_metrics',
    sql`select m.name as metric, m.uid as uid, ${state} as state, m.message as message, w.generation as generation,
      m.last_rowid as last_rowid, w.scored_rowid as scored_rowid,
      ${epochSeconds(sql`m.last_timestamp`)} as last_time, ${dateTime(sql`m.last_timestamp`)} as last_timestamp
      from metric m left join anomaly_watermark w on w.uid = m.uid where m.datasource = ${custom}`,
  );
  // What lies beyond the watermark was left by a closed generation, or is not scored in full yet.
  const visible = (column: string) => sql`case when d.rowid <= w.scored_rowid then ${sql.raw(column)} end`;
  await createView(
    db,
    dialect,
    'htmengine_results',
    sql`select m.name as metric, m.uid as uid, ${state} as state, w.generation as generation, d.rowid as row_id,
      ${epochSeconds(sql`d.timestamp`)} as time, ${dateTime(sql`d.timestamp`)} as timestamp, d.metric_value as value,
      ${visible('d.raw_anomaly_score')} as raw_anomaly_score, ${visible('d.anomaly_score')} as anomaly_score,
      ${visible('ln(1.0000000001 - d.anomaly_score) / -23.02585084720009')} as log_likelihood,
      ${visible('d.display_value')} as display_value
      from metric m join metric_data d on d.uid = m.uid left join anomaly_watermark w on w.uid = m.uid
      where m.datasource = ${custom}`,
  );
}

async function createView(
  db: Kysely<Schema>,
  dialect: MigrationDialect,
  name: string,
  query: ReturnType<typeof sql>,
): Promise<void> {
  const create = dialect.rollsBackTables ? sql`create view` : sql`create or replace view`;
  await sql`${create} ${sql.table(name)} as ${query}`.execute(db);
}

/** A view takes no arguments: all values are literals. */
const custom = sql.lit(CUSTOM_DATASOURCE);

const state = sql`case m.status ${sql.join(
  Object.values(MetricStatus).map(
    (status) => sql`when ${sql.lit(status)} then ${sql.lit(statusName(status))}`,
  ),
  sql` `,
)} end`;
