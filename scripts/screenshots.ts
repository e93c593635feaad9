/**
 * Takes pictures of every view of the page from an engine of its own with the demo data of `up --demo`: those that the
 * documentation shows into docs/images, with a directory all of them into that, to be looked at.
 * `npm run build && npm run screenshots [-- DIRECTORY]`
 */
import { join } from 'node:path';
import { styleText } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { DEMO_SERIES, DEMO_STEP_SECONDS } from '../src/collector/demo/demo-series.ts';
import { launchBrowser, openPage } from '../test/support/browser.ts';
import { rhythm } from '../test/support/demo-series.ts';
import { EngineProcess, temporaryDirectory, until } from '../test/support/engine-process.ts';

const [DIRECTORY] = process.argv.slice(2);
const IMAGES = DIRECTORY ?? join(import.meta.dirname, '../docs/images');
/** The demo's own anomaly. */
const ANOMALOUS = 'demo.machine.temperature';
/** The demo's anomaly is hours old and the overview is about now, so this one goes dead after its last row. */
const DEAD = { name: 'demo.web.requests', rows: 2 };
const DEMO_TAG = 'text="demo"';
/** Ground that is left below the last thing of the page, pixels. */
const MARGIN = 24;
const SCORING_TIMEOUT_MS = 300_000;

const DESKTOP = { viewport: { width: 1180, height: 900 }, timezoneId: 'UTC' };
const PHONE = { viewport: { width: 390, height: 900 }, timezoneId: 'UTC' };
const LOOKS: [string, BrowserContextOptions][] = [
  ['', DESKTOP],
  ['-dark', { ...DESKTOP, colorScheme: 'dark' }],
  ['-phone', PHONE],
  ...(DIRECTORY === undefined
    ? []
    : ([['-phone-dark', { ...PHONE, colorScheme: 'dark' }]] as [string, BrowserContextOptions][])),
];

/** Waits until every row of the demo's history, and every other that is stored, has its score. */
async function scored(engine: EngineProcess): Promise<void> {
  await until(
    'the scores of the demo data',
    async () => {
      const metrics = await engine.metrics();
      return DEMO_SERIES.every(({ name, historyRows }) => {
        const { rows = 0, scoredRows = 0 } = metrics.find((metric) => metric.name === name) ?? {};
        return rows >= historyRows && scoredRows === rows;
      });
    },
    SCORING_TIMEOUT_MS,
  );
}

async function breakRhythm(engine: EngineProcess): Promise<void> {
  const last = (await engine.metric(DEAD.name))?.lastTimestamp ?? 0;
  for (let i = 1; i <= DEAD.rows; i++) {
    await engine.request('POST', `/${DEAD.name}`, `0 ${last + i * DEMO_STEP_SECONDS}`);
  }
  await until('the rows that break the rhythm', async () => {
    const metric = await engine.metric(DEAD.name);
    return (
      metric?.lastTimestamp === last + DEAD.rows * DEMO_STEP_SECONDS && metric.scoredRows === metric.rows
    );
  });
}

/** The part of the view that has something in it. */
async function contentOf(page: Page): Promise<{ x: number; y: number; width: number; height: number }> {
  const { width, height } = page.viewportSize() ?? DESKTOP.viewport;
  const last = await page.locator('main > :last-child').boundingBox();
  const bottom = last === null ? height : last.y + last.height + MARGIN;
  return { x: 0, y: 0, width, height: Math.min(height, Math.ceil(bottom)) };
}

interface View {
  readonly name: string;
  readonly fragment: string;
  /** Selectors of what must be there. */
  readonly ready: readonly string[];
  readonly looks?: [string, BrowserContextOptions][];
  /** What a person would do first. */
  readonly prepare?: (page: Page) => Promise<void>;
}

async function take(browser: Browser, address: string, view: View): Promise<void> {
  const { name, fragment, ready, looks = LOOKS, prepare } = view;
  for (const [look, options] of looks) {
    const { page, complaints } = await openPage(browser, address + fragment, options);
    await prepare?.(page);
    for (const selector of ready) await page.locator(selector).first().waitFor();
    if (name !== 'sign-in') await page.getByText('Live', { exact: true }).waitFor();
    await page.evaluate('document.fonts.ready');
    const path = join(IMAGES, `page-${name}${look}.png`);
    await page.screenshot({ path, animations: 'disabled', clip: await contentOf(page) });
    await page.context().close();
    if (complaints.length > 0 && name !== 'sign-in') throw new Error(complaints.join('\n'));
    process.stdout.write(`${styleText('green', 'took')} ${path}\n`);
  }
}

/** A week of a day's rhythm that breaks once, as a file. */
function csv(): string {
  const series = rhythm('load', 2016, 1_790_000_100, { fromEnd: 500, rows: 10, value: 120 });
  const lines = series.samples.map(({ timestamp, value }) => `${timestamp},${value}`);
  return `time,load\n${lines.join('\n')}\n`;
}

const directory = await temporaryDirectory();
const engine = await EngineProcess.start(directory.path, {}, ['--demo']);
const browser = await launchBrowser();
try {
  const address = `http://127.0.0.1:${engine.httpPort}/`;
  process.stdout.write('waiting until the demo data is scored...\n');
  await scored(engine);
  await take(browser, address, {
    name: 'metric',
    fragment: `#/metric/${ANOMALOUS}`,
    ready: ['.spans li', DEMO_TAG, 'text=/^Shaded/'],
  });
  await breakRhythm(engine);
  await take(browser, address, { name: 'overview', fragment: '', ready: ['.row .strip', DEMO_TAG] });
  await take(browser, address, {
    name: 'groups',
    fragment: '#/?order=week&group=prefix',
    ready: ['.row .strip path'],
    looks: [['', DESKTOP]],
  });
  await until('the incident of the rows that break the rhythm', async () => {
    const { incidents } = await engine.json<{ incidents: unknown[] }>('/api/v1/incidents');
    return incidents.length > 0;
  });
  await take(browser, address, { name: 'incidents', fragment: '#/incidents', ready: ['.incident .tag.hot'] });
  await take(browser, address, { name: 'system', fragment: '#/system', ready: ['text=/^rates are those/'] });
  await take(browser, address, {
    name: 'try',
    fragment: '#/try',
    ready: ['text=/^2,016 rows/', 'text=/^Shaded/'],
    prepare: (page) =>
      page
        .getByLabel('CSV file')
        .setInputFiles({ name: 'load.csv', mimeType: 'text/csv', buffer: Buffer.from(csv()) }),
  });
  if (DIRECTORY !== undefined) {
    await take(browser, address, {
      name: 'sign-in',
      fragment: '',
      ready: ['text="Sign in"'],
      prepare: async (page) => {
        await page.route('**/api/v1/**', (route) =>
          route.fulfill({ status: 401, json: { code: 'unauthorized', detail: 'a token is wanted' } }),
        );
      },
    });
  }
} finally {
  await browser.close();
  await engine.end('SIGTERM');
  await directory.remove();
}
