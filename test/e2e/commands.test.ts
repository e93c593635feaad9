import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand, startCommand } from '../support/cli.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';

/** Every command against a running engine, as a person works with it. */
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: EngineProcess;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  await engine.end('SIGTERM');
  await directory.remove();
});

const url = () => `http://127.0.0.1:${engine.httpPort}`;
const run = (...args: string[]) => runCommand(url(), args);
const shown = async (name: string) => (await run('models', 'show', name)).stdout;
const rowsCsv = (count: number) =>
  `timestamp,value\n${Array.from({ length: count }, (_, i) => `${1_600_000_000 + 300 * i},${i % 24}\n`).join('')}`;

describe('an evening with the commands', () => {
  it('from a file to scores, and back to nothing', { timeout: 90_000 }, async () => {
    engine = await EngineProcess.start(directory.path);
    const file = join(directory.path, 'web.csv');
    await writeFile(file, rowsCsv(400));
    const imported = await run('import', file);
    expect([imported.code, imported.stdout]).toEqual([0, expect.stringMatching(/^400 rows of 1 metric/)]);
    expect(await run('metrics', 'monitor', 'web', '--min', '0', '--max', '24')).toMatchObject({ code: 0 });
    await until('all rows to be scored', async () => (await engine.metric('web'))?.scoredRows === 400);

    const list = await run('metrics', 'list', 'w*');
    expect(list.stdout).toMatch(/^web\tactive\t400\t15\t2020-09-14T21:41:40Z\t/);
    expect((await run('models', 'list')).stdout).toBe(list.stdout);
    expect((await run('models', 'show', 'web')).stdout).toContain('range 0 to 24');
    expect((await run('results', 'web', '-n', '5')).stdout.trim().split('\n')).toHaveLength(5);

    const exported = await run('metrics', 'export', 'web');
    expect(exported.stdout.trim().split('\n')).toHaveLength(401);
    expect(exported.stdout).toContain('web,2020-09-13T12:26:40Z,0,1,0.5,');

    await writeFile(file, rowsCsv(402));
    const again = await run('import', file, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ stored: 2, skipped: 400 });

    expect((await run('models', 'unmonitor', 'web')).code).toBe(0);
    expect((await run('models', 'show', 'web')).stdout).toContain('not monitored');
    expect((await run('metrics', 'delete', 'w*', '--yes')).code).toBe(0);
    expect(await engine.metrics()).toEqual([]);
  });

  it('waits for enough rows, or begins with fewer when told to', async () => {
    engine = await EngineProcess.start(directory.path);
    await runCommand(url(), ['import', '-', '--name', 'few'], rowsCsv(20));
    expect((await run('metrics', 'monitor', 'few')).stdout).toContain('waiting for data, 20 of 288');
    expect((await run('models', 'activate', 'few')).code).toBe(0);
    await until('all rows to be scored', async () => (await engine.metric('few'))?.scoredRows === 20);
    expect((await run('metrics', 'show', 'few')).stdout).toContain('learning 20 of 388');
  });

  it('copies a model, lets one learn anew, and takes models away and back', { timeout: 90_000 }, async () => {
    engine = await EngineProcess.start(directory.path);
    const file = join(directory.path, 'web.csv');
    await writeFile(file, rowsCsv(420));
    await run('import', file);
    await run('models', 'monitor', 'web', '--min', '0', '--max', '24');
    await until('all rows to be scored', async () => (await engine.metric('web'))?.scoredRows === 420);
    const scores = (await engine.rows('web')).map(({ anomalyScore }) => anomalyScore);

    expect(await run('models', 'clone', 'web', 'web.copy')).toMatchObject({ code: 0 });
    await until('the copy to be scored', async () => (await engine.metric('web.copy'))?.scoredRows === 420);
    expect((await engine.rows('web.copy')).map(({ anomalyScore }) => anomalyScore)).toEqual(scores);

    expect(await run('models', 'restart', 'web', '--relearn')).toMatchObject({ code: 0 });
    await until('the new generation to be scored', async () => {
      return (
        (await engine.metric('web'))?.scoredRows === 420 && (await shown('web')).includes('generation 2')
      );
    });
    expect((await engine.rows('web')).map(({ anomalyScore }) => anomalyScore)).toEqual(scores);
    expect((await run('models', 'restart', 'web')).stderr).toContain('only a model in ERROR');

    const models = join(directory.path, 'models.json');
    await writeFile(models, (await run('models', 'export')).stdout);
    await run('models', 'unmonitor', 'web.copy');
    const back = await run('models', 'import', models);
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining('web.copy: monitored\n')]);
    await until('it to be scored again', async () => (await engine.metric('web.copy'))?.scoredRows === 420);
  });

  it('sends values over HTTP and Graphite, and tells why one is refused', async () => {
    engine = await EngineProcess.start(directory.path);
    expect(await run('send', 'a', '1', '1600000000')).toMatchObject({ code: 0, stdout: '1 value stored\n' });
    const refused = await run('send', 'a', '2', '1600000000');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('duplicate')]);
    const graphite = ['send', '--graphite', `127.0.0.1:${engine.graphitePort}`];
    expect(await runCommand(url(), graphite, 'a 3 1600000060\n')).toMatchObject({
      code: 0,
      stdout: '1 value sent\n',
    });
    await until('the line to be stored', async () => (await engine.rows('a')).length === 2);
  });

  it('follows results as they are scored', { timeout: 60_000 }, async () => {
    engine = await EngineProcess.start(directory.path);
    await run('metrics', 'monitor', 'live.a', '--min', '0', '--max', '9');
    const { child, result } = startCommand(url(), 'results', '--follow', 'live.*', '--json');
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    let sent = 0;
    await until('a result to be shown', async () => {
      await run('send', 'live.a', '5', String(1_600_000_000 + 60 * sent++));
      return seen.includes('\n');
    });
    child.kill('SIGINT');
    expect((await result).code).toBe(0);
    expect(JSON.parse(seen.split('\n')[0] ?? '')).toMatchObject({ name: 'live.a', value: 5, generation: 1 });
  });
});

