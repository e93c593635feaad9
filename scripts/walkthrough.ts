/**
 * Records the walkthrough that the README shows: the real program on a terminal, the real page in Chromium, from an empty directory
 * to an incident. `npm run walkthrough`; needs Chromium and ffmpeg (Debian: apt-get install chromium ffmpeg).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../test/support/browser.ts';
import { EngineProcess, temporaryDirectory, until } from '../test/support/engine-process.ts';
import { Film } from './walkthrough/film.ts';
import { Terminal } from './walkthrough/terminal.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = join(ROOT, 'docs/images/walkthrough.gif');
const VIEW = { viewport: { width: 1100, height: 760 }, timezoneId: 'UTC' };
const METRIC = 'web.requests';
const STEP_SECONDS = 300;
const SCORING_TIMEOUT_MS = 300_000;

/** Six days of a web server with an outage (examples/outage.csv), moved so that they end now. */
function writeHistory(file: string): number {
  const [header = '', ...lines] = readFileSync(join(ROOT, 'examples/outage.csv'), 'utf8').trim().split('\n');
  const end = Math.floor(Date.now() / 1000);
  const rows = lines.map((line, index) => {
    const time = new Date((end - (lines.length - index) * STEP_SECONDS) * 1000);
    return `${time.toISOString().slice(0, 19).replace('T', ' ')},${line.split(',')[1] ?? ''}`;
  });
  writeFileSync(file, `${[header, ...rows].join('\n')}\n`);
  return rows.length;
}

async function isScored(engine: EngineProcess, name: string, leastRows: number): Promise<boolean> {
  const { rows = 0, scoredRows = 0 } = (await engine.metric(name)) ?? {};
  return rows >= leastRows && scoredRows === rows;
}

/** What it printed at its start, with the ports that a user sees and without the log. */
function shownOutput({ output, httpPort, graphitePort }: EngineProcess): string {
  return output
    .slice(0, output.indexOf('\n\n'))
    .replaceAll(String(httpPort), '8080')
    .replaceAll(String(graphitePort), '2003')
    .replace(/Data .*/, 'Data       /home/you/htmengine-data');
}

async function openDashboard(browser: Browser, address: string): Promise<Page> {
  const page = await (await browser.newContext(VIEW)).newPage();
  await page.goto(address);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.evaluate('document.fonts.ready');
  return page;
}

async function record(film: Film, browser: Browser, engine: EngineProcess, directory: string): Promise<void> {
  const address = `http://127.0.0.1:${engine.httpPort}/`;
  const terminal = await Terminal.open(browser, VIEW, film, {
    directory,
    environment: { HTMENGINE_URL: address.slice(0, -1) },
  });
  const rows = writeHistory(join(directory, 'requests.csv'));
  await until(
    'the scores of the demo',
    () =>
      engine
        .metrics()
        .then(
          (metrics) =>
            metrics.length >= 5 &&
            metrics.every(({ rows: all, scoredRows }) => scoredRows === all || scoredRows > 1900),
        ),
    SCORING_TIMEOUT_MS,
  );

  await terminal.say('One process does everything');
  await terminal.show('htmengine up --demo', shownOutput(engine));
  film.hold(1_500);
  await terminal.say('Six days of a web server, in a file');
  await terminal.run(`htmengine import requests.csv --name ${METRIC}`);
  await terminal.run(`htmengine models monitor ${METRIC}`);
  await until('the scores of the history', () => isScored(engine, METRIC, rows));
  await terminal.run(`htmengine results ${METRIC} -n 2000 --min-likelihood 0.5`);
  film.hold(1_800);

  const page = await openDashboard(browser, address);
  await page.locator('.row .strip').first().waitFor();
  await film.take(page, 2_500);
  await page.goto(`${address}#/metric/${METRIC}`);
  await page.locator('.spans li').first().waitFor();
  await film.take(page, 3_500);

  await terminal.say('The server breaks');
  for (let i = 1; i <= 3; i++) {
    await terminal.run(`htmengine send ${METRIC} 12`);
    await until('the next second', () => isScored(engine, METRIC, rows + i));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
  }
  await terminal.run(`htmengine results ${METRIC} -n 3`);
  film.hold(1_500);

  await page.goto(`${address}#/incidents`);
  await page.locator('.incident').first().waitFor();
  await film.take(page, 3_500);
}

execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
const directory = await temporaryDirectory();
const film = new Film(directory.path);
const engine = await EngineProcess.start(directory.path, {}, ['--demo']);
const browser = await launchBrowser();
try {
  await record(film, browser, engine, directory.path);
  film.write(OUT);
  process.stdout.write(
    `${film.seconds.toFixed(0)} s, ${Math.round(statSync(OUT).size / 1024)} KiB: ${OUT}\n`,
  );
} finally {
  await browser.close();
  await engine.end('SIGTERM');
  await directory.remove();
}
