import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where the system keeps its Chromium. */
const CHROMIUM = process.env['HTMENGINE_CHROMIUM'] ?? '/usr/bin/chromium';
const required = process.env['CI'] === 'true' || process.env['HTMENGINE_REQUIRE_CHROMIUM'] === '1';

/** Whether tests in a browser are to be skipped: said aloud, and an error where the browser is required. */
export function browserIsMissing(): boolean {
  if (existsSync(CHROMIUM)) return false;
  const what = `there is no ${CHROMIUM}: tests of the page need it (apt-get install chromium, or HTMENGINE_CHROMIUM=path)`;
  if (required) throw new Error(what);
  console.warn(`skipped: ${what}`);
  return true;
}

export function launchBrowser(): Promise<Browser> {
  // In a container, often as root, Chromium has neither a sandbox nor much shared memory.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** A page that notes what must not happen: complaints on the console, errors, requests to elsewhere. */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(address).origin) complaints.push(`left: ${request.url()}`);
  });
  await page.goto(address);
  return { page, complaints };
}

/** What of the page as it is now axe objects to, one line each, and whether the page is wider than its window. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Every page needs the program anew; the page's policy keeps scripts of others out, but not the debugger.
  await page.evaluate(axe.source);
  const faults = await page.evaluate<
    string[]
  >(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, help, nodes }) => nodes.map(({ html, any }) =>
      id + ': ' + help + ': ' + html.slice(0, 120) + ' ' + (any[0]?.message ?? ''))))`);
  const isWide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
  return isWide ? [...faults, 'wider than the window'] : faults;
}
