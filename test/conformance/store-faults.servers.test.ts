import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openServerStore } from '../../src/open-store.ts';
import type { Repetition } from '../../src/store/server/server-session.ts';
import type { Store } from '../../src/store/store.ts';
import { DatabaseProxy, type CommitFault } from '../support/database-proxy.ts';
import {
  createDatabase,
  missingServer,
  SERVER_KINDS,
  type TestDatabase,
} from '../support/database-servers.ts';
import { request, requestWithRange, samples, StoreFixture } from './store/fixture.ts';

for (const kind of SERVER_KINDS) {
  const missing = await missingServer(kind);
  describe.skipIf(missing !== null)(`faults of the ${kind} server`, () => {
    let database: TestDatabase;
    let proxy: DatabaseProxy;
    let store: Store;
    let fixture: StoreFixture;
    let repeated: Repetition[];
    beforeEach(async () => {
      repeated = [];
      database = await createDatabase(kind);
      const started = await DatabaseProxy.start(database.url);
      proxy = started.proxy;
      store = await openServerStore(started.url, undefined, {
        maxConnections: 4,
        statementTimeoutMs: 2_000,
        onRepeat: (why) => repeated.push(why),
      });
      fixture = await StoreFixture.create({
        store,
        reopen: () => Promise.resolve(store),
        execute: async (statement) => {
          await database.execute(statement);
        },
        select: (statement) => database.execute(statement),
        appendAndBeKilled: () => Promise.resolve(),
        dispose: () => Promise.resolve(),
      });
    });
    afterEach(async () => {
      proxy.up();
      await store.close();
      await proxy.stop();
      await database.drop();
    });

    describe.each<[string, CommitFault[]]>([
      ['lost before it is heard', ['lost before']],
      ['heard, but its answer lost', ['answer lost']],
      ['lost twice, then its answer', ['lost before', 'lost before', 'answer lost']],
      ['without an answer, then lost, then without one', ['answer lost', 'lost before', 'answer lost']],
    ])('a commit that is %s', (_what, faults) => {
      it('appends every row once, and tells so', async () => {
        await fixture.append(samples('known', 1, 1));
        proxy.failCommits(...faults);
        const [known, unknown] = await fixture.append(samples('known', 2, 5), samples('unknown', 1, 3));
        expect(proxy.faultsLeft).toBeLessThan(faults.length);
        expect(known).toMatchObject({ created: false, lastRowid: 5, refused: [] });
        expect(unknown).toMatchObject({ created: true, lastRowid: 3, refused: [] });
        expect(repeated).toContain('ambiguous');
        proxy.failCommits();
        expect((await store.queries.totals()).rows).toBe(8);
      });

      it('moves every watermark once, and tells so', async () => {
        const metricId = await fixture.monitored('a', 6);
        proxy.failCommits(...faults);
        expect(await store.log.recordRawScores(fixture.raw(metricId, 0, 4))).toEqual({ refused: null });
        proxy.failCommits(...faults);
        expect(await store.log.recordAnomalyScores(fixture.scored(metricId, 0, 3))).toEqual({
          refused: null,
        });
        proxy.failCommits(...faults);
        expect(await store.log.advanceCursor(fixture.move(metricId, 0, 2))).toEqual({ refused: null });
        proxy.failCommits();
        expect(await store.log.cursor('forwarder', metricId)).toMatchObject({ rowid: 2, scoredRowid: 3 });
        expect((await store.log.modelTask(metricId))?.processedRowid).toBe(4);
        expect(repeated.filter((why) => why === 'ambiguous').length).toBeGreaterThanOrEqual(3);
      });

      it('creates and monitors a metric once, and tells so', async () => {
        proxy.failCommits(...faults);
        const { metricId, created } = await store.catalogue.createMetric('new');
        expect(created).toBe(true);
        proxy.failCommits(...faults);
        await store.catalogue.monitor(metricId, requestWithRange());
        proxy.failCommits();
        expect((await store.log.modelTask(metricId))?.generation.generation).toBe(1);
        await expect(store.catalogue.monitor(metricId, request())).rejects.toMatchObject({
          code: 'metric_already_monitored',
        });
      });
    });

    it('refuses another’s fold as it does without faults', async () => {
      const metricId = await fixture.monitored('a', 6);
      await store.log.recordRawScores(fixture.raw(metricId, 0, 2));
      proxy.failCommits('lost before');
      await fixture.append(samples('a', 7, 7));
      expect(await store.log.recordRawScores(fixture.raw(metricId, 0, 2))).toEqual({ refused: 'watermark' });
    });

    it('goes on over new connections after all were cut', async () => {
      await Promise.all(Array.from({ length: 8 }, (_, i) => fixture.append(samples(`m${i}`, 1, 2))));
      proxy.cut();
      await Promise.all(Array.from({ length: 8 }, (_, i) => fixture.append(samples(`m${i}`, 3, 4))));
      expect((await store.queries.totals()).rows).toBe(32);
    });

    it('says that nothing was written while the server is away, and goes on when it is back', async () => {
      await fixture.append(samples('a', 1, 2));
      proxy.down();
      await expect(fixture.append(samples('a', 3, 4))).rejects.toMatchObject({ code: 'store_unavailable' });
      await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
      await expect(store.queries.totals()).rejects.toMatchObject({ code: 'store_unavailable' });
      proxy.up();
      const [outcome] = await fixture.append(samples('a', 3, 4));
      expect(outcome).toMatchObject({ lastRowid: 4, refused: [] });
    });

    it('waits for another client’s lock, and gives up after the time a statement has', async () => {
      await fixture.append(samples('a', 1, 2));
      const held = database.execute(
        kind === 'mysql'
          ? 'begin; update metric set poll_interval = 61; select sleep(1); commit'
          : 'begin; update metric set poll_interval = 61; select pg_sleep(1); commit',
      );
      await delay(200);
      expect(await fixture.append(samples('a', 3, 4))).toMatchObject([{ lastRowid: 4 }]);
      await held;
      const longer = database.execute(
        kind === 'mysql'
          ? 'begin; update metric set poll_interval = 62; select sleep(5); commit'
          : 'begin; update metric set poll_interval = 62; select pg_sleep(5); commit',
      );
      await delay(200);
      await expect(fixture.append(samples('a', 5, 6))).rejects.toMatchObject({ code: 'store_unavailable' });
      await longer;
      expect(await fixture.append(samples('a', 5, 6))).toMatchObject([{ lastRowid: 6, refused: [] }]);
    });

    it('takes the leases that it can have at once, and waits for none that a transaction holds', async () => {
      const { leases } = await store.leases.renew('scheduler', 'a', 60_000);
      const select = `select epoch from lease where stage = 'scheduler' and ${kind === 'mysql' ? '`partition`' : 'partition'} = 2 for update`;
      const wait = kind === 'mysql' ? 'select sleep(1)' : 'select pg_sleep(1)';
      const held = database.execute(`begin; ${select}; ${wait}; commit`);
      await delay(300);
      const taken = await store.leases.acquire('scheduler', 'a', leases.slice(1, 4));
      expect(taken.map(({ partition }) => partition)).toEqual([1, 3]);
      await held;
      expect(await store.leases.acquire('scheduler', 'a', leases.slice(2, 3))).toHaveLength(1);
    });

    it('is rid of the locks of a process that was stopped in the middle of a transaction', async () => {
      await fixture.append(samples('a', 1, 1));
      proxy.failCommits('stands still');
      const stopped = fixture.append(samples('a', 2, 2));
      while (proxy.faultsLeft > 0) await delay(10);
      const patience = kind === 'mysql' ? 'innodb_lock_wait_timeout = 5' : "lock_timeout = '5s'";
      await database.execute(`set ${patience}; update metric set poll_interval = 61`);
      // It goes on: its transaction is gone, and what was in it is done again.
      expect(await stopped).toMatchObject([{ lastRowid: 2, refused: [] }]);
    });

    it('lets two processes bring a new database up to date at the same time', async () => {
      const other = await createDatabase(kind);
      const options = { maxConnections: 2, statementTimeoutMs: 20_000 };
      const stores = await Promise.all([1, 2, 3].map(() => openServerStore(other.url, undefined, options)));
      const epochs = await Promise.all(stores.map((one) => one.catalogue.takeLeases('x')));
      expect([...epochs].sort()).toEqual([1, 2, 3]);
      await Promise.all(stores.map((one) => one.close()));
      await other.drop();
    });

    it.runIf(kind === 'mysql')('runs migrations that were cut short again over what they left', async () => {
      await fixture.append(samples('a', 1, 2));
      await database.execute("delete from kysely_migration where name > '0001-first'");
      const again = await openServerStore(database.url, undefined, {
        maxConnections: 1,
        statementTimeoutMs: 10_000,
      });
      expect((await again.queries.totals()).rows).toBe(2);
      await again.close();
    });

    it('refuses a database made by a newer version', async () => {
      await database.execute("insert into kysely_migration (name, timestamp) values ('9999-future', 'x')");
      await expect(
        openServerStore(database.url, undefined, { maxConnections: 1, statementTimeoutMs: 1000 }),
      ).rejects.toMatchObject({ code: 'store_newer' });
    });

    it('says what is wrong with a database that is not there, without a password', async () => {
      const url = new URL(database.url);
      url.pathname = '/no_such_database';
      url.password = 'secret';
      const error: unknown = await openServerStore(url.href, undefined, {
        maxConnections: 1,
        statementTimeoutMs: 1000,
      }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'store_unavailable' });
      expect(String(error)).toContain('no_such_database');
      expect(JSON.stringify(error) + String(error)).not.toContain('secret');
    });
  });
}
