import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config.ts';
import { runCommand } from '../support/cli.ts';
import { EngineProcess, temporaryDirectory, until, type RowJson } from '../support/engine-process.ts';
import { sendAll } from '../support/sender.ts';
import { dailySeries } from '../support/series.ts';

/** Backups of a running engine: restored elsewhere it goes on as if nothing had happened. */
const METRICS = 6;
const ROWS = 500;
const SETTINGS: ConfigInput = {
  scheduler: { workers: 1, checkpointRows: 60, memoryBudgetBytes: 12 * 2 ** 20 },
  monitoring: { variant: 'tm_cpp' },
};
const series = Array.from({ length: METRICS }, (_, i) => dailySeries(`load.${i}`, ROWS, i + 1));

let root: Awaited<ReturnType<typeof temporaryDirectory>>;
const engines: EngineProcess[] = [];
beforeEach(async () => {
  root = await temporaryDirectory();
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.end('SIGKILL');
  await root.remove();
});

async function start(directory: string): Promise<EngineProcess> {
  const path = join(root.path, directory);
  await mkdir(path, { recursive: true });
  const engine = await EngineProcess.start(path, SETTINGS);
  engines.push(engine);
  return engine;
}

/** The lines of so many rows of each, in the order of their times; those that are stored already are refused as duplicates. */
function lines(rows = ROWS): string {
  const text: string[] = [];
  for (let row = 0; row < rows; row++) {
    for (const { name, timestamps, values } of series)
      text.push(`${name} ${values[row] ?? 0} ${timestamps[row] ?? 0}\n`);
  }
  return text.join('');
}

const scoredRows = async (engine: EngineProcess) =>
  (await engine.metrics()).reduce((sum, metric) => sum + metric.scoredRows, 0);

async function monitorAll(engine: EngineProcess): Promise<void> {
  for (const { name } of series)
    await engine.request('PUT', `/api/v1/metrics/${name}/model`, JSON.stringify({ min: 0, max: 150 }));
}

async function allRows(engine: EngineProcess): Promise<RowJson[][]> {
  await until('everything to be scored', async () => (await scoredRows(engine)) === METRICS * ROWS, 120_000);
  return Promise.all(series.map(({ name }) => engine.rows(name)));
}

const inRoot = (name: string) => join(root.path, name);
const command = (...args: string[]) => runCommand('http://127.0.0.1:1', args);

it(
  'taken under load and restored elsewhere gives the scores of the undisturbed run, bit for bit',
  { timeout: 240_000 },
  async () => {
    const undisturbed = await start('undisturbed');
    await monitorAll(undisturbed);
    await sendAll(undisturbed.graphitePort, lines());
    const expected = await allRows(undisturbed);
    await undisturbed.end('SIGTERM');

    const first = await start('first');
    await monitorAll(first);
    // Half of them wait to be scored, or are being scored, when it is taken, and the last are not sent before it is done.
    await sendAll(first.graphitePort, lines(ROWS / 2));
    await until('a part to be scored', async () => (await scoredRows(first)) > METRICS * 100, 120_000);
    await sendAll(first.graphitePort, lines(ROWS - 50));
    const backedUp = await command('backup', inRoot('backup'), '--data-dir', inRoot('first'), '--json');
    expect(backedUp).toMatchObject({ code: 0, stderr: '' });
    const outcome = JSON.parse(backedUp.stdout) as { metrics: number; checkpoints: number };
    expect(outcome.metrics).toBe(METRICS);
    expect(outcome.checkpoints).toBeGreaterThan(0);
    await sendAll(first.graphitePort, lines());
    await first.end('SIGKILL');
    await rm(inRoot('first'), { recursive: true });

    expect(await command('restore', inRoot('backup'), '--data-dir', inRoot('second'))).toMatchObject({
      code: 0,
    });
    const second = await start('second');
    await sendAll(second.graphitePort, lines());
    expect(await allRows(second)).toEqual(expected);
    expect(await second.counter('htmengine_scheduler_determinism_mismatches_total')).toBe(0);
  },
);

