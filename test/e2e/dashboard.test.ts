import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { Detector, LEARNING_ROWS } from '../../src/detect/detector.ts';
import { DEFAULT_CEILING, estimateRange, resolutionFor } from '../../src/generation.ts';
import { browserIsMissing, launchBrowser, openPage } from '../support/browser.ts';
import { layDown, rhythm } from '../support/demo-series.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { incidentTests } from './dashboard-incidents.ts';

/** The page as a running engine serves it, over series that its models have scored. */
const DAY_SECONDS = 86_400;
/**
 * The last noon: models see the time of day, so that what they find in a series depends on the hour in which it lies, and
 * on nothing else of the clock.
 */
const LAST = Math.floor((Date.now() / 1000 - DAY_SECONDS / 2) / DAY_SECONDS) * DAY_SECONDS + DAY_SECONDS / 2;
const PAST = { fromEnd: 400, rows: 8, value: 140 };
const PAST_SERIES = rhythm('web/past', 1500, LAST, PAST);
const RANGE = { min: 0, max: 150 };
const TIMEOUT_MS = 60_000;

/** Where the spans of a series begin, by the engine's model here. */
function expectedSpans(
  samples: readonly { timestamp: number; value: number }[],
  range: { min: number; max: number },
): number[] {
  const detector = new Detector({ resolution: resolutionFor(range, null), ceiling: DEFAULT_CEILING });
  const spans: number[] = [];
  let below = Infinity;
  for (const [i, { timestamp, value }] of samples.entries()) {
    const score = detector.next(timestamp, value).logLikelihood;
    if (i < LEARNING_ROWS) continue;
    if (below >= 12 && score >= 0.5) spans.push(timestamp);
    if (score >= 0.5 || (score >= 0.29 && below < 12)) below = 0;
    else below++;
  }
  return spans;
}

