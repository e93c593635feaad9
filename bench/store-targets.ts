import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openServerStore } from '../src/open-store.ts';
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../src/store/store.ts';
import { createDatabase, type ServerKind } from '../test/support/database-servers.ts';
import { ioBytes } from './proc.ts';
import { WireCounter, type Traffic } from './wire-counter.ts';

export const STORE_KINDS = ['sqlite', 'mysql', 'postgres'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** An empty store to be measured. */
export interface Target {
  readonly store: Store;
  /** What it is, as it says itself. */
  readonly version: string;
  /**
   * What has gone to the database and back so far. For a server: on the wire, 0 where nobody counts. SQLite has no
   * wire: the calls to its thread, and the bytes that this process has had written to storage.
   */
  readonly traffic: () => Traffic;
  /** Closes it and removes its database. */
  readonly remove: () => Promise<void>;
}

/** As an engine has them by default. */
const OPTIONS = { maxConnections: 8, statementTimeoutMs: 30_000 };

/**
 * Makes an empty store.
 * @param directory where SQLite's is put
 * @param isCounted whether a relay that counts stands in front of a server; it takes time
 */
export function makeTarget(kind: StoreKind, directory: string, isCounted: boolean): Promise<Target> {
  return kind === 'sqlite' ? makeSqlite(directory) : makeServer(kind, isCounted);
}

async function makeSqlite(directory: string): Promise<Target> {
  const data = await mkdtemp(join(directory, 'htmengine-store-'));
  const opened = await openSqliteStore({ path: join(data, 'bench.db'), busyTimeoutMs: 5000 });
  let calls = 0;
  const log = new Proxy(opened.log, {
    get(target, name, receiver) {
      calls += 1;
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
  return {
    store: { ...opened, log },
    version: sqliteVersion(),
    traffic: () => ({ roundTrips: calls, bytes: ioBytes(process.pid).written }),
    async remove() {
      await opened.close();
      await rm(data, { recursive: true });
    },
  };
}

async function makeServer(kind: ServerKind, isCounted: boolean): Promise<Target> {
  const database = await createDatabase(kind);
  const [version] = await database.execute('select version() as version');
  const counted = isCounted ? await WireCounter.start(database.url) : null;
  const store = await openServerStore(counted?.url ?? database.url, undefined, OPTIONS);
  return {
    store,
    // PostgreSQL goes on with its compiler.
    version: String(version?.version).split(' on ')[0] ?? '',
    traffic: () => counted?.counter.traffic ?? { roundTrips: 0, bytes: 0 },
    async remove() {
      await store.close();
      await counted?.counter.stop();
      await database.drop();
    },
  };
}

function sqliteVersion(): string {
  const database = new Database(':memory:');
  const version: unknown = database.prepare('select sqlite_version()').pluck().get();
  database.close();
  return String(version);
}
