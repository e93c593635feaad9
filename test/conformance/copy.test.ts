import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyInstallation } from '../../src/copy-installation.ts';
import { openServerStore } from '../../src/open-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { Transfer } from '../../src/store/transfer.ts';
import { createDatabase, missingServer, SERVER_KINDS } from '../support/database-servers.ts';
import { request, samples, StoreFixture } from './store/fixture.ts';

interface Target {
  readonly store: Store;
  dispose(): Promise<void>;
}

let directory: string;
let source: Store;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'htmengine-copy-'));
  source = await openSqliteStore({ path: join(directory, 'source.db'), busyTimeoutMs: 1000 });
  const fixture = await StoreFixture.create({
    store: source,
    reopen: () => Promise.resolve(source),
    execute: () => Promise.resolve(),
    select: () => Promise.resolve([]),
    appendAndBeKilled: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
  });
  // One of each kind, names that databases tend to mistake for each other, and more rows than a page.
  const scored = await fixture.monitored('scored', 5000);
  await fixture.score(scored, 0, 4321);
  await source.log.advanceCursor(fixture.move(scored, 0, 4000));
  await source.checkpoints.put({ metricId: scored, generation: 1, rowid: 4000, revision: 1 }, bytes(700_000));
  await source.catalogue.monitor(await fixture.metric('waiting', 3), request());
  const again = await fixture.monitored('Ünïcode 🙂 "quoted" \\ name', 40);
  await fixture.score(again, 0, 20);
  await source.catalogue.unmonitor(again);
  for (const name of ['a', 'a ', 'A', 'á']) await fixture.metric(name, 2);
  await fixture.metric('empty', 0);
  await source.log.appendSamples(
    [
      {
        name: 'values',
        timestamps: [631_152_000, 4_102_444_800],
        values: [0.1 + 0.2, -1.7976931348623157e308],
      },
    ],
    {},
  );
});
afterAll(async () => {
  await source.close();
  await rm(directory, { recursive: true });
});

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7) & 255);
}

async function sqliteTarget(): Promise<Target> {
  const root = await mkdtemp(join(tmpdir(), 'htmengine-copy-'));
  const store = await openSqliteStore({ path: join(root, 'target.db'), busyTimeoutMs: 1000 });
  return {
    store,
    async dispose() {
      await store.close();
      await rm(root, { recursive: true });
    },
  };
}

async function serverTarget(kind: (typeof SERVER_KINDS)[number]): Promise<Target> {
  const database = await createDatabase(kind);
  const store = await openServerStore(database.url, undefined, {
    maxConnections: 2,
    statementTimeoutMs: 10_000,
  });
  return {
    store,
    async dispose() {
      await store.close();
      await database.drop();
    },
  };
}

function copyTests(makeTarget: () => Promise<Target>): void {
  it('brings over everything, and back again', { timeout: 60_000 }, async () => {
    const [there, back] = [await makeTarget(), await sqliteTarget()];
    const progress: number[] = [];
    const outcome = await copyInstallation(source, there.store, ({ metrics }) => progress.push(metrics));
    expect(outcome).toMatchObject({ metrics: 9, rows: 5053, checkpoints: 1 });
    expect(progress.at(-1)).toBe(18);
    const { checksum } = await copyInstallation(there.store, back.store, () => undefined);
    expect(checksum).toBe(outcome.checksum);
    const [metric] = await back.store.queries.listMetrics('empty', 100).then((all) => all.filter(isScored));
    expect(metric).toMatchObject({ name: 'scored', rows: 5000, scoredRows: 4321 });
    const name = { metricId: metric?.metricId ?? '', generation: 1, rowid: 4000, revision: 1 };
    expect(await back.store.checkpoints.get(name)).toEqual(bytes(700_000));
    // Whoever takes over has a higher epoch than all before.
    const epoch = await source.catalogue.takeLeases('x');
    expect(await back.store.catalogue.takeLeases('y')).toBe(epoch);
    await there.dispose();
    await back.dispose();
  });

  it('goes on after it was cut short, and is not served until it is whole', async () => {
    const target = await makeTarget();
    const { store } = target;
    let calls = 0;
    const failing: Transfer = {
      ...bound(store.transfer),
      addRows: (metricId, rows) =>
        calls++ === 1 ? Promise.reject(new Error('cut')) : store.transfer.addRows(metricId, rows),
    };
    const cut = { ...store, transfer: failing };
    await expect(copyInstallation(source, cut, () => undefined)).rejects.toThrow('cut');
    await expect(store.catalogue.takeLeases('x')).rejects.toMatchObject({ code: 'store_incomplete' });
    const outcome = await copyInstallation(source, store, () => undefined);
    expect(outcome.rows).toBe(5053);
    await store.catalogue.takeLeases('x');
    await target.dispose();
  });

  it('refuses a target that has metrics, and finds a row that differs', async () => {
    const target = await makeTarget();
    const { store } = target;
    await store.log.appendSamples([samples('mine', 1, 1)], {});
    await expect(copyInstallation(source, store, () => undefined)).rejects.toMatchObject({
      code: 'store_not_empty',
    });
    await target.dispose();
    const other = await makeTarget();
    const wrong: Transfer = {
      ...bound(other.store.transfer),
      addRows: (metricId, rows) =>
        other.store.transfer.addRows(
          metricId,
          rows.map((row) => (row.rowid === 17 ? { ...row, metric_value: row.metric_value + 1 } : row)),
        ),
    };
    await expect(
      copyInstallation(source, { ...other.store, transfer: wrong }, () => undefined),
    ).rejects.toMatchObject({ code: 'copy_differs' });
    await other.dispose();
  });
}

function isScored({ name }: { readonly name: string }): boolean {
  return name === 'scored';
}

/** The methods of a transfer, whose own may be on its prototype. */
function bound(transfer: Transfer): Transfer {
  return {
    describe: () => transfer.describe(),
    metrics: (after, limit) => transfer.metrics(after, limit),
    rows: (metricId, after, limit) => transfer.rows(metricId, after, limit),
    begin: (installation) => transfer.begin(installation),
    addMetric: (metric) => transfer.addMetric(metric),
    addRows: (metricId, rows) => transfer.addRows(metricId, rows),
    finish: () => transfer.finish(),
  };
}

describe('copying an installation to SQLite', () => copyTests(sqliteTarget));
for (const kind of SERVER_KINDS) {
  const missing = await missingServer(kind);
  describe.skipIf(missing !== null)(`copying an installation to ${kind}`, () =>
    copyTests(() => serverTarget(kind)),
  );
}
