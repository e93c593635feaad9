import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from './database.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'htmengine-database-'));
  path = join(directory, 'test.db');
});
afterEach(async () => await rm(directory, { recursive: true }));

it('is durable at every commit and checks foreign keys', async () => {
  const { connection } = await openDatabase({ path, busyTimeoutMs: 1234, cacheBytes: 2 ** 20 });
  const inForce = (name: string): unknown => connection.pragma(name, { simple: true });
  expect(inForce('journal_mode')).toBe('wal');
  expect(inForce('synchronous')).toBe(2);
  expect(inForce('foreign_keys')).toBe(1);
  expect(inForce('busy_timeout')).toBe(1234);
  expect(inForce('cache_size')).toBe(-1024);
  connection.close();
});

it('runs its migrations once, and all of them or none', async () => {
  const options = { path, busyTimeoutMs: 0, cacheBytes: 2 ** 20 };
  // Something is in the way of the first migration's last tables.
  const before = new Database(path);
  before.exec('create table installation (mine integer)');
  before.close();
  await expect(openDatabase(options)).rejects.toThrow('installation');
  const after = new Database(path);
  expect(after.prepare("select name from sqlite_master where type = 'table'").pluck().all()).toEqual([
    'installation',
  ]);
  after.exec('drop table installation');
  after.close();
  for (let time = 0; time < 2; time += 1) {
    const { connection } = await openDatabase(options);
    expect(connection.prepare('select count(*) from lease').pluck().get()).toBe(3 * 16);
    connection.close();
  }
});

it('gives metric and metric_data the columns of the original', async () => {
  const { connection } = await openDatabase({ path, busyTimeoutMs: 0, cacheBytes: 2 ** 20 });
  const columns = (table: string): unknown =>
    connection.prepare('select name from pragma_table_info(?)').pluck().all(table);
  expect(columns('metric')).toEqual(
    expect.arrayContaining(
      'uid datasource name description server location parameters status message collector_error last_timestamp poll_interval tag_name model_params last_rowid'.split(
        ' ',
      ),
    ),
  );
  expect(columns('metric_data')).toEqual([
    'uid',
    'rowid',
    'timestamp',
    'metric_value',
    'raw_anomaly_score',
    'anomaly_score',
    'display_value',
    'multi_step_best_predictions',
  ]);
  connection.close();
});
