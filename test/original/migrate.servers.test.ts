import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { MetricStatus } from '../../src/metric.ts';
import { createDatabase, missingServer, type TestDatabase } from '../support/database-servers.ts';
import { temporaryDirectory } from '../support/engine-process.ts';
import {
  FIRST_TIME,
  layDownOriginal,
  type OriginalMetric,
  scoreOf,
  STEP_SECONDS,
  valueOf,
} from '../support/original-schema.ts';
import { findOriginal, openStore } from '../../src/open-store.ts';
import { parseConfig } from '../../src/config/resolve.ts';
import { modelSettings } from '../../src/monitoring/model-settings.ts';
import { upgradeOriginal } from '../../src/upgrade-original.ts';

const ROWS = 420;
const uid = (n: number) => `a${n}`.repeat(16);
const ranged = { datasource: 'custom', metricSpec: { metric: '/load' }, modelParams: { min: 0, max: 100 } };
const METRICS: readonly OriginalMetric[] = [
  { uid: uid(1), name: '/load', status: MetricStatus.ACTIVE, parameters: ranged, rows: ROWS, scored: 400 },
  {
    uid: uid(2),
    name: 'cpu',
    status: MetricStatus.ERROR,
    parameters: { datasource: 'custom', metricSpec: { metric: 'cpu', resource: 'web-1' } },
    rows: 300,
  },
  {
    uid: uid(3),
    name: 'new',
    status: MetricStatus.PENDING_DATA,
    parameters: { datasource: 'custom', metricSpec: { metric: 'new' } },
    rows: 5,
  },
  { uid: uid(4), name: '/both', rows: 3 },
  { uid: uid(5), name: 'both', rows: 2 },
  {
    uid: uid(6),
    name: 'of another',
    datasource: 'cloudwatch',
    status: MetricStatus.ACTIVE,
    parameters: { datasource: 'cloudwatch', metricSpec: { region: 'us' } },
    rows: 4,
  },
];

const TIMEOUT_MS = 180_000;
const missing = await missingServer('mysql');