describe.skipIf(browserIsMissing())('the page of a running engine', { timeout: 180_000 }, () => {
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
    const monitored = [PAST_SERIES, rhythm('db.open', 1500, LAST, { fromEnd: 9, rows: 10, value: 140 })];
    // Monitored first: rows that were there before open no incident.
    for (const { name } of monitored) await monitor(name, RANGE);
    await monitor('made', { ...RANGE, userInfo: { demo: true } });
    await layDown(
      address,
      [...monitored, rhythm('stored only', 300, LAST)].map((each) => ({ ...each, range: null })),
    );
    await until(
      'both incidents',
      async () => {
        const { incidents } = await engine.json<{ incidents: { open: boolean }[] }>('/api/v1/incidents');
        return incidents.some(({ open }) => open) && incidents.some(({ open }) => !open);
      },
      600_000,
    );
  }, 900_000);
  afterAll(async () => {
    await browser.close();
    await engine.end('SIGTERM');
    await directory.remove();
  });
  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  async function open(fragment = ''): Promise<Page> {
    ({ page, complaints } = await openPage(browser, address + fragment));
    page.setDefaultTimeout(TIMEOUT_MS);
    return page;
  }
  const monitor = (name: string, body: object) =>
    engine.request('PUT', `/api/v1/metrics/${encodeURIComponent(name)}/model`, JSON.stringify(body));
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  const state = () =>
    page.getByRole('region', { name: 'Metric', exact: true }).locator('.state').textContent();
  /** A value that the engine takes in like any other, over Graphite's port or HTTP. */
  const send = (name: string, timestamp: number, value: number) =>
    engine.request('POST', `/${encodeURIComponent(name)}`, `${value} ${timestamp}`);

  incidentTests(() => ({ engine, open }));

  it('shows what the engine knows, and each new row as it is scored', async () => {
    await open();
    await row('web/past').waitFor();
    expect(await page.locator('.row .name a').first().textContent()).toBe('db.open');
    expect(await row('web/past').locator('.state').textContent()).toBe('monitored');
    expect(await row('stored only').locator('.state').textContent()).toBe('not monitored');
    expect(await row('made').getByText('demo', { exact: true }).count()).toBe(1);
    expect(await row('web/past').getByText('demo', { exact: true }).count()).toBe(0);
    expect(await row('web/past').getByRole('img').getAttribute('aria-label')).toMatch(
      /^the last 60 scores: /,
    );

    await send('web/past', LAST + 300, 61.25);
    await row('web/past').locator('.value', { hasText: '61.25' }).waitFor();
    await send('stored only', LAST + 300, 17.5);
    await row('stored only').locator('.value', { hasText: '17.5' }).waitFor();
    await send('quite new', LAST, 5);
    await row('quite new').waitFor();
  });

  it('marks the span in which the rhythm was broken', async () => {
    await open(`#/metric/${encodeURIComponent('web/past')}`);
    await page.getByLabel('Time zone').selectOption('utc');
    const spans = page
      .getByRole('region', { name: 'Anomalous spans' })
      .getByRole('listitem')
      .getByRole('link');
    await spans.first().waitFor();
    const begun = (await spans.allTextContents()).map((text) => Date.parse(`${text}Z`) / 1000).reverse();
    // What other tests send comes after the series.
    expect(begun.filter((time) => time <= LAST)).toEqual(expectedSpans(PAST_SERIES.samples, RANGE));
    const broken = LAST - 300 * PAST.fromEnd;
    expect(begun.filter((time) => time >= broken && time <= broken + 300 * PAST.rows)).toHaveLength(1);
    expect(await page.locator('.u-over').count()).toBe(1);
    await page.getByText(/^Shaded: where nine of ten values lay at this hour of the day/).waitFor();
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

  it('tells how the engine is, with what it refused and why', async () => {
    await send('web/past', LAST - 1000, 1);
    await open('#/system');
    const figure = (group: string, term: string) =>
      page
        .getByRole('region', { name: group, exact: true })
        .locator('.figures > div')
        .filter({ has: page.getByText(term, { exact: true }) })
        .locator('dd');
    await figure('Engine', 'Version').waitFor();
    expect(await figure('Engine', 'State').textContent()).toBe('keeps what it is sent');
    expect(await figure('Samples refused', 'older').textContent()).toBe('1');
    expect(await figure('Models', 'In memory').textContent()).toMatch(/^[1-9]$/);
    expect(await figure('Models', 'Their memory').textContent()).toMatch(/ MiB of .* [MG]iB$/);
    const rows = Number((await figure('Work', 'Rows stored').textContent())?.replaceAll(',', ''));
    expect(rows).toBeGreaterThan(3300);
    expect(await figure('Disk', 'Database').textContent()).toMatch(/iB$/);
    // A second reading follows by itself, and with it the rates.
    await page.getByText(/^rates are those of the last/).waitFor();
    expect(await figure('Work', 'Rows scored').textContent()).toMatch(/, .* per second$/);
  });

  it('scores a file in the browser as the engine would, and marks what is anomalous', async () => {
    const { samples } = rhythm('file', 700, LAST, { fromEnd: 100, rows: 8, value: 140 });
    const lines = samples.map(({ timestamp, value }) => `${timestamp},${value},x`);
    const requests: string[] = [];
    await open('#/try');
    page.on('request', (request) => requests.push(request.method()));
    const file = (text: string) => ({ name: 'mine.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    const input = page.getByLabel('CSV file');
    await input.setInputFiles(file(`when,a,b\n1,2,3\n`));
    await page.getByRole('alert').getByText('2 columns could hold the number: choose one').waitFor();
    await input.setInputFiles(file(`when,load,host\n${lines.join('\n')}\nnonsense,1,x\n`));
    await page
      .getByText(/^700 rows, [1-9] anomalous spans?\. Model of “load” .*1 rows were left out/)
      .waitFor();
    const values = samples.map(({ value }) => value);
    const expected = expectedSpans(samples, estimateRange(Math.min(...values), Math.max(...values)));
    const spans = page.getByRole('region', { name: 'Anomalous spans' }).getByRole('listitem');
    expect(await spans.count()).toBe(expected.length);
    await page.getByLabel('Time zone').selectOption('utc');
    const shown = await spans.getByRole('button').allTextContents();
    expect(shown.map((time) => Date.parse(`${time}Z`) / 1000).reverse()).toEqual(expected);
    expect(requests).not.toContain('POST');
  });

  it('asks for the token that the engine wants, and then shows and follows everything', async () => {
    const token = 'page-test-0123456789abcdef';
    await writeFile(
      join(directory.path, 'test-settings.yaml'),
      stringify({ api: { tokens: `write tester ${token}` } }),
    );
    engine.child.kill('SIGHUP');
    const status = async () => (await engine.request('GET', '/api/v1/status')).status;
    await until('the tokens to be wanted', async () => (await status()) === 401);
    await open();
    await page.getByLabel('Token').fill('wrong-token-0123456789');
    await page.getByLabel('Token').press('Enter');
    await page.getByText('The engine does not know this token.').waitFor();
    await page.getByLabel('Token').fill(token);
    const stream = page.waitForResponse(
      (answer) => answer.url().endsWith('/results') && answer.status() === 200,
    );
    await page.getByRole('button', { name: 'Sign in' }).click();
    await stream;
    await page.getByText('Live', { exact: true }).waitFor();
    // Graphite knows no tokens.
    connect(engine.graphitePort, '127.0.0.1').end(`web/past 62.75 ${LAST + 600}\n`);
    await row('web/past').locator('.value', { hasText: '62.75' }).waitFor();
    await page.reload();
    await row('web/past').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    // What the browser says of every 401.
    complaints = complaints.filter((complaint) => !complaint.includes('401'));
  });
});
