import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openServerStore } from '../../src/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { admin, SERVER_KINDS } from '../support/database-servers.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { missingServerPrograms, OwnServer } from '../support/own-server.ts';
import { Relay } from '../support/relay.ts';
import { samples, START } from './store/fixture.ts';

const MAX_CONNECTIONS = 3;
const PASSWORD = 'not-to-be-seen-at-all';

for (const kind of SERVER_KINDS) {
  const missing = await missingServerPrograms(kind);
  describe.skipIf(missing !== null)(`a ${kind} server in another time zone`, { timeout: 120_000 }, () => {
    let server: OwnServer;
    let relay: Relay;
    let store: Store;
    let url: string;
    /** Of the same database, as its administrator. */
    let adminUrl: string;
    beforeAll(async () => {
      // The engine's own time zone counts no more than the server's.
      vi.stubEnv('TZ', 'Asia/Kathmandu');
      server = await OwnServer.create(kind);
      await server.start();
      await server.createUser('htm', PASSWORD);
      const zone =
        kind === 'mysql'
          ? "set global time_zone = '-03:30'"
          : "alter database htm set timezone = 'America/St_Johns'";
      await admin(kind, zone, server.url);
      adminUrl = `${kind}://root@127.0.0.1:${server.port}/htm`;
      const started = await Relay.start(`${kind}://htm@127.0.0.1:${server.port}/htm`);
      ({ relay, url } = started);
      store = await openServerStore(url, PASSWORD, {
        maxConnections: MAX_CONNECTIONS,
        statementTimeoutMs: 1000,
      });
    }, 120_000);
    afterEach(async () => {
      await admin(
        kind,
        'drop trigger if exists slow' + (kind === 'mysql' ? '' : ' on installation'),
        adminUrl,
      );
    });
    afterAll(async () => {
      await store.close();
      await relay.stop();
      await server.remove();
      vi.unstubAllEnvs();
    });

    it('keeps and shows times in UTC', async () => {
      const [outcome] = await store.log.appendSamples([samples('a', 1, 2)], {});
      const metricId = outcome?.metricId ?? '';
      const { timestamps } = await store.log.readRows(metricId, 0, 2, 10);
      expect([...timestamps]).toEqual([START, START + 60]);
      expect(await store.queries.describeMetric('a')).toMatchObject({ lastTimestamp: START + 60 });
      const [again] = await store.log.appendSamples([samples('a', 2, 3)], {});
      expect(again).toMatchObject({ lastRowid: 3, refused: [{ index: 0, reason: 'duplicate' }] });
      // START is 2023-11-14 22:13:20 UTC, and the view says so to whoever asks.
      const column = kind === 'mysql' ? 'cast(timestamp as char)' : "timestamp at time zone 'UTC'";
      const [row] = await admin(
        kind,
        `select "time", cast(${column} as char(19)) as utc from htmengine_results where row_id = 1`,
        adminUrl,
      );
      expect(Number(row?.time)).toBe(START);
      expect(row?.utc).toBe('2023-11-14 22:13:20');
    });

    it('never has more connections than it is allowed, and uses these', async () => {
      const appending = Array.from({ length: 40 }, (_, metric) =>
        store.log.appendSamples([samples(`m${metric}`, 1, 5)], {}),
      );
      const looking = Array.from({ length: 40 }, () => store.queries.totals());
      await Promise.all([...appending, ...looking]);
      expect(relay.mostConnections).toBe(MAX_CONNECTIONS);
    });

    it('ends a statement that takes too long, and goes on', async () => {
      await admin(kind, SLOW[kind], adminUrl);
      const started = performance.now();
      await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
      // The server ended it: we would have waited five seconds longer, the statement for twenty.
      expect(performance.now() - started).toBeLessThan(6000);
      await expect(store.queries.totals()).resolves.toBeDefined();
      await admin(kind, 'drop trigger slow' + (kind === 'mysql' ? '' : ' on installation'), adminUrl);
      await store.ping();
    });

    it('is logged in to with a password that no log shows, whether it works, is wrong or the server goes', async () => {
      const directory = await temporaryDirectory();
      try {
        const address = new URL(url);
        address.password = PASSWORD;
        const log = { level: 'trace' } as const;
        const engine = await EngineProcess.start(directory.path, { store: { url: address.href }, log });
        await engine.metrics();
        await server.stop();
        await until('a line of the log', () => Promise.resolve(engine.output.includes('"level"')), 60_000);
        await server.start();
        await engine.end('SIGTERM');
        expect(engine.output).not.toContain(PASSWORD);
        address.password = `wrong-${PASSWORD}`;
        const refused: unknown = await EngineProcess.start(directory.path, {
          store: { url: address.href },
          log,
        }).catch((error: unknown) => error);
        expect(String(refused)).toMatch(/access denied|authentication failed/i);
        expect(String(refused)).not.toContain(PASSWORD);
      } finally {
        await directory.remove();
      }
    });
  });
}

/** Makes every ping take long. */
const SLOW = {
  mysql: 'create trigger slow before update on installation for each row do sleep(20)',
  postgres: `create or replace function slow() returns trigger language plpgsql as
    'begin perform pg_sleep(20); return new; end';
    create trigger slow before update on installation for each row execute function slow()`,
};
