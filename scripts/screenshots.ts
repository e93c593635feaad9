/**
 * Takes the pictures of the page that the documentation shows, from an engine of its own with the seeded demo data.
 * `npm run build && npm run screenshots`
 */
import { join } from 'node:path';
import { styleText } from 'node:util';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { launchBrowser, openPage } from '../test/support/browser.ts';
import { layDown, rhythm } from '../test/support/demo-series.ts';
import { EngineProcess, temporaryDirectory } from '../test/support/engine-process.ts';

const IMAGES = join(import.meta.dirname, '../docs/images');
const LAST = 1_760_000_100;
const BROKEN = 'demo.web-1.cpu';

const DESKTOP = { viewport: { width: 1180, height: 640 }, timezoneId: 'UTC' };
const PHONE = { viewport: { width: 390, height: 760 }, timezoneId: 'UTC' };
const PICTURES: [string, string, BrowserContextOptions][] = [
  ['overview', '', DESKTOP],
  ['overview-dark', '', { ...DESKTOP, colorScheme: 'dark' }],
  ['overview-phone', '', PHONE],
  ['metric', `#/metric/${BROKEN}`, DESKTOP],
  ['metric-dark', `#/metric/${BROKEN}`, { ...DESKTOP, colorScheme: 'dark' }],
  ['metric-phone', `#/metric/${BROKEN}`, PHONE],
];

function demoData() {
  return [
    rhythm(BROKEN, 2400, LAST, { fromEnd: 90, rows: 10, value: 130 }),
    rhythm('demo.web-2.cpu', 2400, LAST),
    rhythm('demo.shop.orders', 2400, LAST, { fromEnd: 9, rows: 9, value: 12 }),
    rhythm('demo.db.latency', 2000, LAST, { fromEnd: 40, rows: 6, value: 120 }),
    rhythm('demo.queue.depth', 2000, LAST),
    rhythm('demo.cache.hits', 250, LAST),
    { ...rhythm('demo.disk.free', 600, LAST), range: null },
  ];
}

async function take(browser: Browser, address: string): Promise<void> {
  for (const [name, fragment, options] of PICTURES) {
    const { page } = await openPage(browser, address + fragment, options);
    await page
      .locator(fragment === '' ? '.row .strip' : '.spans li')
      .first()
      .waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.evaluate('document.fonts.ready');
    const path = join(IMAGES, `page-${name}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    await page.context().close();
    process.stdout.write(`${styleText('green', 'took')} ${path}\n`);
  }
}

const directory = await temporaryDirectory();
const engine = await EngineProcess.start(directory.path);
const browser = await launchBrowser();
try {
  const address = `http://127.0.0.1:${engine.httpPort}/`;
  process.stdout.write('laying down the demo data and learning it...\n');
  await layDown(address, demoData());
  await take(browser, address);
} finally {
  await browser.close();
  await engine.end('SIGTERM');
  await directory.remove();
}
