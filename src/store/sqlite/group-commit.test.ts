import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Db } from '../sql/session.ts';
import { openDatabase } from './database.ts';
import { GroupCommitSession } from './group-commit.ts';

const UNAVAILABLE = { code: 'store_unavailable' };

let directory: string;
let path: string;
let connection: Database.Database;
let session: GroupCommitSession;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'htmengine-group-commit-'));
  path = join(directory, 'test.db');
  const opened = await openDatabase({ path, busyTimeoutMs: 50, cacheBytes: 2 ** 20 });
  connection = opened.connection;
  session = new GroupCommitSession(connection, opened.db);
});
afterEach(async () => {
  connection.close();
  await rm(directory, { recursive: true });
});

function insert(name: string, size = 1): (db: Db) => Promise<string> {
  return async (db) => {
    const metric = { uid: name, datasource: 'custom', name, partition: 0, poll_interval: 300 };
    await db
      .insertInto('metric')
      .values({ ...metric, status: 0, last_rowid: 0, message: 'x'.repeat(size) })
      .execute();
    return name;
  };
}

/** Writes, then fails. */
function insertAndThrow(name: string): (db: Db) => Promise<string> {
  return async (db) => {
    await insert(name)(db);
    throw new RangeError(`${name} failed`);
  };
}

function storedNames(database: Database.Database = connection): unknown[] {
  return database.prepare('select name from metric order by name').pluck().all();
}

it('answers a write after it is committed, for others to see', async () => {
  const other = new Database(path);
  const seen = Array.from({ length: 10 }, async (_, index) => {
    await session.write(insert(`m${index}`));
    return storedNames(other).includes(`m${index}`);
  });
  expect(await Promise.all(seen)).toEqual(Array(10).fill(true));
  other.close();
});

it('commits the writes that wait together', async () => {
  const other = new Database(path);
  const counts = Array.from({ length: 10 }, async (_, index) => {
    await session.write(insert(`m${index}`));
    return storedNames(other).length;
  });
  // One commit: whoever is answered first finds all ten there.
  expect(await Promise.all(counts)).toEqual(Array(10).fill(10));
  other.close();
});

it('undoes a write that fails and keeps those beside it', async () => {
  const results = await Promise.allSettled([
    session.write(insert('a')),
    session.write(insertAndThrow('b')),
    session.write(insert('a')),
    session.write(insert('c')),
  ]);
  expect(results).toEqual([
    { status: 'fulfilled', value: 'a' },
    { status: 'rejected', reason: new RangeError('b failed') },
    {
      status: 'rejected',
      reason: expect.objectContaining({ code: 'SQLITE_CONSTRAINT_UNIQUE' }) as Error,
    },
    { status: 'fulfilled', value: 'c' },
  ]);
  expect(storedNames()).toEqual(['a', 'c']);
});

it('tells no failure before the writes it may be due to are committed', async () => {
  const seen: unknown[] = [];
  const other = new Database(path);
  const first = session.write(insert('a'));
  const second = session.write(insert('a')).catch(() => seen.push(storedNames(other)));
  await Promise.all([first, second]);
  expect(seen).toEqual([['a']]);
  other.close();
});

it('lets reads in between two groups, however many writes wait', async () => {
  const order: string[] = [];
  const writes = Array.from({ length: 600 }, async (_, index) => {
    await session.write(insert(`m${index}`));
    order.push('write');
  });
  const read = session.read(async (db) => {
    order.push('read');
    return db.selectFrom('metric').selectAll().execute();
  });
  await Promise.all([...writes, read]);
  expect(order.indexOf('read')).toBeLessThanOrEqual(256);
  expect(storedNames()).toHaveLength(600);
});

it('fails a read alone', async () => {
  const results = await Promise.allSettled([
    session.read(() => Promise.reject(new RangeError('bad'))),
    session.read(() => Promise.resolve(7)),
  ]);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled']);
});

describe('faults of storage', () => {
  it('leave nothing behind when the disk is full, and pass', async () => {
    await session.write(insert('before'));
    const pages = Number(connection.pragma('page_count', { simple: true }));
    connection.pragma(`max_page_count = ${pages + 2}`);
    const results = await Promise.allSettled([
      session.write(insert('large', 100_000)),
      session.write(insert('small')),
    ]);
    expect(results[0]).toEqual({ status: 'rejected', reason: expect.objectContaining(UNAVAILABLE) as Error });
    const small = results[1].status === 'fulfilled';
    expect(storedNames()).toEqual(small ? ['before', 'small'] : ['before']);
    connection.pragma(`max_page_count = ${pages + 1000}`);
    await session.write(insert('large', 100_000));
    expect(storedNames()).toContain('large');
  });

  it('fail all that wait while another program writes, and pass', async () => {
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => session.write(insert(name))));
    const reason = expect.objectContaining(UNAVAILABLE) as Error;
    expect(results).toEqual(Array(3).fill({ status: 'rejected', reason }));
    expect(await session.read((db) => db.selectFrom('metric').selectAll().execute())).toEqual([]);
    other.exec('ROLLBACK');
    other.close();
    await session.write(insert('d'));
    expect(storedNames()).toEqual(['d']);
  });

  it('fail the whole group if SQLite gives up the transaction', async () => {
    const group = [
      session.write(insert('a')),
      session.write(() => {
        connection.exec('ROLLBACK');
        throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_WRITE' });
      }),
      session.write(insert('b')),
    ];
    const [a, fault, b] = await Promise.allSettled(group);
    const reason = expect.objectContaining(UNAVAILABLE) as Error;
    expect([a, fault]).toEqual(Array(2).fill({ status: 'rejected', reason }));
    expect(storedNames()).toEqual(b?.status === 'fulfilled' ? ['b'] : []);
    await session.write(insert('c'));
    expect(storedNames()).toContain('c');
  });

  it('fail the whole group if it cannot be committed', async () => {
    const results = await Promise.allSettled([
      session.write(insert('a')),
      session.write(async (db) => {
        connection.pragma('defer_foreign_keys = ON');
        const orphan = { uid: 'nobody', generation: 1, processed_rowid: 0, command_sequence: 0 };
        await db.insertInto('scheduler_watermark').values(orphan).execute();
      }),
      session.write(insert('b')),
    ]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(storedNames()).toEqual([]);
    await session.write(insert('c'));
    expect(storedNames()).toEqual(['c']);
  });
});

it('is idle when nothing waits', async () => {
  const written = session.write(insert('a'));
  await session.idle();
  expect(storedNames()).toEqual(['a']);
  await written;
  await session.idle();
});