it(
  'leaves out saved models that are ahead of the database, and refuses what is not whole',
  { timeout: 120_000 },
  async () => {
    const engine = await start('data');
    await monitorAll(engine);
    await sendAll(engine.graphitePort, lines());
    await allRows(engine);
    await engine.end('SIGTERM');
    const data = inRoot('data');
    const restored = (from: string, to = 'restored') =>
      command('restore', inRoot(from), '--data-dir', inRoot(to));

    expect(await command('backup', inRoot('backup'), '--data-dir', data)).toMatchObject({ code: 0 });
    const again = await command('backup', inRoot('backup'), '--data-dir', data);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain('is not empty');
    expect((await restored('backup', 'data')).stderr).toContain('is not empty');

    const checkpoint =
      (await readdir(inRoot('backup'), { recursive: true })).find((path) => path.endsWith('.ckpt')) ?? '';
    const damages: [string, (copy: string) => Promise<void>, string][] = [
      ['unfinished', (copy) => rm(join(copy, 'backup.json')), 'was not finished'],
      ['missing', (copy) => rm(join(copy, checkpoint)), 'cannot be read'],
      [
        'cut',
        async (copy) =>
          writeFile(
            join(copy, 'htmengine.db'),
            (await readFile(join(copy, 'htmengine.db'))).subarray(0, 8192),
          ),
        'instead of',
      ],
      [
        'flipped',
        async (copy) => {
          const bytes = await readFile(join(copy, checkpoint));
          bytes[100] = (bytes[100] ?? 0) ^ 1;
          await writeFile(join(copy, checkpoint), bytes);
        },
        'checksum',
      ],
      [
        'outside',
        async (copy) => {
          const path = join(copy, 'backup.json');
          await writeFile(
            path,
            (await readFile(path, 'utf8')).replace('"htmengine.db"', '"../htmengine.db"'),
          );
        },
        'is not one this program reads',
      ],
    ];
    for (const [name, damage, message] of damages) {
      await cp(inRoot('backup'), inRoot(name), { recursive: true });
      await damage(inRoot(name));
      const { code, stderr } = await restored(name);
      expect([name, code]).toEqual([name, 1]);
      expect(stderr).toContain(message);
      expect(await readdir(root.path)).not.toContain('restored');
    }

    // One file instead of a directory.
    const archive = inRoot('backup.tar.gz');
    const packed = await command('backup', archive, '--data-dir', data, '--json');
    const made = JSON.parse(packed.stdout) as { rows: number; checkpoints: number };
    expect(made).toMatchObject({ metrics: METRICS, rows: METRICS * ROWS });
    expect((await command('backup', archive, '--data-dir', data)).stderr).toContain('is there already');
    await writeFile(inRoot('cut.tar.gz'), (await readFile(archive)).subarray(0, -100));
    expect((await restored('cut.tar.gz')).stderr).toContain('cannot be unpacked');
    const unpacked = await command('restore', archive, '--data-dir', inRoot('from-file'), '--json');
    expect(JSON.parse(unpacked.stdout)).toMatchObject({
      metrics: METRICS,
      rows: made.rows,
      checkpoints: made.checkpoints,
      checkpointsLeftOut: 0,
    });
    // Neither leaves anything else behind.
    expect((await readdir(root.path)).filter((name) => /making|unpacking|restor/.test(name))).toEqual([]);

    // As if the saved models had been copied later than the database.
    const database = new Database(join(data, 'htmengine.db'));
    database.exec('update scheduler_watermark set processed_rowid = 100');
    database.close();
    expect(await command('backup', inRoot('behind'), '--data-dir', data)).toMatchObject({ code: 0 });
    const outcome = await command('restore', inRoot('behind'), '--data-dir', inRoot('older'), '--json');
    expect(JSON.parse(outcome.stdout)).toMatchObject({ checkpoints: 0, checkpointsLeftOut: 2 * METRICS });
  },
);

it('says plainly that a database server has tools of its own', async () => {
  const { code, stderr } = await command(
    'backup',
    inRoot('b'),
    '--store',
    'postgres://me:secret@db.example/htm',
  );
  expect(code).toBe(1);
  expect(stderr).toContain('pg_dump');
  expect(stderr).not.toContain('secret');
});
