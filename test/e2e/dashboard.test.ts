import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, browserIsMissing, launchBrowser, openPage } from '../support/browser.ts';
import { layDown, rhythm } from '../support/demo-series.ts';
import { EngineProcess, temporaryDirectory } from '../support/engine-process.ts';

/** The page as a running engine serves it, over series that its models have scored. */
const LAST = 1_700_000_100;
const ANOMALY = { fromEnd: 20, rows: 8, value: 140 };
const TIMEOUT_MS = 30_000;

describe.skipIf(browserIsMissing())('the page of a running engine', { timeout: 60_000 }, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let engine: EngineProcess;
  let browser: Browser;
  let address: string;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    directory = await temporaryDirectory();
    [engine, browser] = await Promise.all([EngineProcess.start(directory.path), launchBrowser()]);
    address = `http://127.0.0.1:${engine.httpPort}/`;
    await layDown(address, [
      rhythm('steady', 1500, LAST),
      rhythm('broken/rhythm', 1500, LAST, ANOMALY),
      { ...rhythm('stored only', 300, LAST), range: null },
    ]);
    await fetch(`${address}api/v1/metrics/made/model`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ min: 0, max: 1, userInfo: { demo: true } }),
    });
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await engine.end('SIGTERM');
    await directory.remove();
  });
  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  async function open(fragment = ''): Promise<void> {
    ({ page, complaints } = await openPage(browser, address + fragment));
    page.setDefaultTimeout(TIMEOUT_MS);
  }
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  const state = () =>
    page.getByRole('region', { name: 'Metric', exact: true }).locator('.state').textContent();
  /** A value that the engine takes in like any other, over Graphite's port or HTTP. */
  const send = (name: string, timestamp: number, value: number) =>
    engine.request('POST', `/${encodeURIComponent(name)}`, `${value} ${timestamp}`);

  it('shows what the engine knows, and each new row as it is scored', async () => {
    await open();
    await row('steady').waitFor();
    expect(await page.locator('.row .name a').first().textContent()).toBe('broken/rhythm');
    expect(await row('steady').locator('.state').textContent()).toBe('monitored');
    expect(await row('stored only').locator('.state').textContent()).toBe('not monitored');
    expect(await row('made').getByText('demo', { exact: true }).count()).toBe(1);
    expect(await row('steady').getByText('demo', { exact: true }).count()).toBe(0);
    expect(await row('steady').getByRole('img').getAttribute('aria-label')).toMatch(/^the last 60 scores: /);
    expect(await accessibilityFaults(page)).toEqual([]);

    await send('steady', LAST + 300, 61.25);
    await row('steady').locator('.value', { hasText: '61.25' }).waitFor();
    await send('stored only', LAST + 300, 17.5);
    await row('stored only').locator('.value', { hasText: '17.5' }).waitFor();
    await send('quite new', LAST, 5);
    await row('quite new').waitFor();
  });

  it('marks the span in which the rhythm was broken', async () => {
    await open(`#/metric/${encodeURIComponent('broken/rhythm')}`);
    await page.getByLabel('Time zone').selectOption('utc');
    const span = page.getByRole('listitem').first();
    await span.waitFor();
    const from = Date.parse(`${await span.getByRole('link').textContent()}Z`) / 1000;
    const broken = LAST - 300 * ANOMALY.fromEnd;
    expect(from).toBeGreaterThanOrEqual(broken);
    expect(from).toBeLessThanOrEqual(broken + 300 * ANOMALY.rows);
    expect(await page.locator('.u-over').count()).toBe(1);
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it('monitors, and stops when asked to', async () => {
    await open(`#/metric/${encodeURIComponent('stored only')}`);
    await page.getByRole('button', { name: 'Monitor…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Lowest usual value').fill('100');
    await dialog.getByLabel('Highest usual value').fill('0');
    await dialog.getByRole('button', { name: 'Monitor' }).click();
    await dialog.getByText('The lowest value must be below the highest.').waitFor();
    await dialog.getByLabel('Lowest usual value').fill('0');
    await dialog.getByLabel('Highest usual value').fill('100');
    await dialog.getByRole('button', { name: 'Monitor' }).click();
    await expect.poll(state, { timeout: TIMEOUT_MS }).toBe('learning 301 of 388');

    await page.getByRole('button', { name: 'Stop monitoring…' }).click();
    await dialog.getByRole('button', { name: 'Stop monitoring' }).click();
    await expect.poll(state, { timeout: TIMEOUT_MS }).toBe('not monitored');
    expect((await engine.metric('stored only'))?.state).toBe('UNMONITORED');
  });
});
