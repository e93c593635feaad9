import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { CheckpointName } from '../src/checkpoints/checkpoint-store.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoints/codec.ts';
import { fileName, metricDirectory } from '../src/checkpoints/file-names.ts';
import { FilesystemCheckpointStore } from '../src/checkpoints/filesystem/filesystem-checkpoint-store.ts';
import { databaseFile } from '../src/data-directory.ts';
import { NEW_INSTALLATION_PARTITIONS, partitionOf } from '../src/partition.ts';
import type { FleetMetric } from './fleet-installation.ts';

interface Copy {
  readonly metricId: string;
  readonly source: string;
}

const SIZES = 'checkpoint-sizes.json';
const CHECKPOINTS = 'checkpoints';
/** Files that are written at the same time. */
const WRITES = 8;

/**
 * Makes the data directory `directory` of the one of the prototypes: each metric has the rows and the newest checkpoint of
 * the prototype of its shape. Past store and codec, which would take a quarter of an hour for 10,000 metrics.
 */
export async function copyPrototypes(
  prototypes: string,
  directory: string,
  metrics: readonly FleetMetric[],
): Promise<void> {
  await cp(databaseFile(prototypes), databaseFile(directory));
  const copies = copyRows(databaseFile(directory), metrics);
  const from = await FilesystemCheckpointStore.open(join(prototypes, CHECKPOINTS));
  const saved = new Map<string, PrototypeCheckpoint>();
  for (const source of new Set(copies.map((copy) => copy.source)))
    saved.set(source, await PrototypeCheckpoint.newest(from, source));
  const sizes: number[] = [];
  const left = copies.values();
  const writeAll = async () => {
    for (const { metricId, source } of left) {
      const checkpoint = saved.get(source);
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

/** A prototype's checkpoint, which becomes that of any metric by the id in its header: packing is done once. */
class PrototypeCheckpoint {
  readonly #name: CheckpointName;
  readonly #bytes: Uint8Array;

  private constructor(name: CheckpointName, bytes: Uint8Array) {
    this.#name = name;
    this.#bytes = bytes;
    // Where the id is in the header is the codec's: whether it is so still is seen by what the codec makes itself.
    const other = 'ab'.repeat(16);
    const packed = encodeCheckpoint({ ...name, metricId: other }, decodeCheckpoint(name, bytes));
    if (!this.of(other).bytes.equals(packed))
      throw new Error('the header of checkpoints has changed: copies of the prototypes would be damaged');
  }

  static async newest(store: FilesystemCheckpointStore, metricId: string): Promise<PrototypeCheckpoint> {
    const [name] = await store.list(metricId);
    const bytes = name === undefined ? null : await store.get(name);
    if (name === undefined || bytes === null) throw new Error('a prototype was not saved');
    return new PrototypeCheckpoint(name, bytes);
  }

  of(metricId: string): { name: CheckpointName; bytes: Buffer } {
    const bytes = Buffer.from(this.#bytes);
    bytes.write(metricId, ID_OFFSET, 'hex');
    return { name: { ...this.#name, metricId }, bytes };
  }
}

const ID_OFFSET = 8;

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
