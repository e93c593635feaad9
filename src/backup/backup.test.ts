import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { databaseFile } from '../data-directory.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { StoreFixture } from '../../test/conformance/store/fixture.ts';
import { backUp } from './backup.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'htmengine-backup-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** An installation with one model at row 20, whose first ten rows are purged. @param savedRowid where it is saved in the database, if at all */
async function purged(savedRowid: number | null): Promise<string> {
  const path = databaseFile(directory);
  const store = await openSqliteStore({ path, busyTimeoutMs: 1000 });
  const fixture = await StoreFixture.create({
    store,
    reopen: () => Promise.resolve(store),
    execute: () => Promise.resolve(),
    select: () => Promise.resolve([]),
    appendAndBeKilled: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
  });
  const metricId = await fixture.monitored('a', 20);
  await store.log.recordRawScores(fixture.raw(metricId, 0, 20));
  if (savedRowid !== null) {
    const name = { metricId, generation: 1, rowid: savedRowid, revision: 1 };
    await store.checkpoints.put(name, new Uint8Array(10));
  }
  await store.close();
  const database = new Database(path);
  database.prepare('delete from metric_data where rowid <= 10').run();
  database.close();
  return directory;
}

const to = (dataDirectory: string, modelsAreElsewhere = false) =>
  backUp({
    dataDirectory,
    target: join(directory, 'backup'),
    programVersion: '1',
    busyTimeoutMs: 1000,
    modelsAreElsewhere,
  });

it('knows models that are saved in the database', async () => {
  expect(await to(await purged(15))).toMatchObject({ metrics: 1, rows: 10 });
});

it.each([null, 5])('refuses a model that could not go on from its rows (saved at row %s)', async (rowid) => {
  await expect(to(await purged(rowid))).rejects.toMatchObject({ code: 'backup_failed' });
});

it('leaves models to whoever keeps them elsewhere', async () => {
  expect(await to(await purged(null), true)).toMatchObject({ metrics: 1, rows: 10 });
});
