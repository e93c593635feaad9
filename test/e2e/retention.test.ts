import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { MetricStatus } from '../../src/metric.ts';
import type { DataRow } from '../../src/store/queries.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { dailySeries } from '../support/series.ts';

/** Retention in a whole engine: what is purged changes no score, and what cannot be learned any more is said. */
const NAME = 'made';
/** Rows that a fit of the likelihood looks back over, instead of 8640: short enough for a test. */
const WINDOW = 400;
const ROWS = 1200;
const PORTION = 100;

let root: Awaited<ReturnType<typeof temporaryDirectory>>;
const open: Engine[] = [];
beforeEach(async () => {
  root = await temporaryDirectory();
});
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.stop();
  await root.remove();
});

async function start(directory: string): Promise<Engine> {
  const engine = new Engine({
    dataDirectory: join(root.path, directory),
    api: { port: 0 },
    listener: { graphite: { enabled: false } },
    scheduler: { workers: 1, checkpointRows: 150 },
    monitoring: { variant: 'tm_cpp' },
    retention: { maxAgeDays: 1, batchRows: 37 },
    log: { level: 'silent' },
  });
  await engine.start();
  open.push(engine);
  return engine;
}

async function stop(engine: Engine): Promise<void> {
  open.splice(open.indexOf(engine), 1);
  await engine.stop();
}

/** The generation's constants are frozen with it, so this is how they would be had somebody asked for them. */
function shortenWindow(directory: string): void {
  const database = new Database(join(root.path, directory, 'htmengine.db'));
  database.prepare(`update generation set likelihood = replace(likelihood, '8640', '${WINDOW}')`).run();
  database.close();
}

async function purge(engine: Engine): Promise<number> {
  const url = `http://127.0.0.1:${engine.addresses.http?.port ?? 0}/api/v1/retention`;
  interface Status {
    running: boolean;
    failure: string | null;
    lastPass: { purgedRows: number } | null;
  }
  await fetch(`${url}/run`, { method: 'POST' });
  let status: Status | undefined;
  await until('the pass to end', async () => {
    status = (await (await fetch(url)).json()) as Status;
    return !status.running;
  });
  expect(status?.failure).toBeNull();
  return status?.lastPass?.purgedRows ?? 0;
}

/** Sends the series portion by portion; `afterwards` is called when one is scored. @returns every row as it was scored. */
async function scoreAll(
  directory: string,
  afterwards: (engine: Engine, rows: number) => Promise<Engine>,
): Promise<DataRow[]> {
  const { timestamps, values } = dailySeries(NAME, ROWS, 9);
  let engine = await start(directory);
  const metricId = await engine.monitorMetric({
    metricSpec: { metric: NAME },
    modelParams: { min: 0, max: 150 },
  });
  await stop(engine);
  shortenWindow(directory);
  engine = await start(directory);
  const scored: DataRow[] = [];
  for (let from = 0; from < ROWS; from += PORTION) {
    await engine.push(
      values
        .slice(from, from + PORTION)
        .map((value, i) => ({ name: NAME, value, timestamp: timestamps[from + i] ?? NaN })),
    );
    const read = () => engine.readData(metricId, { afterRowid: from, limit: PORTION });
    await until('the portion to be scored', async () => {
      const rows = await read();
      return rows.length === PORTION && rows.every(({ anomalyScore }) => anomalyScore !== null);
    });
    scored.push(...(await read()));
    engine = await afterwards(engine, from + PORTION);
  }
  await stop(engine);
  return scored;
}

it(
  'purged rows change no score, whenever the engine is started anew; without checkpoints only a new generation helps',
  { timeout: 180_000 },
  async () => {
    const undisturbed = await scoreAll('without', (engine) => Promise.resolve(engine));
    let purged = 0;
    const disturbed = await scoreAll('with', async (engine, rows) => {
      purged += await purge(engine);
      if (rows % (3 * PORTION) !== 0) return engine;
      await stop(engine);
      return start('with');
    });
    expect(purged).toBeGreaterThan(ROWS / 2);
    expect(new Set(undisturbed.slice(600).map(({ anomalyScore }) => anomalyScore)).size).toBeGreaterThan(50);
    expect(disturbed).toEqual(undisturbed);

    await rm(join(root.path, 'with', 'checkpoints'), { recursive: true });
    const engine = await start('with');
    const metricId = (await engine.findMetric(NAME))?.metricId ?? '';
    const left = await engine.readData(metricId, { limit: ROWS });
    expect(left[0]?.rowid).toBe(purged + 1);
    const status = async () => (await engine.findMetric(NAME))?.status;
    const { timestamps } = dailySeries(NAME, ROWS + 1, 9);
    await engine.push([{ name: NAME, value: 50, timestamp: timestamps[ROWS] ?? NaN }]);
    await until('the metric to be in ERROR', async () => (await status()) === MetricStatus.ERROR);
    expect((await engine.findMetric(NAME))?.message).toContain('checkpoint_lost');
    // Trying again would not help, and it is not done.
    expect(await engine.describeModel(NAME)).toMatchObject({
      failure: { reason: 'checkpoint_lost', row: null },
      restarts: ['relearn'],
    });
    for (const how of ['retry', 'skip'] as const)
      await expect(engine.restartModel(metricId, how)).rejects.toMatchObject({ code: 'checkpoint_lost' });
    expect(await status()).toBe(MetricStatus.ERROR);
    expect(await purge(engine)).toBe(0);
    await engine.restartModel(metricId, 'relearn');
    await until('all rows to be scored anew', async () => {
      const rows = await engine.readData(metricId, { limit: ROWS });
      return rows.length === left.length + 1 && rows.every(({ anomalyScore }) => anomalyScore !== null);
    });
  },
);
