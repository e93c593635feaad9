import type { Kysely } from 'kysely';
import type { MigrationDialect } from './migration-dialect.ts';
import type { Schema } from './schema.ts';

/** Adds the bars of anomaly to what the anomaly service keeps of each metric. */
export async function barsMigration(db: Kysely<Schema>, dialect: MigrationDialect): Promise<void> {
  // A migration that was cut short may have left it, where that is not rolled back.
  const tables = await db.introspection.getTables();
  const watermark = tables.find(({ name }) => name === 'anomaly_watermark');
  if (watermark?.columns.some(({ name }) => name === 'bars') === true) return;
  await db.schema.alterTable('anomaly_watermark').addColumn('bars', dialect.binaryType).execute();
}
