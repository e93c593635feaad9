import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIRST_SECOND, STEP_SECONDS, STEPS_PER_DAY } from '../../examples/traffic/city.ts';
import { accessibilityFaults, browserIsMissing, launchBrowser, openPage } from '../support/browser.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { layDownExample } from '../support/laid-down.ts';

/** The traffic application as `htmengine init --example traffic` lays it down; what npm would install is linked. */
const HISTORY_DAYS = 4;
const LAST = FIRST_SECOND + STEP_SECONDS * (HISTORY_DAYS * STEPS_PER_DAY - 1);
/** So slow that nothing happens by itself after the history. */
const SLOW = ['--history', String(HISTORY_DAYS), '--speed-up', '1'];
const TIMEOUT_MS = 120_000;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let application: string;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  directory = await temporaryDirectory();
  application = await layDownExample(directory.path, 'traffic');
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await directory.remove();
});

/** Starts it and waits until it says where it is. */
async function start(
  ...args: string[]
): Promise<{ map: string; engine: string; end(): Promise<number | null> }> {
  const child = spawn(process.execPath, ['app.ts', ...args], {
    cwd: application,
    env: { ...process.env, PORT: '0', TRAFFIC_ENGINE_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const found: Record<string, string> = {};
  for await (const line of createInterface(child.stdout)) {
    const [, what = '', url = ''] = /^(Map|Engine) +(http:\S+)$/.exec(line) ?? [];
    found[what] = url;
    if (found['Map'] !== undefined && found['Engine'] !== undefined) break;
  }
  return {
    map: found['Map'] ?? '',
    engine: found['Engine'] ?? '',
    end: async () => {
      child.kill('SIGINT');
      const [code] = (await once(child, 'exit')) as [number | null];
      running.delete(child);
      return code;
    },
  };
}

const json = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;

describe.skipIf(browserIsMissing())('the city on a map', { timeout: TIMEOUT_MS }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it('colours a route after traffic on it stands still, as the original tutorial’s client tells', async () => {
    const city = await start(...SLOW);
    const scored = async (id: string) => {
      const metric = await json<{ scoredRows?: number }>(`${city.engine}/api/v1/metrics/${id}`);
      return metric.scoredRows ?? 0;
    };
    await until(
      'the history',
      async () => (await scored('1012')) === HISTORY_DAYS * STEPS_PER_DAY,
      TIMEOUT_MS,
    );
    const { page, complaints } = await openPage(browser, `${city.map}/#1003`);
    const route = page.locator('[data-route="1003"]');
    await page.locator('[data-route="1003"]:not(.learning)').waitFor();
    expect(await route.getAttribute('aria-label')).toMatch(
      /^East River Drive south: (as usual|odd), \d+ mph$/,
    );
    expect(await accessibilityFaults(page)).toEqual([]);

    // PUT again is refused as the original refused it, POST stores, GET gives rows with scores.
    const url = `${city.engine}/1003`;
    const put = await fetch(url, { method: 'PUT', body: JSON.stringify({ min: 0, max: 80 }) });
    expect([put.status, await put.text()]).toEqual([409, expect.stringContaining('1003')]);
    for (let row = 1; row <= 6; row++) {
      const post = await fetch(url, { method: 'POST', body: `2.5 ${LAST + STEP_SECONDS * row + 1}` });
      expect(await post.text()).toContain('Saved /1003 2.5');
    }
    await until(
      'the rows to be scored',
      async () => (await scored('1003')) === HISTORY_DAYS * STEPS_PER_DAY + 6,
    );
    const rows = (await (await fetch(url)).text()).trim().split('\n');
    expect(rows.at(-1)).toMatch(/^\/1003 2\.5 \d+ (?:0|1)\.?\d*$/);

    await page.locator('[data-route="1003"].wrong').waitFor();
    const last = page.getByRole('list', { name: 'Last anomalies' }).getByRole('button').first();
    expect(await last.textContent()).toContain('East River Drive south');
    expect(await page.locator('#chart .anomalous').count()).toBeGreaterThan(0);
    // By keyboard another one is chosen, and its address can be shared.
    await page.locator('[data-route="1008"]').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Island Expressway out, Queens' }).waitFor();
    expect(page.url()).toMatch(/#1008$/);
    expect(complaints).toEqual([]);
    expect(await city.end()).toBe(0);
  });
});

it('feeds an engine that runs elsewhere, and goes on where it was', { timeout: TIMEOUT_MS }, async () => {
  const engine = await EngineProcess.start(directory.path);
  const against = ['--against', `http://127.0.0.1:${engine.httpPort}`, '--history', '1', '--speed-up', '1'];
  const first = await start(...against);
  await until('a day', async () => (await engine.metric('1012'))?.rows === STEPS_PER_DAY, TIMEOUT_MS);
  expect((await engine.metric('1012'))?.state).toBe('ACTIVE');
  expect((await engine.metric('1012.minutes'))?.rows).toBe(STEPS_PER_DAY);
  await first.end();
  const second = await start(...against.with(3, '2'));
  await until('another', async () => (await engine.metric('1012'))?.rows === 2 * STEPS_PER_DAY, TIMEOUT_MS);
  expect((await fetch(`${second.map}/settings.yaml`)).status).toBe(404);
  expect((await fetch(second.map, { method: 'POST' })).status).toBe(405);
  expect(await second.end()).toBe(0);
  await engine.end('SIGTERM');
});

it('says what is wrong with its options', async () => {
  const { code, stderr } = (await promisify(execFile)(process.execPath, ['app.ts', '--seed', 'x'], {
    cwd: application,
  }).catch((error: unknown) => error as { code: number; stderr: string })) as {
    code: number;
    stderr: string;
  };
  expect(code).toBe(2);
  expect(stderr).toContain('--seed is x: it must be a whole number');
});