describe('an import that is interrupted', () => {
  it('goes on where it was, every row being stored once', { timeout: 120_000 }, async () => {
    engine = await EngineProcess.start(directory.path);
    const file = join(directory.path, 'long.csv');
    await writeFile(file, rowsCsv(200_000));
    const { child, result } = startCommand(url(), 'import', file, '--name', 'long');
    await until('some rows to be stored', async () => ((await engine.metric('long'))?.rows ?? 0) > 0);
    child.kill('SIGINT');
    const first = await result;
    expect([first.code, first.stdout]).toEqual([1, expect.stringContaining('goes on from here')]);
    const stored = (await engine.metric('long'))?.rows ?? 0;
    expect(stored).toBeLessThan(200_000);
    const second = JSON.parse((await run('import', file, '--name', 'long', '--json')).stdout) as object;
    expect(second).toMatchObject({ skipped: stored, stored: 200_000 - stored, badRows: { count: 0 } });
  });
});

describe('the demo', () => {
  it(
    'is laid down once, has its anomaly found, and goes with one command',
    { timeout: 180_000 },
    async () => {
      engine = await EngineProcess.start(directory.path, {}, ['--demo']);
      await until(
        'everything to be scored',
        async () => {
          const metrics = await engine.metrics();
          return (
            metrics.length === 5 &&
            metrics.every(({ rows, scoredRows }) => rows >= 120 && scoredRows === rows)
          );
        },
        120_000,
      );
      const anomalies = await run(
        'results',
        'demo.machine.temperature',
        '-n',
        '100',
        '--min-likelihood',
        '0.5',
      );
      expect(anomalies.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(1);
      expect(anomalies.stdout).toContain('demo.machine.temperature');
      expect((await run('metrics', 'show', 'demo.new.sensor')).stdout).toMatch(
        /demo data[^]*learning 1\d\d of 388/,
      );
      const before = await engine.rows('demo.web.requests');
      await engine.end('SIGTERM');

      engine = await EngineProcess.start(directory.path, {}, ['--demo']);
      expect(
        (await engine.rows('demo.web.requests')).slice(0, before.length).map(({ timestamp }) => timestamp),
      ).toEqual(before.map(({ timestamp }) => timestamp));
      expect((await run('demo', 'remove')).code).toBe(0);
      expect(await engine.metrics()).toEqual([]);
    },
  );
});
