import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type LogEvent,
} from 'kysely';
import { expect, it } from 'vitest';
import { prepared } from './prepared.ts';
import type { Schema } from './schema.ts';

const sqlite: Dialect = {
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
};
const postgres: Dialect = {
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (db) => new PostgresIntrospector(db),
  createQueryCompiler: () => new PostgresQueryCompiler(),
};

/** A database that only notes what it is asked. */
function noting(dialect: Dialect): { db: Kysely<Schema>; asked: [string, readonly unknown[]][] } {
  const asked: [string, readonly unknown[]][] = [];
  function log({ query }: LogEvent): void {
    asked.push([query.sql, query.parameters]);
  }
  return { db: new Kysely<Schema>({ dialect, log }), asked };
}

let built = 0;
const update = prepared((db, args: { uid: string; state: Uint8Array | null; rowid: number }) => {
  built += 1;
  return db
    .updateTable('anomaly_watermark')
    .set({ state: args.state, generation: 7 })
    .where('uid', '=', args.uid)
    .where('scored_rowid', '<', args.rowid)
    .where('generation', 'in', [3, 5]);
});

it('builds a statement once per kind of database and puts each call’s arguments in their places', async () => {
  const first = noting(sqlite);
  const second = noting(postgres);
  const state = Uint8Array.of(1);
  await update(first.db, { uid: 'a', state, rowid: 4 });
  await update(second.db, { uid: 'b', state: null, rowid: 5 });
  await update(first.db, { uid: 'c', state: null, rowid: 0 });
  await first.db.transaction().execute((db) => update(db, { uid: 'd', state: null, rowid: 1 }));
  const text =
    'update "anomaly_watermark" set "state" = ?, "generation" = ? where "uid" = ? and "scored_rowid" < ? and "generation" in (?, ?)';
  expect(first.asked).toEqual([
    [text, [state, 7, 'a', 4, 3, 5]],
    [text, [null, 7, 'c', 0, 3, 5]],
    [text, [null, 7, 'd', 1, 3, 5]],
  ]);
  let number = 0;
  const numbered = text.replaceAll('?', () => `$${(number += 1)}`);
  expect(second.asked).toEqual([[numbered, [null, 7, 'b', 5, 3, 5]]]);
  expect(built).toBe(2);
});
