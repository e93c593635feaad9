import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, browserIsMissing, launchBrowser, openPage } from '../support/browser.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';

/** The traffic application as `htmengine init` lays it down: embedded, beside an engine of its own, and in a browser. */

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'dist/cli/main.js');
/** A working day at noon, so that what happens is the same whenever the test runs. */
const FLAGS = [
  '--port',
  '0',
  '--routes',
  '2',
  '--history',
  '10',
  '--speed-up',
  '3000',
  '--present',
  '2026-03-18T16:00:00Z',
];
const TIMEOUT_MS = 60_000;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let app: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  directory = await temporaryDirectory();
  const laid = await run('init', '--example', 'traffic', '--dependency', '^1.0.0', 'my-traffic');
  expect(laid).toMatchObject({ code: 0 });
  app = join(directory.path, 'my-traffic');
  await mkdir(join(app, 'node_modules'));
  await symlink(ROOT, join(app, 'node_modules/htmengine'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await directory.remove();
});

it('knows which examples there are', async () => {
  const refused = await run('init', '--example', 'weather', 'elsewhere');
  expect(refused.code).toBe(2);
  expect(refused.output).toContain('there is no example "weather": give one of skeleton, traffic');
});

describe('embedded', { timeout: TIMEOUT_MS }, () => {
  let started: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    started = await start('--engine-port', '0', '--data', 'embedded');
  }, TIMEOUT_MS);
  afterAll(() => end(started.child));

  it("takes the calls of the original's client unchanged", async () => {
    const { engine } = started;
    const put = () => fetch(`${engine}/298`, { method: 'PUT', body: JSON.stringify({ min: 0, max: 80 }) });
    const created = await put();
    expect(created.status).toBe(201);
    expect(await created.text()).toMatch(/^Created [0-9a-f]{32}\n$/);
    // Anything but 201 the client leaves alone.
    expect((await put()).status).not.toBe(201);
    for (const line of ['42.25 1772000000', '40.5 1772000300']) {
      const saved = await fetch(`${engine}/298`, { method: 'POST', body: line });
      expect(saved.status).toBe(200);
      expect(await saved.text()).toMatch(/^Saved \/298 /);
    }
    await until('scores', async () => !(await (await fetch(`${engine}/298`)).text()).includes('None'));
    const rows = (await (await fetch(`${engine}/298`)).text()).trim().split('\n');
    expect(rows.map((text) => text.split(/\s+/))).toEqual([
      ['/298', '42.25', '1772000000', '0.5'],
      ['/298', '40.5', '1772000300', '0.5'],
    ]);
  });

  it('lets nobody in from other pages, and answers what is not there with an error', async () => {
    const { page } = started;
    const statusOf = async (path: string, options?: RequestInit) =>
      (await fetch(page + path, options)).status;
    expect(
      await statusOf('/api/routes/fdr-south/incident', {
        method: 'POST',
        headers: { origin: 'http://elsewhere.example' },
      }),
    ).toBe(403);
    expect(await statusOf('/api/routes/nowhere/rows')).toBe(404);
    expect(await statusOf('/package.json')).toBe(404);
    expect(await statusOf('/api/routes/fdr-south/incident')).toBe(405);
  });

  describe.skipIf(browserIsMissing())('its page', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser.close());

    it('says that traffic is simulated, and colours a route after an incident', async () => {
      const { page, complaints } = await openPage(browser, started.page);
      await page.locator('#source').getByText('Simulated traffic').waitFor();
      const route = page.locator('[data-route="fdr-north"]');
      await route.and(page.locator('.usual')).waitFor({ timeout: TIMEOUT_MS });
      // With the keyboard alone.
      await route.focus();
      await page.keyboard.press('Enter');
      expect(await route.getAttribute('aria-pressed')).toBe('true');
      await page.locator('#plant').press('Enter');
      await page.getByText('An incident begins at').waitFor();
      await route.and(page.locator('.alarm')).waitFor({ timeout: TIMEOUT_MS });
      await page.locator('#alarms button', { hasText: 'FDR Drive north' }).first().waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });

    it('fits a phone, in the dark', async () => {
      const options = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const;
      const { page, complaints } = await openPage(browser, started.page, options);
      await page.locator('#chart svg').waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });
});

it('works with an engine elsewhere, over Graphite and HTTP', { timeout: TIMEOUT_MS }, async () => {
  const data = await temporaryDirectory();
  const engine = await EngineProcess.start(data.path);
  const url = `http://127.0.0.1:${engine.httpPort}`;
  const { child, page } = await start('--against', url, '--graphite', `127.0.0.1:${engine.graphitePort}`);
  await until('scored routes', async () => {
    const state = (await (await fetch(`${page}/api/state`)).json()) as {
      routes: { level: string; travelSeconds: number | null }[];
    };
    return state.routes.every(({ level, travelSeconds }) => level !== 'learning' && travelSeconds !== null);
  });
  expect(await end(child)).toBe(0);
  await engine.end('SIGTERM');
  await data.remove();
});

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: directory.path,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

async function start(...args: string[]): Promise<{ child: ChildProcess; page: string; engine: string }> {
  const child = spawn(process.execPath, ['app.ts', ...FLAGS, ...args], {
    cwd: app,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  while (!output.includes('Data ')) {
    if (child.exitCode !== null) throw new Error(`the application ended:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [, page = ''] = /^Traffic +(\S+)$/m.exec(output) ?? [];
  const [, engine = ''] = /^Engine +(\S+)$/m.exec(output) ?? [];
  return { child, page, engine };
}

async function end(child: ChildProcess): Promise<number | null> {
  const exited = once(child, 'exit') as Promise<[number | null]>;
  child.kill('SIGINT');
  return (await exited)[0];
}