describe.skipIf(missing !== null)("a database of the original's", { timeout: TIMEOUT_MS }, () => {
  let database: TestDatabase;
  const settings = () => parseConfig({ store: { url: database.url } });
  const open = () => openStore(settings().store, '');
  beforeEach(async () => {
    database = await createDatabase('mysql');
  });
  afterEach(async () => {
    await database.drop();
  });

  async function upgrade(onProgress: Parameters<typeof upgradeOriginal>[2] = () => undefined) {
    const original = await findOriginal(settings().store);
    if (original === null) throw new Error('this is no database of the original');
    try {
      return {
        state: original.database.state,
        outcome: await upgradeOriginal(original, modelSettings(settings()), onProgress),
      };
    } finally {
      await original.database.close();
    }
  }

  it.each([1, 2, 3, 4] as const)(
    'as migration %i left it is upgraded in place, with all rows and scores',
    async (state) => {
      await layDownOriginal(database, state, METRICS);
      await expect(open()).rejects.toMatchObject({ code: 'store_of_original' });
      const steps: string[] = [];
      const { state: found, outcome } = await upgrade(({ what, done, inAll }) =>
        steps.push(`${what} ${done}/${inAll}`),
      );
      expect(found).toBe(state);
      expect(outcome).toMatchObject({
        metrics: 6,
        monitored: 3,
        renamed: [{ uid: uid(1), from: '/load', to: 'load' }],
        kept: ['/both'],
        renumbered: [],
        refused: [{ name: 'of another', reason: expect.stringContaining('datasource') as unknown }],
      });
      expect(steps).toContain('rows 6/6');
      expect(steps.at(-1)).toBe('models 4/4');

      const store = await open();
      try {
        expect(await store.catalogue.findMetric('load')).toMatchObject({
          metricId: uid(1),
          server: 'load',
          status: MetricStatus.CREATE_PENDING,
          lastRowid: ROWS,
          lastTimestamp: FIRST_TIME + (ROWS - 1) * STEP_SECONDS,
        });
        expect(await store.catalogue.findMetric('cpu')).toMatchObject({
          server: 'web-1',
          status: MetricStatus.CREATE_PENDING,
        });
        expect(await store.catalogue.findMetric('new')).toMatchObject({ status: MetricStatus.PENDING_DATA });
        const rows = await store.queries.readData(uid(1), { limit: 1000 });
        expect(rows).toHaveLength(ROWS);
        expect(rows.map(({ value }) => value)).toEqual(rows.map(({ rowid }) => valueOf(rowid)));
        expect(rows.map(({ timestamp }) => timestamp)).toEqual(
          rows.map((_, index) => FIRST_TIME + index * STEP_SECONDS),
        );
      } finally {
        await store.close();
      }
      const kept = await database.execute('select * from original_result order by uid, rowid');
      expect(kept.map((row) => row['anomaly_score'])).toEqual(
        Array.from({ length: 400 }, (_, index) => scoreOf(index + 1)),
      );
      expect(await database.execute('select * from metric_data where anomaly_score is not null')).toEqual([]);
      expect(await findOriginal(settings().store)).toBeNull();
    },
  );

  it('has the very columns, keys and indexes of a new one afterwards', async () => {
    const fresh = await createDatabase('mysql');
    try {
      await (await openStore({ ...settings().store, url: fresh.url }, '')).close();
      await layDownOriginal(database, 1, METRICS);
      await upgrade();
      expect(await structure(database)).toEqual(await structure(fresh));
    } finally {
      await fresh.drop();
    }
  });

  it('is served by an engine, which scores all its rows', async () => {
    await layDownOriginal(database, 1, METRICS);
    await upgrade();
    const directory = await temporaryDirectory();
    const engine = new Engine({
      dataDirectory: directory.path,
      store: { url: database.url },
      api: { enabled: false },
      listener: { graphite: { enabled: false } },
      log: { level: 'silent' },
    });
    try {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      await engine.start();
      await engine.subscribe(
        async (results) => {
          if (results.some(({ metricId, rowid }) => metricId === uid(1) && rowid === ROWS))
            resolve(undefined);
          await Promise.resolve();
        },
        { consumer: 'test' },
      );
      await promise;
      const rows = await engine.readData(uid(1), { limit: 1000 });
      expect(rows.every(({ anomalyScore }) => anomalyScore !== null)).toBe(true);
      expect(await engine.push([{ name: 'load', value: 1, timestamp: FIRST_TIME }])).toMatchObject([
        { accepted: false, reason: 'older' },
      ]);
    } finally {
      await engine.stop();
      await directory.remove();
    }
  });

  it('goes on where an upgrade was cut short, and lets no engine start before', async () => {
    await layDownOriginal(database, 3, METRICS);
    const cut = new Error('cut short');
    for (const at of ['rows', 'models'] as const) {
      await expect(
        upgrade(({ what, done }) => {
          if (what === at && done === 2) throw cut;
        }),
      ).rejects.toBe(cut);
      await expect(open()).rejects.toMatchObject({ code: 'store_incomplete' });
    }
    const { state, outcome } = await upgrade();
    expect(state).toBeNull();
    expect(outcome.refused.map(({ name }) => name)).toEqual(['of another']);
    const store = await open();
    expect((await store.catalogue.findMetric('load'))?.status).toBe(MetricStatus.CREATE_PENDING);
    expect((await store.catalogue.findMetric('new'))?.status).toBe(MetricStatus.PENDING_DATA);
    await store.close();
    expect(await database.execute('select count(*) as rows_kept from original_result')).toEqual([
      { rows_kept: 400 },
    ]);
  });

  it('has rows with gaps between them numbered anew, the newest keeping its number', async () => {
    await layDownOriginal(database, 4, METRICS);
    await database.execute(`delete from metric_data where uid = '${uid(1)}' and rowid in (1, 7, 8)`);
    expect((await upgrade()).outcome.renumbered).toEqual(['/load']);
    const rows = await database.execute(
      `select rowid, metric_value from metric_data where uid = '${uid(1)}' order by rowid`,
    );
    expect(rows.map((row) => row['rowid'])).toEqual(
      Array.from({ length: ROWS - 3 }, (_, index) => index + 4),
    );
    expect(rows.at(0)?.['metric_value']).toBe(valueOf(2));
    expect(rows.at(-1)?.['metric_value']).toBe(valueOf(ROWS));
  });

  it.each([
    ['without the lock table', 'drop table `lock`', /no table lock/],
    [
      'with a column of somebody else',
      'alter table metric add column colour int',
      /metric has a column colour/,
    ],
    [
      'half way between two migrations',
      'alter table metric_data modify timestamp timestamp not null',
      /no migration/,
    ],
    [
      'with two metrics of one name',
      `update metric set name = 'cpu' where uid = '${uid(3)}'`,
      /the name of another, "cpu"/,
    ],
    [
      'with an id that is none',
      `update metric set uid = 'x' where uid = '${uid(5)}'`,
      /metric x has an id that is not 32 hex digits/,
    ],
  ])('%s is refused and left as it is', async (_what, spoil, reason) => {
    await layDownOriginal(database, 4, METRICS);
    await database.execute(spoil.replaceAll('`', '"'));
    const before = await structure(database);
    await expect(upgrade()).rejects.toMatchObject({
      code: 'store_not_ours',
      message: expect.stringMatching(reason) as unknown,
    });
    expect(await structure(database)).toEqual(before);
  });

  it('is upgraded by the command, which says what it did', async () => {
    await layDownOriginal(database, 2, METRICS);
    const child = spawn(process.execPath, ['dist/cli/main.js', 'migrate', '--store', database.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (part) => (said += String(part)));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(said).toMatch(/as its migration 2 of 4 left it/);
    expect(said).toMatch(/6 metrics taken over/);
    expect(said).toMatch(/3 models will learn/);
    expect(said).toMatch(/Renamed: \/load is load now/);
    expect(said).toMatch(/Not monitored any more: of another/);
  });
});

/** Columns, indexes and keys of the tables that a new database has. */
async function structure(database: TestDatabase): Promise<unknown> {
  const ours = "table_schema = database() and table_name in ('metric', 'metric_data', 'generation', 'lease')";
  return {
    columns: await database.execute(
      `select table_name, column_name, column_type, is_nullable, column_default, collation_name
        from information_schema.columns where ${ours} order by table_name, column_name`,
    ),
    indexes: await database.execute(
      `select table_name, index_name, seq_in_index, column_name, non_unique
        from information_schema.statistics where ${ours} order by table_name, index_name, seq_in_index`,
    ),
    constraints: await database.execute(
      `select table_name, constraint_name, constraint_type from information_schema.table_constraints
        where ${ours} order by table_name, constraint_name`,
    ),
  };
}
