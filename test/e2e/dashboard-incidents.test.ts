import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults, browserIsMissing, launchBrowser, openPage } from '../support/browser.ts';
import { layDown, rhythm } from '../support/demo-series.ts';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { FakeApi } from '../support/fake-api.ts';

const TIMEOUT_MS = 30_000;
/** The period of the view ends now, so the rows do too. */
const LAST = Math.floor(Date.now() / 1000);
const RANGE = { min: 0, max: 150 };

describe.skipIf(browserIsMissing())('incidents on the page', { timeout: 60_000 }, () => {
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  async function open(address: string, fragment: string, options: BrowserContextOptions = {}): Promise<void> {
    ({ page, complaints } = await openPage(browser, address + fragment, options));
    page.setDefaultTimeout(TIMEOUT_MS);
  }
  const section = (name: string) => page.getByRole('region', { name });

  describe('of a running engine', () => {
    let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
    let engine: EngineProcess;
    let address: string;

    beforeAll(async () => {
      directory = await temporaryDirectory();
      engine = await EngineProcess.start(directory.path);
      address = `http://127.0.0.1:${engine.httpPort}/`;
      const series = [
        rhythm('web/past', 1500, LAST, { fromEnd: 400, rows: 8, value: 140 }),
        rhythm('db.open', 1500, LAST, { fromEnd: 9, rows: 10, value: 140 }),
      ];
      // Monitored first: rows that were there before open no incident.
      for (const { name } of series) await monitor(name);
      await layDown(
        address,
        series.map((each) => ({ ...each, range: null })),
      );
      await until(
        'both incidents',
        async () => {
          const { incidents } = await engine.json<{ incidents: { open: boolean }[] }>('/api/v1/incidents');
          return incidents.some(({ open }) => open) && incidents.some(({ open }) => !open);
        },
        120_000,
      );
    }, 180_000);
    afterAll(async () => {
      await engine.end('SIGTERM');
      await directory.remove();
    });

    async function monitor(name: string): Promise<void> {
      await fetch(`${address}api/v1/metrics/${encodeURIComponent(name)}/model`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(RANGE),
      });
    }
    const article = (where: string, name: string) => section(where).getByRole('article', { name }).first();

    it('lists the open ones before the past ones, each with its metric, and leads to the chart', async () => {
      await open(address, '#/');
      await page.getByRole('navigation').getByRole('link', { name: 'Incidents' }).press('Enter');
      await article('Open incidents', 'db.open').waitFor();
      await article('Past incidents', 'web/past').waitFor();
      const headings = await page.getByRole('heading', { level: 2 }).allTextContents();
      expect(headings.map((text) => text.replace(/\d+/, '').trim())).toEqual([
        'Open now',
        'Past',
        'Mutes',
        'Usual patterns',
      ]);
      expect(await accessibilityFaults(page)).toEqual([]);
      await article('Past incidents', 'web/past').getByRole('link', { name: 'web/past' }).click();
      expect(page.url()).toMatch(/#\/metric\/web%2Fpast\?from=\d+&to=\d+$/);
      await section('Anomalous spans').getByRole('listitem').first().waitFor();
      await page.getByRole('link', { name: /^Its incidents/ }).click();
      await article('Past incidents', 'web/past').waitFor();
      expect(await page.getByRole('article', { name: 'db.open' }).count()).toBe(0);
    });

    it('keeps the period and the metric in an address that can be shared', async () => {
      await open(address, '#/incidents?metric=db.open');
      await article('Open incidents', 'db.open').waitFor();
      const asked = page.waitForRequest(/incidents\?from=\d+&metric=db\.open$/);
      await page.getByLabel('Period').selectOption('day');
      const from = Number(new URL((await asked).url()).searchParams.get('from'));
      expect(Math.abs(Date.now() / 1000 - 86_400 - from)).toBeLessThan(60);
      expect(page.url()).toMatch(/#\/incidents\?period=day&metric=db\.open$/);
      await article('Open incidents', 'db.open').waitFor();
      await page.getByRole('button', { name: 'Show all' }).click();
      expect(page.url()).toMatch(/#\/incidents\?period=day$/);
      await article('Open incidents', 'db.open').waitFor();
    });

    it('acknowledges with a note', async () => {
      await open(address, '#/incidents?metric=db.open');
      await article('Open incidents', 'db.open').getByRole('button', { name: 'Acknowledge…' }).click();
      await page.getByLabel('Note').fill('on call has it');
      await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
      await page.getByText(/^Acknowledged .*: on call has it$/).waitFor();
      await article('Open incidents', 'db.open').getByText('acknowledged', { exact: true }).waitFor();
    });

    it('silences what somebody calls fine, says what that records, and takes it back', async () => {
      await open(address, '#/incidents?metric=web%2Fpast');
      const past = section('Past incidents').getByRole('article');
      await past.first().waitFor();
      const before = await past.count();
      await past.last().getByRole('button', { name: 'This was fine: web/past…' }).first().click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(/^It records that for this metric values of about/).waitFor();
      await dialog.getByLabel('At any time of day').check();
      expect(await accessibilityFaults(page)).toEqual([]);
      await dialog.getByRole('button', { name: 'This was fine' }).click();
      await page.locator('summary', { hasText: 'Silenced' }).waitFor();
      const pattern = section('Usual patterns').getByRole('listitem');
      expect(await pattern.textContent()).toMatch(/^web\/pastvalues .*, any time of day/);

      await pattern.getByRole('button', { name: 'Take back what is usual for web/past…' }).click();
      await dialog.getByRole('button', { name: 'Take back' }).click();
      await pattern.waitFor({ state: 'detached' });
      await expect.poll(() => past.count(), { timeout: TIMEOUT_MS }).toBe(before);
      expect(await page.locator('details').count()).toBe(0);
    });

    it('mutes by a pattern for a time, and lets it be heard again', async () => {
      await open(address, '#/incidents');
      await page.getByRole('button', { name: 'Mute metrics…' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name, or pattern').fill('db.*');
      await dialog.getByRole('combobox').selectOption('8 hours');
      await dialog.getByRole('button', { name: 'Mute' }).click();
      const mute = section('Mutes').getByRole('listitem');
      await mute.getByText('db.*').waitFor();
      const { mutes } = await engine.json<{ mutes: { pattern: string; from: number; until: number }[] }>(
        '/api/v1/mutes',
      );
      expect(mutes.map(({ pattern }) => pattern)).toEqual(['db.*']);
      expect(Math.abs((mutes[0]?.until ?? 0) - (mutes[0]?.from ?? 0) - 8 * 3600)).toBeLessThan(60);
      await mute.getByRole('button', { name: 'Remove the mute of db.*…' }).click();
      await dialog.getByRole('button', { name: 'Remove' }).click();
      await mute.waitFor({ state: 'detached' });
      expect(await engine.json('/api/v1/mutes')).toEqual({ mutes: [] });
    });
  });

  describe('in states that are seldom', () => {
    let api: FakeApi;
    let address: string;
    beforeAll(async () => {
      api = new FakeApi();
      address = await api.start();
    });
    afterAll(() => api.stop());

    it('says that nothing is monitored, or learns, and shows an incident when it comes', async () => {
      await open(address, '#/incidents?period=all');
      await page.getByText('No metric is monitored yet').waitFor();
      api.add('young', { learning: { rows: 5, of: 388 } });
      await page.getByText('The one monitored metric is still learning').waitFor();
      api.incidents = { incidents: [incident(0, 1)], more: false };
      await section('Open incidents').getByRole('article', { name: 'many.0' }).waitFor();
    });

    it('shows a part of many, and more when asked', async () => {
      api.incidents = {
        incidents: Array.from({ length: 200 }, (_, i) => incident(i, i === 0 ? 300 : 1)),
        more: true,
      };
      await open(address, '#/incidents?period=all', { viewport: { width: 360, height: 740 } });
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
      const openedAt = LAST - 1000 * i;
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
  });
});
