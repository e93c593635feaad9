import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { fileName, metricDirectory } from '../src/checkpoints/file-names.ts';
import { FilesystemCheckpointStore } from '../src/checkpoints/filesystem/filesystem-checkpoint-store.ts';
import { databaseFile } from '../src/data-directory.ts';
import { NEW_INSTALLATION_PARTITIONS, partitionOf } from '../src/partition.ts';
import { checkpointsOf, type PrototypeCheckpoint } from './fleet-checkpoints.ts';
import type { FleetMetric } from './fleet-installation.ts';
import type { Shape } from './fleet-shapes.ts';

interface Copy {
  readonly metricId: string;
  readonly shape: Shape;
  readonly source: string;
}

const SIZES = 'checkpoint-sizes.json';
const CHECKPOINTS = 'checkpoints';
/** Files that are written at the same time. */
const WRITES = 8;

/**
 * Makes the data directory `directory` of the one of the prototypes: each metric has the rows of the prototype of
 * its shape, and a checkpoint of it as old as the engine lets them become. Past store and codec, which would take a quarter of an hour for 10,000 metrics.
 */
export async function copyPrototypes(
  prototypes: string,
  directory: string,
  metrics: readonly FleetMetric[],
): Promise<void> {
  await cp(databaseFile(prototypes), databaseFile(directory));
  const copies = copyRows(databaseFile(directory), metrics);
  const from = await FilesystemCheckpointStore.open(join(prototypes, CHECKPOINTS));
  const saved = new Map<string, readonly PrototypeCheckpoint[]>();
  for (const { source, shape } of copies)
    if (!saved.has(source)) saved.set(source, await checkpointsOf(from, source, shape));
  const sizes: number[] = [];
  const left = copies.values();
  const writeAll = async () => {
    for (const { metricId, source } of left) {
      const ages = saved.get(source) ?? [];
      // Ids are hashes: each age has its share.
      const checkpoint = ages[Number.parseInt(metricId.slice(0, 8), 16) % ages.length];
      if (checkpoint === undefined) throw new Error('a copy has no prototype');
      const { name, bytes } = checkpoint.of(metricId);
      sizes.push(bytes.byteLength);
      const path = join(directory, CHECKPOINTS, metricDirectory(metricId), fileName(name));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes, { flush: true });
    }
  };
  await Promise.all(Array.from({ length: WRITES }, writeAll));
  writeFileSync(join(directory, SIZES), JSON.stringify(sizes));
}

/** Of the models that were copied. */
export function medianCheckpointBytes(directory: string): number {
  const sizes = JSON.parse(readFileSync(join(directory, SIZES), 'utf8')) as number[];
  return sizes.toSorted((a, b) => a - b)[sizes.length >> 1] ?? NaN;
}

/**
 * Puts a copy of a prototype in place of each metric and removes the prototypes. Past the store, whose operations copy
 * one metric in many small transactions: 20 million rows are one transaction of `insert ... select` here.
 */
function copyRows(path: string, metrics: readonly FleetMetric[]): Copy[] {
  const db = new Database(path);
  try {
    // What is cut short is made anew, so nothing has to be safe; and what refers to what is known.
    // With a write-ahead log all of it would be written twice.
    if (db.pragma('journal_mode = MEMORY', { simple: true }) !== 'memory')
      throw new Error('the database of the prototypes is in use');
    db.pragma('synchronous = OFF');
    db.pragma('cache_size = -400000');
    db.pragma('foreign_keys = OFF');
    const prototypes = new Map(
      db
        .prepare<[], { name: string; uid: string }>('select name, uid from metric')
        .all()
        .map((row) => [row.name, row.uid]),
    );
    const copies = metrics.map(({ name, shape }) => ({
      name,
      metricId: hash('sha256', name).slice(0, 32),
      shape,
      source: prototypes.get(shape.name) ?? '',
    }));
    // In the order of the table that the rows go into.
    copies.sort((a, b) => (a.metricId < b.metricId ? -1 : 1));
    db.transaction(() => {
      const copyMetric = copier(db, 'metric', ['uid', 'name', 'partition']);
      for (const { metricId, name, source } of copies)
        copyMetric.run(metricId, name, partitionOf(name, NEW_INSTALLATION_PARTITIONS), source);
      for (const table of ['generation', 'scheduler_watermark', 'anomaly_watermark', 'metric_data']) {
        const copy = copier(db, table, ['uid']);
        for (const { metricId, source } of copies) copy.run(metricId, source);
      }
    })();
    db.pragma('foreign_keys = ON');
    db.transaction(() => {
      const remove = db.prepare('delete from metric where uid = ?');
      for (const uid of prototypes.values()) remove.run(uid);
    })();
    return copies;
  } finally {
    db.close();
  }
}

/** Inserts the rows of the uid given last again, with the parameters before it as their `changed` columns. */
function copier(db: Database.Database, table: string, changed: readonly string[]): Database.Statement {
  const columns = db.prepare<[string], string>('select name from pragma_table_info(?)').pluck().all(table);
  const others = columns.filter((column) => !changed.includes(column));
  const list = [...changed, ...others].map((column) => `"${column}"`).join();
  const given = [...changed.map(() => '?'), ...others.map((column) => `"${column}"`)].join();
  return db.prepare(`insert into ${table} (${list}) select ${given} from ${table} where uid = ?`);
}
