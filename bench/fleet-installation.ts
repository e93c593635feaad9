import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoints/codec.ts';
import { FilesystemCheckpointStore } from '../src/checkpoints/filesystem/filesystem-checkpoint-store.ts';
import { databaseFile } from '../src/data-directory.ts';
import { Engine } from '../src/engine.ts';
import { algorithmRevision } from '../src/htm/index.ts';
import { NEW_INSTALLATION_PARTITIONS, partitionOf } from '../src/partition.ts';
import { fleetShapes, type Shape } from './fleet-shapes.ts';

/** A data directory with many metrics whose models have learned. */
export interface FleetInstallation {
  readonly directory: string;
  readonly metrics: readonly FleetMetric[];
  /** Of the models' checkpoints. */
  readonly medianCheckpointBytes: number;
}

export interface FleetMetric {
  readonly name: string;
  readonly shape: Shape;
  /** Of its own noise. */
  readonly seed: number;
}

/** A week of five-minute rows. */
export const LEARNED_ROWS = 2016;
export const ROW_SECONDS = 300;
/** The first row of all; a Monday's midnight. */
export const FIRST_SECOND = Date.UTC(2026, 0, 5) / 1000;

/** To be raised when what is made here changes: old installations are made anew. */
const VERSION = 1;
const PUT_AT_ONCE = 8;

/**
 * The installation with `models` metrics below `parent`. Made if it is not there: 32 prototypes learn, the others are
 * copies of their rows and checkpoints. It is used as it is afterwards, so it goes on where the last run left it.
 */
export async function fleetInstallation(
  parent: string,
  models: number,
  tell: (what: string) => void,
): Promise<FleetInstallation> {
  const key = `v${VERSION}-r${algorithmRevision}-${LEARNED_ROWS}`;
  const prototypes = join(parent, `htmengine-fleet-${key}-prototypes`);
  const directory = join(parent, `htmengine-fleet-${key}-${models}`);
  await make(prototypes, async () => {
    tell('training the prototypes');
    await train(prototypes);
  });
  await make(directory, async () => {
    tell(`copying them to ${models} metrics`);
    await cp(databaseFile(prototypes), databaseFile(directory));
    await copyMetrics(prototypes, directory, fleet(models), tell);
  });
  return { directory, metrics: fleet(models), medianCheckpointBytes: medianCheckpointBytes(directory) };
}

function fleet(models: number): FleetMetric[] {
  const shapes = fleetShapes();
  return Array.from({ length: models }, (_, i) => {
    const shape = shapes[i % shapes.length];
    if (shape === undefined) throw new Error('there are no shapes');
    return { name: `fleet.${shape.name}.${String(i).padStart(5, '0')}`, shape, seed: 1000 + i };
  });
}

/** Does `work` unless it was done to the end before. */
async function make(directory: string, work: () => Promise<void>): Promise<void> {
  const done = join(directory, 'complete');
  if (existsSync(done)) return;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await work();
  writeFileSync(done, '');
}

async function train(directory: string): Promise<void> {
  const engine = new Engine({
    dataDirectory: directory,
    api: { enabled: false },
    listener: { graphite: { enabled: false } },
    log: { level: 'warn' },
  });
  await engine.start();
  try {
    const shapes = fleetShapes();
    let scored = 0;
    let tellAll: () => void = () => undefined;
    const allScored = new Promise<void>((resolve) => (tellAll = resolve));
    await engine.subscribe((results) => {
      scored += results.length;
      if (scored === shapes.length * LEARNED_ROWS) tellAll();
      return Promise.resolve();
    });
    for (const { name, min, max } of shapes) {
      await engine.monitorMetric({ metricSpec: { metric: name }, modelParams: { min, max } });
    }
    for (const shape of shapes) await engine.push(history(shape));
    await allScored;
  } finally {
    await engine.stop();
  }
}

function history(shape: Shape) {
  return Array.from({ length: LEARNED_ROWS }, (_, row) => ({
    name: shape.name,
    value: shape.value(row, 1),
    timestamp: FIRST_SECOND + ROW_SECONDS * row,
  }));
}

interface Copy {
  readonly metricId: string;
  readonly source: string;
}

async function copyMetrics(
  prototypes: string,
  directory: string,
  metrics: readonly FleetMetric[],
  tell: (what: string) => void,
): Promise<void> {
  const copies = copyRows(databaseFile(directory), metrics);
  tell('copying their checkpoints');
  const from = await FilesystemCheckpointStore.open(join(prototypes, 'checkpoints'));
  const to = await FilesystemCheckpointStore.open(join(directory, 'checkpoints'));
  const states = new Map<string, { state: Uint8Array; name: Parameters<typeof from.get>[0] }>();
  for (const source of new Set(copies.map((copy) => copy.source))) {
    const [name] = await from.list(source);
    const bytes = name === undefined ? null : await from.get(name);
    if (name === undefined || bytes === null) throw new Error('a prototype was not saved');
    states.set(source, { state: decodeCheckpoint(name, bytes), name });
  }
  const sizes: number[] = [];
  const left = copies.values();
  const putAll = async () => {
    for (const { metricId, source } of left) {
      const prototype = states.get(source);
      if (prototype === undefined) throw new Error('a copy has no prototype');
      const name = { ...prototype.name, metricId };
      const bytes = encodeCheckpoint(name, prototype.state);
      sizes.push(bytes.byteLength);
      await to.put(name, bytes);
    }
  };
  await Promise.all(Array.from({ length: PUT_AT_ONCE }, putAll));
  writeFileSync(join(directory, SIZES), JSON.stringify(sizes));
}

const SIZES = 'checkpoint-sizes.json';

function medianCheckpointBytes(directory: string): number {
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
    // What is cut short is made anew, so nothing has to be written twice.
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.pragma('cache_size = -400000');
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
