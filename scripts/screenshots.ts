/**
 * Takes the pictures of the page that the documentation shows, from an engine of its own with the demo data of
 * `up --demo`. `npm run build && npm run screenshots`
 */
import { join } from 'node:path';
import { styleText } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { DEMO_SERIES, DEMO_STEP_SECONDS } from '../src/collector/demo/demo-series.ts';
import { launchBrowser, openPage } from '../test/support/browser.ts';
import { EngineProcess, temporaryDirectory, until } from '../test/support/engine-process.ts';

const IMAGES = join(import.meta.dirname, '../docs/images');
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

/** @param ready selectors of what must be there */
async function take(
  browser: Browser,
  address: string,
  name: string,
  ready: readonly string[],
  looks = LOOKS,
): Promise<void> {
  for (const [look, options] of looks) {
    const { page, complaints } = await openPage(browser, address, options);
    for (const selector of ready) await page.locator(selector).first().waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.evaluate('document.fonts.ready');
    const path = join(IMAGES, `page-${name}${look}.png`);
    await page.screenshot({ path, animations: 'disabled', clip: await contentOf(page) });
    await page.context().close();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
    process.stdout.write(`${styleText('green', 'took')} ${path}\n`);
  }
}

const directory = await temporaryDirectory();
const engine = await EngineProcess.start(directory.path, {}, ['--demo']);
const browser = await launchBrowser();
try {
  const address = `http://127.0.0.1:${engine.httpPort}/`;
  process.stdout.write('waiting until the demo data is scored...\n');
  await scored(engine);
  await take(browser, `${address}#/metric/${ANOMALOUS}`, 'metric', ['.spans li', DEMO_TAG]);
  await breakRhythm(engine);
  await take(browser, address, 'overview', ['.row .strip', DEMO_TAG]);
  await take(
    browser,
    `${address}#/?order=week&group=prefix`,
    'groups',
    ['.row .strip path'],
    [['', DESKTOP]],
  );
  await until('the incident of the rows that break the rhythm', async () => {
    const { incidents } = await engine.json<{ incidents: unknown[] }>('/api/v1/incidents');
    return incidents.length > 0;
  });
  await take(browser, `${address}#/incidents`, 'incidents', ['.incident .tag.hot']);
} finally {
  await browser.close();
  await engine.end('SIGTERM');
  await directory.remove();
}
