import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessibilityFaults, browserIsMissing, launchBrowser, openPage } from '../support/browser.ts';
import { until } from '../support/engine-process.ts';
import { FakeApi, seededRows } from '../support/fake-api.ts';

/** The page in the states that a real engine shows seldom: every state of a metric, thousands of metrics, an engine that is away. */
const NOW = 1_790_000_100;
const TIMEOUT_MS = 60_000;

describe.skipIf(browserIsMissing())('the page', { timeout: 180_000 }, () => {
  let browser: Browser;
  let api: FakeApi;
  let address: string;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    api = new FakeApi();
    address = await api.start();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await api.stop();
  });

  async function open(fragment = '', options: BrowserContextOptions = {}): Promise<void> {
    ({ page, complaints } = await openPage(browser, address + fragment, options));
    page.setDefaultTimeout(TIMEOUT_MS);
  }
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  const names = () => page.locator('.row .name a').allTextContents();

  function addOneOfEach(): void {
    const unscored = seededRows(30, 4, NOW).map((each) => ({ ...each, logLikelihood: null }));
    api.add('anomalous', { rows: seededRows(2500, 1, NOW, [8, 900]), demo: true });
    api.add('learning', { rows: seededRows(120, 2, NOW), learning: { rows: 120, of: 388 } });
    api.add('waiting', { rows: unscored, state: 'PENDING_DATA', learning: { rows: 30, of: 288 } });
    api.add('plain', { rows: unscored, state: 'UNMONITORED' });
    api.add('broken', { rows: seededRows(400, 3, NOW), state: 'ERROR', message: 'row 400: no such bucket' });
    api.add('<b>a/b</b> ü', { rows: seededRows(400, 5, NOW) });
  }

  it('says how to send a first metric, and shows it when it comes', async () => {
    await open();
    await page.getByText('No metrics yet').waitFor();
    expect(await page.locator('code').first().textContent()).toContain(`curl ${address}api/v1/samples`);
    api.append('first', NOW, 42, null);
    await row('first').waitFor();
    expect(complaints).toEqual([]);
  });

  it('tells every state in plain words, the most anomalous first', async () => {
    addOneOfEach();
    await open();
    await row('anomalous').waitFor();
    const words = async (name: string) => (await row(name).locator('.state').textContent()) ?? '';
    expect(await words('learning')).toBe('learning 120 of 388');
    expect(await words('waiting')).toBe('waiting for rows 30 of 288');
    expect(await words('plain')).toBe('not monitored');
    expect(await words('broken')).toBe('error: row 400: no such bucket');
    expect(await words('<b>a/b</b> ü')).toBe('monitored');
    expect((await names())[0]).toBe('anomalous');
    expect(await row('anomalous').getByText('demo').count()).toBe(1);
    expect(await row('anomalous').getByRole('img').getAttribute('aria-label')).toBe(
      'the last 60 scores: highest 0.72 (anomalous), 1 anomalous',
    );
    expect(complaints).toEqual([]);
  });

  it('keeps filter and order in an address that can be shared', async () => {
    addOneOfEach();
    await open();
    await row('plain').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('AI');
    await page.getByText('2 of 6').waitFor();
    await page.getByLabel('Order').selectOption('name');
    const shared = page.url();
    await open(shared.slice(address.length));
    await row('plain').waitFor();
    expect(await names()).toEqual(['plain', 'waiting']);
  });

  it('moves a row to the top when it becomes anomalous', async () => {
    addOneOfEach();
    await open();
    await row('plain').waitFor();
    for (let i = 1; i <= 13; i++) api.append('anomalous', NOW + 300 * i, 50, 0.03);
    api.append('learning', NOW + 300, 77.5, 0.9);
    await expect.poll(async () => (await names())[0], { timeout: TIMEOUT_MS }).toBe('learning');
    expect(await row('learning').locator('.value').textContent()).toBe('77.5');
    expect(await row('learning').locator('.score').textContent()).toBe('0.90');
    expect(await row('learning').locator('.state').textContent()).toBe('learning 121 of 388');
  });

  it('renders a few of 5,000 rows, and the keyboard reaches the last', async () => {
    const rows = seededRows(60, 1, NOW);
    for (let i = 0; i < 5000; i++) api.add(`metric.${String(i).padStart(4, '0')}`, { rows });
    await open('#/?order=name');
    await page.getByText('5,000', { exact: true }).waitFor();
    await row('metric.0000').getByRole('link').focus();
    await page.keyboard.press('End');
    await row('metric.4999').waitFor();
    await expect.poll(() => page.evaluate<string>('document.activeElement.textContent')).toBe('metric.4999');
    expect(await page.locator('.row').count()).toBeLessThan(60);
  });

  it('sorts by how anomalous a period was, shows its bars, and groups by prefix', async () => {
    for (const name of ['b.1', 'a.1', 'b.2', 'plain']) api.add(name, { rows: seededRows(60, 1, NOW) });
    const bars = (last: number) => [...Array.from({ length: 23 }, () => null), last];
    api.ranking = {
      metrics: [
        { name: 'b.2', bars: bars(0.9) },
        { name: 'a.1', bars: bars(0.3) },
        { name: 'b.1', bars: bars(0.1) },
      ],
    };
    await open();
    await row('plain').waitFor();
    await page.getByLabel('Order').selectOption('week');
    await expect.poll(names, { timeout: TIMEOUT_MS }).toEqual(['b.2', 'a.1', 'b.1', 'plain']);
    expect(await row('b.2').getByRole('img').getAttribute('aria-label')).toBe(
      'the last week in 24 bars: highest 0.90 (very anomalous), 1 anomalous',
    );
    await page.getByRole('button', { name: 'Group' }).click();
    expect(page.url()).toMatch(/#\/\?order=week&group=prefix$/);
    const group = page.getByRole('button', { name: 'b.', exact: true });
    await group.waitFor();
    await expect.poll(names).toEqual(['b.2', 'b.1', 'a.1', 'plain']);
    expect(await accessibilityFaults(page)).toEqual([]);
    await group.press('Enter');
    await row('b.2').waitFor({ state: 'detached' });
    expect(await names()).toEqual(['a.1', 'plain']);
    await group.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.evaluate<string>('document.activeElement.textContent')).toBe('a.1');
    expect(complaints).toEqual([]);
  });

  it('says that the engine is away, keeps what it has, and goes on by itself', async () => {
    addOneOfEach();
    await open();
    await row('plain').waitFor();
    const port = Number(new URL(address).port);
    await api.stop();
    await page.getByRole('alert').getByText('The engine does not answer.').waitFor();
    expect(await row('plain').count()).toBe(1);
    await api.start(port);
    await page.getByRole('alert').waitFor({ state: 'detached' });
    api.append('back', NOW, 1, 0.03);
    await row('back').waitFor();
  });

  it('shows what the engine says when it refuses', async () => {
    addOneOfEach();
    api.failure = {
      status: 503,
      code: 'store_unavailable',
      detail: 'the database is locked by another program',
    };
    await open();
    await page.getByRole('alert').getByText('the database is locked by another program').waitFor();
    api.failure = null;
    await row('plain').waitFor();
  });

  it('lists the anomalous spans of a metric, zooms to one, and resets', async () => {
    addOneOfEach();
    await open('#/metric/anomalous');
    const spans = page.getByRole('region', { name: 'Anomalous spans' }).getByRole('listitem');
    await spans.first().waitFor();
    expect(await spans.count()).toBe(2);
    expect(await spans.first().textContent()).toContain('25 min, 6 rows');
    await spans.nth(1).getByRole('link').click();
    expect(page.url()).toMatch(/#\/metric\/anomalous\?from=\d+&to=\d+$/);
    await page.getByRole('button', { name: 'Reset' }).click();
    expect(page.url()).toMatch(/#\/metric\/anomalous$/);

    // A chart that is being drawn anew loses the drag that began on the old one.
    await until('the dragged stretch to be shown', async () => {
      await dragOverHalf(page.locator('.u-over'));
      return page.waitForURL(/\?from=/, { timeout: 1000 }).then(
        () => true,
        () => false,
      );
    });
    const query = new URLSearchParams(page.url().split('?')[1]);
    const share = (Number(query.get('to')) - Number(query.get('from'))) / (2499 * 300);
    expect(share).toBeGreaterThan(0.45);
    expect(share).toBeLessThan(0.55);
    await page.getByRole('application').press('0');
    expect(page.url()).toMatch(/#\/metric\/anomalous$/);
    expect(complaints).toEqual([]);
  });

  /** From a quarter of a chart's width to three quarters. */
  async function dragOverHalf(chart: Locator): Promise<void> {
    const box = (await chart.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + 0.25 * box.width, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.75 * box.width, box.y + 60, { steps: 4 });
    await page.mouse.up();
  }

  it('appends to the chart what comes', async () => {
    api.add('live', { rows: seededRows(500, 7, NOW) });
    await open('#/metric/live');
    await page.getByText('None among the rows read.').waitFor();
    api.append('live', NOW + 300, 150, 0.8);
    await page.getByRole('listitem').getByText('one row').waitFor();
    expect(await page.getByRole('listitem').getByText('open').count()).toBe(1);
  });

  it('shows years from afar with every peak, and each row as soon as one comes near, however old', async () => {
    api.add('old', { rows: seededRows(50_000, 7, NOW, [40_000]) });
    await open('#/metric/old');
    const first = page.getByRole('listitem').first();
    await page.getByText('The newest 5,000 of 50,000 rows').waitFor();
    await page.getByText('None among the rows read.').waitFor();
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await page.getByText('Seen from afar').waitFor();
    await first.getByText('highest 0.72, anomalous').waitFor();
    await first.getByRole('link').click();
    await first.getByText('25 min, 6 rows').waitFor();
    expect(await page.getByText('Seen from afar').count()).toBe(0);
    expect(page.url()).toMatch(/from=\d+&to=\d+$/);
  });

  it('draws what a model predicts and what is usual, and leaves the latter away when asked', async () => {
    const rows = seededRows(2500, 7, NOW).map((each) => ({ ...each, multiStepBestPredictions: { 1: 50 } }));
    api.add('predicted', { rows });
    await open('#/metric/predicted');
    const legend = page.locator('.u-legend .u-series:not(.unlisted) .u-label');
    const shown = ['Time', 'Value', 'Score', 'Usual', 'Predicted'];
    await expect.poll(() => legend.allTextContents(), { timeout: TIMEOUT_MS }).toEqual(shown);
    await page.getByText('Shaded: where nine of ten values lay at this hour of the day').waitFor();
    await page.getByRole('button', { name: 'Usual range' }).click();
    await expect.poll(() => legend.allTextContents()).toEqual(['Time', 'Value', 'Score', 'Predicted']);
  });

  it('monitors with a range after checking it, and stops after asking', async () => {
    addOneOfEach();
    await open('#/metric/plain');
    await page.getByRole('button', { name: 'Monitor…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Lowest usual value').fill('5');
    await dialog.getByRole('button', { name: 'Monitor' }).click();
    await dialog.getByText('Give both ends of the range, or neither.').waitFor();
    expect(api.changes).toEqual([]);
    await dialog.getByLabel('Highest usual value').fill('80');
    await dialog.getByRole('button', { name: 'Monitor' }).click();
    await page.getByText('waiting for rows 30 of 288').waitFor();

    await page.getByRole('button', { name: 'Stop monitoring…' }).click();
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Stop monitoring…' }).click();
    await dialog.getByRole('button', { name: 'Stop monitoring' }).click();
    await page.getByText('not monitored').waitFor();
    expect(api.changes).toEqual(['PUT plain {"min":5,"max":80}', 'DELETE plain']);
    expect(complaints).toEqual([]);
  });

  it('tells in the dialog why the engine refused', async () => {
    addOneOfEach();
    await open('#/metric/plain');
    await page.getByRole('button', { name: 'Monitor…' }).click();
    const plain = api.metrics.get('plain');
    if (plain !== undefined) plain.state = 'ACTIVE';
    await page.getByRole('dialog').getByRole('button', { name: 'Monitor' }).click();
    await page.getByRole('alert').getByText('plain is monitored already').waitFor();
  });

  it('tells what a model has learned and takes, and changes it after asking', async () => {
    addOneOfEach();
    await open('#/metric/anomalous');
    const model = page.getByRole('region', { name: 'Model' });
    await model.getByText('1, 400 rows seen').waitFor();
    await model.getByText('3.81 MiB, loaded; CPU 0.81 ms a row, 3.2 ms to load').waitFor();
    expect(await model.getByRole('img').getAttribute('aria-label')).toBe(
      '400 rows, mean 0.050, standard deviation 0.020; the newest is 0.110, 3.0 standard deviations above it',
    );
    const dialog = page.getByRole('dialog');
    await model.getByRole('button', { name: 'Switch learning off…' }).click();
    await dialog.getByRole('button', { name: 'Switch off' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByLabel('Time zone').selectOption('utc');
    await model.getByRole('button', { name: 'Do not learn from…' }).click();
    await dialog.getByLabel('From').fill('2026-09-21 14:15');
    await dialog.getByLabel('To', { exact: true }).fill('2026-09-21 13:00');
    await dialog.getByRole('button', { name: 'Do not learn' }).click();
    await dialog.getByText('It ends before it begins.').waitFor();
    await dialog.getByLabel('To', { exact: true }).fill('2026-09-21 15:00');
    await dialog.getByRole('button', { name: 'Do not learn' }).click();
    await dialog.waitFor({ state: 'detached' });
    await model.getByRole('button', { name: 'Learn anew…' }).click();
    await dialog.getByRole('button', { name: 'Learn anew' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(api.changes).toEqual([
      'PUT anomalous learning {"on":false}',
      'POST anomalous do-not-learn {"from":1790000100,"to":1790002800,"relearn":false}',
      'POST anomalous restart {"how":"relearn"}',
    ]);
    expect(complaints).toEqual([]);
  });

  it('lets a model in error try again, or go on without the row', async () => {
    addOneOfEach();
    const failure = {
      message: 'row 400: no such bucket',
      row: { rowid: 400, timestamp: NOW, value: 51.5 },
    };
    api.model = { ...api.model, failure, restarts: ['retry', 'skip', 'relearn'] };
    await open('#/metric/broken');
    const model = page.getByRole('region', { name: 'Model' });
    await model.getByText('row 400: no such bucket').waitFor();
    expect(await model.getByRole('button').allTextContents()).toEqual([
      'Try again…',
      'Go on without the row…',
      'Learn anew…',
    ]);
    const dialog = page.getByRole('dialog');
    await model.getByRole('button', { name: 'Try again…' }).click();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(api.changes).toEqual([]);
    for (const button of ['Try again', 'Go on without the row']) {
      await model.getByRole('button', { name: `${button}…` }).click();
      await dialog.getByRole('button', { name: button }).click();
      await dialog.waitFor({ state: 'detached' });
    }
    expect(api.changes).toEqual([
      'POST broken restart {"how":"retry"}',
      'POST broken restart {"how":"skip"}',
    ]);
    expect(complaints).toEqual([]);
  });

  it('shows one metric before the list of all has come', async () => {
    addOneOfEach();
    let answerList: () => void = () => undefined;
    api.listAfter = new Promise((resolve) => (answerList = resolve));
    await open('#/metric/anomalous');
    await page.getByRole('region', { name: 'Anomalous spans' }).getByRole('listitem').first().waitFor();
    await page.getByRole('region', { name: 'Model' }).getByText('1, 400 rows seen').waitFor();
    expect(await page.getByRole('status').first().textContent()).toBe('Connecting…');
    answerList();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('link', { name: '← All metrics' }).click();
    await row('plain').waitFor();
    expect(complaints).toEqual([]);
  });

  it('says when there is no such metric or page', async () => {
    await open('#/metric/none');
    await page.getByText('There is no metric “none”').waitFor();
    await open('#/nowhere');
    await page.getByText('There is no such page').waitFor();
  });

  it('switches times to UTC and remembers it', async () => {
    addOneOfEach();
    await open('#/metric/anomalous', { timezoneId: 'Asia/Tokyo' });
    await page.getByText('2026-09-21 23:15:00').waitFor();
    await page.getByLabel('Time zone').selectOption('utc');
    await page.getByText('2026-09-21 14:15:00').waitFor();
    await page.reload();
    await page.getByText('2026-09-21 14:15:00').waitFor();
  });

  it('says that nothing is monitored, or learns, and shows an incident when it comes', async () => {
    await open('#/incidents?period=all');
    await page.getByText('No metric is monitored yet').waitFor();
    api.add('young', { learning: { rows: 5, of: 388 } });
    await page.getByText('The one monitored metric is still learning').waitFor();
    api.incidents = { incidents: [incident(0, 1)], more: false };
    await page
      .getByRole('region', { name: 'Open incidents' })
      .getByRole('article', { name: 'many.0' })
      .waitFor();
  });

  it('shows a part of many, and more when asked', async () => {
    api.incidents = {
      incidents: Array.from({ length: 200 }, (_, i) => incident(i, i === 0 ? 300 : 1)),
      more: true,
    };
    await open('#/incidents?period=all', { viewport: { width: 360, height: 740 } });
    const cards = page.getByRole('article');
    await cards.first().waitFor();
    expect(await cards.count()).toBe(50);
    expect(await cards.first().getByRole('listitem').count()).toBe(5);
    await cards.first().getByRole('button', { name: 'Show 295 more' }).click();
    await expect.poll(() => cards.first().getByRole('listitem').count()).toBe(300);
    await page.getByRole('button', { name: 'Show more (150 left)' }).click();
    await expect.poll(() => cards.count()).toBe(100);
    await page.getByText('Older ones of this time are left out').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  function incident(i: number, spanCount: number) {
    const openedAt = NOW - 1000 * i;
    const spans = Array.from({ length: spanCount }, (_, j) => ({
      name: `many.${i + j}`,
      uid: `many.${i + j}`,
      generation: 1,
      openedRowid: 7,
      openedAt,
      lastAt: openedAt,
      peakLogLikelihood: 0.8,
      peakAt: openedAt,
      lowestValue: 1,
      highestValue: 2,
      ended: false,
      acknowledgement: null,
      silence: null,
    }));
    const id = `many.${i}:1:7`;
    const marks = { open: true, acknowledged: false, silenced: false, peakLogLikelihood: 0.8 };
    return { id, openedAt, lastAt: openedAt, ...marks, spans };
  }

  it('is accessible: every view, light, dark and on a phone', async () => {
    addOneOfEach();
    api.measurements = 'htmengine_refused_samples_total{reason="older"} 3\n';
    api.incidents = { incidents: [incident(0, 3)], more: false };
    await open();
    const view = (name: string) => page.getByRole('link', { name, exact: true }).click();
    const check = async (what: string) => {
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 1280],
        ['light', 360],
        ['dark', 360],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 740 });
        expect(await accessibilityFaults(page), `${what}, ${colorScheme}, ${width}`).toEqual([]);
      }
      await page.setViewportSize({ width: 1280, height: 740 });
    };
    await row('broken').waitFor();
    await check('all metrics');
    await row('anomalous').getByRole('link').click();
    await page.getByRole('region', { name: 'Model' }).getByRole('img').waitFor();
    await check('one metric');
    await page.getByRole('button', { name: 'Stop monitoring…' }).click();
    await check('a question');
    await page.keyboard.press('Escape');
    await view('Incidents');
    await page.getByRole('article').first().waitFor();
    await check('incidents');
    await view('System');
    await page.getByText('older', { exact: true }).waitFor();
    await check('system');
    await view('Try it');
    await check('try it');
    api.token = 'secret';
    await page.getByLabel('Token').waitFor();
    await check('signing in');
  });
});
