import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MetricSamples } from '../../src/store/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { storeConformance, type StoreUnderTest } from './store.ts';
import { samples } from './store/fixture.ts';

const BUSY_TIMEOUT_MS = 200;

async function temporaryDirectory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'htmengine-store-'));
}

async function appendInProcessThatIsKilled(path: string, batches: readonly MetricSamples[]): Promise<void> {
  const script = join(import.meta.dirname, 'store/append-and-wait.sqlite.ts');
  const child = spawn(process.execPath, [script, path, JSON.stringify(batches)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [said] = (await Promise.race([once(child.stdout, 'data'), exited])) as unknown[];
  expect(String(said)).toBe('acknowledged\n');
  child.kill('SIGKILL');
  expect(await exited).toEqual([null, 'SIGKILL']);
}

/** Everything but what belongs to the installation; rows and generations go with their metrics. */
const EMPTY =
  'delete from metric; delete from outbox; update lease set epoch = 0, owner = null; delete from member;';

describe('the SQLite store', () => {
  let directory: string;
  let path: string;
  let store: Store;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    path = join(directory, 'test.db');
    store = await openSqliteStore({ path, busyTimeoutMs: BUSY_TIMEOUT_MS });
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  function execute(statement: string): Promise<void> {
    const database = new Database(path, { timeout: 5000 });
    database.pragma('foreign_keys = ON');
    database.exec(statement);
    database.close();
    return Promise.resolve();
  }

  // One store, emptied for each test: a thread of its own for each would take most of the time.
  storeConformance('sqlite', async (): Promise<StoreUnderTest> => {
    await execute(EMPTY);
    return {
      store,
      async reopen() {
        await store.close();
        store = await openSqliteStore({ path, busyTimeoutMs: BUSY_TIMEOUT_MS });
        return store;
      },
      execute,
      select(statement) {
        const database = new Database(path, { readonly: true });
        const rows = database.prepare<[], Record<string, unknown>>(statement).all();
        database.close();
        return Promise.resolve(rows);
      },
      appendAndBeKilled: (batches) => appendInProcessThatIsKilled(path, batches),
      dispose: () => Promise.resolve(),
    };
  });
});

describe('openSqliteStore', () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await temporaryDirectory();
    path = join(directory, 'test.db');
  });
  afterEach(async () => await rm(directory, { recursive: true }));

  async function open(onFailure?: (error: Error) => void): Promise<Store> {
    return await openSqliteStore({
      path,
      busyTimeoutMs: BUSY_TIMEOUT_MS,
      ...(onFailure !== undefined && { onFailure }),
    });
  }

  it('leaves a write-ahead log only while it is open', async () => {
    const store = await open();
    await store.log.appendSamples([samples('a', 1, 1)], {});
    await store.close();
    const database = new Database(path, { readonly: true });
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(database.pragma('foreign_key_check')).toEqual([]);
    database.close();
    // All that matters is in the one file, which may be copied now.
    const copy = join(directory, 'copy.db');
    await writeFile(copy, await readFile(path));
    const copied = await openSqliteStore({ path: copy, busyTimeoutMs: 0 });
    expect((await copied.queries.totals()).rows).toBe(1);
    await copied.close();
  });

  it('says that another program holds the database', async () => {
    await (await open()).close();
    const other = new Database(path);
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN EXCLUSIVE');
    await expect(open()).rejects.toMatchObject({
      code: 'store_locked',
      message: `another program holds the database ${path}: close it, or choose another data directory`,
    });
    other.close();
    await (await open()).close();
  });

  it('says that the database is a newer version’s, and leaves it as it is', async () => {
    await (await open()).close();
    const newer = new Database(path);
    newer.exec("insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2099')");
    newer.close();
    const before = await readFile(path);
    await expect(open()).rejects.toMatchObject({
      code: 'store_newer',
      message: expect.stringContaining('9999-from-the-future') as string,
    });
    expect(await readFile(path)).toEqual(before);
  });

  it('says that it cannot write where it should', async () => {
    path = join(directory, 'missing', 'test.db');
    await expect(open()).rejects.toMatchObject({ code: 'data_directory_unwritable' });
    path = join(directory, 'directory.db');
    await mkdir(path);
    await expect(open()).rejects.toMatchObject({
      code: 'data_directory_unwritable',
      message: expect.stringContaining(path) as string,
    });
  });

  it('says that the file is no database', async () => {
    await writeFile(path, 'this is a diary, and long enough to be looked at as a database header'.repeat(20));
    await expect(open()).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('no SQLite database') as string,
    });
  });

  it('carries code, message and details of errors over from its thread', async () => {
    const store = await open();
    const unknown = store.catalogue.unmonitor('nobody');
    await expect(unknown).rejects.toMatchObject({
      name: 'HtmEngineError',
      code: 'metric_not_found',
      message: 'no metric has the id nobody',
      details: { metricId: 'nobody' },
    });
    await store.close();
  });

  it('tells that the database cannot be written now, and works again when it can', async () => {
    const store = await open();
    await store.log.appendSamples([samples('a', 1, 1)], {});
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const unavailable = { code: 'store_unavailable', details: { sqliteCode: 'SQLITE_BUSY' } };
    const calls = [store.log.appendSamples([samples('a', 2, 2)], {}), store.ping()];
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(unavailable)));
    expect((await store.queries.totals()).rows).toBe(1);
    other.exec('ROLLBACK');
    await store.ping();
    const [outcome] = await store.log.appendSamples([samples('a', 2, 2)], {});
    expect(outcome?.lastRowid).toBe(2);
    await store.close();
  });

  it('fails every call, and tells it once, when its thread dies', async () => {
    const started = once(process, 'worker') as Promise<[Worker]>;
    const onFailure = vi.fn();
    const store = await open(onFailure);
    const [thread] = await started;
    const pending = [store.ping(), store.queries.totals()];
    const unavailable = { code: 'store_unavailable' };
    const checked = pending.map((call) => expect(call).rejects.toMatchObject(unavailable));
    await thread.terminate();
    await Promise.all(checked);
    await expect(store.log.modelTask('x')).rejects.toMatchObject(unavailable);
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(expect.objectContaining(unavailable));
    await store.close();
  });

  it('does not count a clean end, or one that never began, as a failure of the thread', async () => {
    const onFailure = vi.fn();
    const store = await open(onFailure);
    await store.close();
    await writeFile(path, 'no database any more'.repeat(100));
    await expect(open(onFailure)).rejects.toThrow();
    expect(onFailure).not.toHaveBeenCalled();
  });

  it('refuses calls beyond ten thousand that wait', async () => {
    const store = await open();
    const calls = Array.from({ length: 10_001 }, () => store.catalogue.findMetric('a'));
    await expect(calls.pop()).rejects.toMatchObject({ code: 'store_unavailable' });
    await Promise.all(calls);
    await store.close();
  });
});
