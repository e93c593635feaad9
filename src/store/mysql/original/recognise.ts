import { sql, type Kysely } from 'kysely';
import { HtmEngineError } from '../../../errors.ts';
import type { Schema } from '../../sql/schema.ts';

/** What a database is before anything is done to it. */
export type Shape =
  /** Empty, or with tables of which we know nothing and which are not in our way. */
  | { readonly kind: 'free' }
  | { readonly kind: 'ours' }
  /** As one of the original's four migrations left it. */
  | { readonly kind: 'original'; readonly state: 1 | 2 | 3 | 4 }
  /** An upgrade of the original's was begun; `tables` tells whether ours stand already. */
  | { readonly kind: 'upgrading'; readonly tables: boolean };

/** Models that the original had and that are not monitored by us yet; there while an upgrade is not finished. */
export const MODELS_TABLE = 'original_model';
/** The original's scores, kept for people; the engine never reads them. */
export const RESULTS_TABLE = 'original_result';

const METRIC_COLUMNS = [
  'uid',
  'datasource',
  'name',
  'description',
  'server',
  'location',
  'parameters',
  'status',
  'message',
  'collector_error',
  'last_timestamp',
  'poll_interval',
  'tag_name',
  'model_params',
  'last_rowid',
];
const ROW_COLUMNS = [
  'uid',
  'rowid',
  'timestamp',
  'metric_value',
  'raw_anomaly_score',
  'anomaly_score',
  'display_value',
];
const PREDICTIONS = 'multi_step_best_predictions';
/** What the original's migrations keep beside the tables of data. */
const COMPANIONS = ['instance_status_history', 'lock', 'alembic_version'];

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly initial: string | null;
}

/**
 * Tells whose a database is by what stands in it, not by the name of a migration.
 * @throws HtmEngineError `store_not_ours` if it has the names of our tables and is neither ours nor the original's.
 */
export async function recognise(db: Kysely<Schema>, where: string): Promise<Shape> {
  const columns = await columnsOf(db);
  const tables = new Set(columns.map(({ table }) => table));
  const isMigrated = tables.has('kysely_migration');
  if (tables.has(MODELS_TABLE)) return { kind: 'upgrading', tables: isMigrated };
  if (isMigrated) return { kind: 'ours' };
  if (!tables.has('metric') && !tables.has('metric_data')) return { kind: 'free' };
  const problems = [
    ...COMPANIONS.filter((name) => !tables.has(name)).map((name) => `there is no table ${name}`),
    ...differences('metric', columns, METRIC_COLUMNS, []),
    ...differences('metric_data', columns, ROW_COLUMNS, [PREDICTIONS]),
  ];
  const state = problems.length === 0 ? stateOf(columns) : null;
  if (state !== null) return { kind: 'original', state };
  throw new HtmEngineError(
    'store_not_ours',
    `${where} has tables of the names that htmengine needs, but neither its own nor those of the original (${
      problems.join('; ') || 'the types of its columns are of no migration of the original'
    }): nothing was changed; use another database, or bring this one up to date with the original's own migrations first`,
  );
}

/** Whether the original's migrations have run on a database at any time. */
export async function hasOriginalTables(db: Kysely<Schema>): Promise<boolean> {
  return (await columnsOf(db)).some(({ table }) => table === 'alembic_version');
}

/** Which of the original's migrations ran last, or null for a state that none leaves behind. */
function stateOf(columns: readonly Column[]): 1 | 2 | 3 | 4 | null {
  const column = (table: string, name: string) =>
    columns.find((one) => one.table === table && one.name === name);
  const time = column('metric_data', 'timestamp');
  const types = [time?.type, column('metric', 'last_timestamp')?.type];
  const hasPredictions = column('metric_data', PREDICTIONS) !== undefined;
  if (types.every((type) => type === 'timestamp')) return hasPredictions ? null : 1;
  if (!types.every((type) => type === 'datetime')) return null;
  if (hasPredictions) return 4;
  return time?.initial?.includes('0000-00-00') === true ? 2 : 3;
}

function differences(
  table: string,
  columns: readonly Column[],
  needed: readonly string[],
  optional: readonly string[],
): string[] {
  const present = columns.filter((column) => column.table === table).map(({ name }) => name);
  if (present.length === 0) return [`there is no table ${table}`];
  const missing = needed.filter((name) => !present.includes(name));
  const unknown = present.filter((name) => !needed.includes(name) && !optional.includes(name));
  return [
    ...missing.map((name) => `${table} has no column ${name}`),
    ...unknown.map((name) => `${table} has a column ${name}`),
  ];
}

async function columnsOf(db: Kysely<Schema>): Promise<Column[]> {
  const { rows } = await sql<Column>`select lower(table_name) as \`table\`, lower(column_name) as \`name\`,
    lower(data_type) as \`type\`, cast(column_default as char) as \`initial\`
    from information_schema.columns where table_schema = database()`.execute(db);
  return rows;
}
