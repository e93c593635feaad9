import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCommand } from '../support/cli.ts';
import { FakeEngine } from '../support/fake-engine.ts';

/** `htmengine retention` against an engine that answers what a real one does only after days; and `plan`. */
let engine: FakeEngine;
beforeEach(async () => {
  engine = await new FakeEngine().start();
});
afterEach(() => engine.stop());

const run = (...args: string[]) => runCommand(engine.url, args);
const KEPT_BY = { scoring: 0, checkpoints: 2, likelihood: 1, cursor: 0, last_row: 0, state: 0 };
const PASS = {
  metrics: 9,
  metricsWithOldRows: 5,
  purgedRows: 1234,
  droppedCursors: 1,
  keptBy: KEPT_BY,
  finishedAt: 1_700_000_000,
  durationMs: 12,
};
const idle = (lastPass: object | null, failure: string | null = null) => ({
  maxAgeSeconds: 7_776_000,
  running: false,
  failure,
  lastPass,
});

it('run waits for the end and tells what went, what stayed and why', async () => {
  const running = { ...idle(null), running: true };
  engine.retention = [running, running, idle(PASS)];
  const { code, stdout } = await run('retention', 'run');
  expect(code).toBe(0);
  expect(stdout).toBe(
    '1,234 rows purged of 9 metrics.\n' +
      '1 cursor dropped: the log names the consumers.\n' +
      'Old rows of 2 metrics stay: the two saved models are not past them.\n' +
      'Old rows of 1 metric stay: the likelihood looks back over them.\n',
  );
  engine.retention = [idle(PASS)];
  expect(JSON.parse((await run('retention', 'run', '--json')).stdout)).toEqual(PASS);
});

it('run fails if the pass does', async () => {
  engine.retention = [idle(PASS, 'the disk is full')];
  const { code, stderr } = await run('retention', 'run');
  expect(code).toBe(1);
  expect(stderr).toContain('purging failed: the disk is full');
});

it('status tells the age, and of a pass if there was one', async () => {
  engine.retention = [idle(null)];
  expect((await run('retention', 'status')).stdout).toBe(
    'By default rows are kept for 90 days.\nNo pass yet since the engine started.\n',
  );
  engine.retention = [{ ...idle(PASS), maxAgeSeconds: 0 }];
  const { stdout } = await run('retention', 'status');
  expect(stdout).toContain('rows are kept for ever');
  expect(stdout).toContain('1,234 rows purged');
});

it('set gives ages to metrics by pattern', async () => {
  for (const name of ['web.a', 'web.b', 'db']) engine.add(name);
  expect((await run('retention', 'set', 'web.*', '--days', '1.5')).stdout).toBe(
    'web.a: rows are kept for 1.5 days\nweb.b: rows are kept for 1.5 days\n',
  );
  await run('retention', 'set', 'db', '--keep');
  await run('retention', 'set', 'db', '--default');
  expect(engine.ages).toEqual([
    ['web.a', 129_600],
    ['web.b', 129_600],
    ['db', 0],
    ['db', null],
  ]);
  expect(await run('retention', 'set', 'db')).toMatchObject({ code: 2, stdout: '' });
  expect(await run('retention', 'set', 'db', '--keep', '--days', '3')).toMatchObject({ code: 2 });
  expect(await run('retention', 'set', 'db', '--days', '0')).toMatchObject({ code: 2 });
});

it(
  'plan measures, says what it assumes, and fails where the machine cannot carry it',
  { timeout: 120_000 },
  async () => {
    const small = await run('plan', '--metrics', '1', '--interval', '3600', '--seconds', '1', '--json');
    expect(small.code).toBe(0);
    const { costs, estimate } = JSON.parse(small.stdout) as {
      costs: Record<string, number>;
      estimate: { obstacles: string[] };
    };
    expect(estimate.obstacles).toEqual([]);
    for (const cost of [
      'modelBytes',
      'checkpointBytes',
      'rowBytes',
      'computeMs',
      'loadMs',
      'saveMs',
      'storeMs',
    ])
      expect(costs[cost]).toBeGreaterThan(0);
    const large = await run('plan', '--metrics', '10000000', '--interval', '1', '--seconds', '1');
    expect(large.code).toBe(1);
    expect(large.stdout).toContain('Assumed:');
    expect(large.stdout).toContain('cannot carry it');
    expect(await run('plan', '--metrics', '5')).toMatchObject({ code: 2 });
  },
);
