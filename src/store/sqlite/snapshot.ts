import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { HtmEngineError } from '../../errors.ts';

/** What a copy of the database says about its models, to be held against the saved ones beside it. */
export interface SnapshotSummary {
  readonly metrics: number;
  readonly rows: number;
  /** One entry per open generation. */
  readonly models: readonly SnapshotModel[];
  /** The saved models in the database itself. */
  readonly savedModels: readonly SavedModel[];
}

export interface SavedModel {
  readonly metricId: string;
  readonly generation: number;
  readonly rowid: number;
}

export interface SnapshotModel {
  readonly metricId: string;
  readonly name: string;
  readonly generation: number;
  readonly startRowid: number;
  readonly processedRowid: number;
  /** The lowest stored rowid; null without rows. */
  readonly firstRowid: number | null;
}

/**
 * Writes one consistent state of a database to a new file, while other processes go on writing: in one reading
 * transaction, so nothing is begun again however busy they are.
 * @throws HtmEngineError `store_unavailable`
 */
export function snapshotDatabase(path: string, target: string, busyTimeoutMs: number): void {
  guarded(`copy the database ${path} to ${target}`, () => {
    if (!existsSync(path)) throw new Error('there is no such file');
    const database = new Database(path, { fileMustExist: true, timeout: busyTimeoutMs });
    try {
      database.prepare('VACUUM INTO ?').run(target);
    } finally {
      database.close();
    }
  });
}

/** Checks a copied database and tells what is in it. @throws HtmEngineError `store_unavailable` */
export function readSnapshot(path: string): SnapshotSummary {
  return guarded(`read the database ${path}`, () => {
    const database = new Database(path, { readonly: true, fileMustExist: true });
    try {
      const found: unknown = database.pragma('quick_check(1)', { simple: true });
      if (found !== 'ok') throw new Error(`it is damaged: ${String(found)}`);
      const count = (table: string) =>
        database.prepare(`select count(*) from ${table}`).pluck().get() as number;
      const models = database.prepare(OPEN_MODELS).all() as SnapshotModel[];
      const savedModels = database.prepare(SAVED_MODELS).all() as SavedModel[];
      return { metrics: count('metric'), rows: count('metric_data'), models, savedModels };
    } finally {
      database.close();
    }
  });
}

const OPEN_MODELS = `select w.uid as metricId, m.name, w.generation, g.start_rowid as startRowid,
    w.processed_rowid as processedRowid,
    (select min(d.rowid) from metric_data d where d.uid = w.uid) as firstRowid
  from scheduler_watermark w
  join metric m on m.uid = w.uid
  join generation g on g.uid = w.uid and g.generation = w.generation
  order by w.uid`;

const SAVED_MODELS = 'select distinct uid as metricId, generation, rowid from checkpoint';

function guarded<T>(what: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HtmEngineError('store_unavailable', `cannot ${what}: ${reason}`);
  }
}
