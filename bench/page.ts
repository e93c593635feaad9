/** `npm run bench:page`: how the page feels with thousands of metrics, in a real browser beside a running pipeline. */
import autocannon from 'autocannon';
import { Command, InvalidArgumentError } from 'commander';
import { type Browser, chromium, type Page } from 'playwright-core';
import { EngineProcess } from '../test/support/engine-process.ts';
import { calibrate, describeMachine } from './calibration.ts';
import { fleetInstallation } from './fleet-installation.ts';
import { ROW_SECONDS } from './fleet-rows.ts';
import { FleetTraffic } from './fleet-traffic.ts';
import { round, table } from './table.ts';

interface Options {
  readonly metrics: number;
  readonly runs: number;
  readonly dir: string;
  readonly json?: boolean;
}

const CHROMIUM = process.env.HTMENGINE_CHROMIUM ?? '/usr/bin/chromium';
const BUDGET_BYTES = 2 ** 29;
const WINDOW = { width: 1280, height: 800 };
/** How long, and how far in each frame, the list is scrolled. */
const SCROLL_SECONDS = 5;
const SCROLL_PIXELS = 240;
const LOAD_SECONDS = 5;
const CONNECTIONS = 4;
/** What the project asks for. */
const MUST = { interactiveMs: 1000, frameMs: 50 };

await new Command('bench:page')
  .description(
    'Runs the built engine on metrics with a week of scored rows and live samples, opens its page in Chromium and prints how long until views can be used, frame intervals while scrolling, and the server under load.',
  )
  .option('--metrics <n>', 'how many', positiveInteger, 5000)
  .option('--runs <n>', 'how often each view is opened; the median counts', positiveInteger, 5)
  .option('--dir <dir>', 'where installations are kept for the next run', '/tmp')
  .option('--json', 'print the figures as JSON')
  .addHelpText('after', '\nExample:\n  npm run bench:page -- --metrics 1000 --json')
  .action(bench)
  .parseAsync();

interface Finding {
  /** Milliseconds from the request to a view that shows its content and reacts: medians and slowest. */
  readonly overviewMs: Times;
  readonly metricByAddressMs: Times;
  readonly metricByClickMs: Times;
  /** Between frames while the list is scrolled. */
  readonly frames: {
    readonly count: number;
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly maxMs: number;
  };
  readonly server: readonly Served[];
  readonly lagP99Ms: number;
}

interface Times {
  readonly median: number;
  readonly slowest: number;
}

interface Served {
  readonly path: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

async function bench({ metrics, runs, dir, json }: Options): Promise<void> {
  const installation = await fleetInstallation(dir, metrics, (what) => process.stderr.write(`${what}\n`));
  const calibrationMs = calibrate(5);
  const engine = await EngineProcess.start(installation.directory, {
    log: { level: 'warn' },
    api: { maxRequestsPerMinute: 0 },
    scheduler: { memoryBudgetBytes: BUDGET_BYTES },
  });
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  try {
    const traffic = new FleetTraffic(installation.metrics, ROW_SECONDS, engine);
    await traffic.open();
    let isOver = false;
    const sending = traffic.send(() => isOver);
    const [middle] = installation.metrics.slice(metrics >>> 1);
    const address = `http://127.0.0.1:${engine.httpPort}`;
    const seen = await look(browser, address, middle?.name ?? '', runs);
    const server = await load(address, middle?.name ?? '');
    isOver = true;
    await sending;
    await traffic.drain(60);
    await traffic.close();
    const lag = traffic.lagMs.toSorted((a, b) => a - b);
    const finding: Finding = { ...seen, server, lagP99Ms: lag[Math.floor(0.99 * lag.length)] ?? NaN };
    const whole = { machine: describeMachine(), calibrationMs, metrics, runs, ...finding };
    process.stdout.write(
      json === true ? `${JSON.stringify(whole)}\n` : report(metrics, calibrationMs, finding),
    );
  } finally {
    await browser.close();
    await engine.end('SIGTERM');
  }
}

async function look(browser: Browser, address: string, metric: string, runs: number) {
  const fragment = `/#/metric/${encodeURIComponent(metric)}`;
  const overview: number[] = [];
  const byAddress: number[] = [];
  const byClick: number[] = [];
  for (let run = 0; run < runs; run++) {
    overview.push(await timed(browser, (page) => page.goto(address), rowsAreThere));
    byAddress.push(await timed(browser, (page) => page.goto(address + fragment), chartIsThere));
    byClick.push(await clickThrough(browser, address));
  }
  return {
    overviewMs: timesOf(overview),
    metricByAddressMs: timesOf(byAddress),
    metricByClickMs: timesOf(byClick),
    frames: await scroll(browser, address),
  };
}

/** In a browser that has seen nothing yet. */
async function timed(
  browser: Browser,
  begin: (page: Page) => Promise<unknown>,
  isThere: (page: Page) => Promise<void>,
): Promise<number> {
  const context = await browser.newContext({ viewport: WINDOW });
  const page = await context.newPage();
  const from = performance.now();
  await begin(page);
  await isThere(page);
  const took = performance.now() - from;
  await context.close();
  return took;
}

async function clickThrough(browser: Browser, address: string): Promise<number> {
  const context = await browser.newContext({ viewport: WINDOW });
  const page = await context.newPage();
  await page.goto(address);
  await rowsAreThere(page);
  const from = performance.now();
  await page.locator('.row .name a').nth(3).click();
  await chartIsThere(page);
  const took = performance.now() - from;
  await context.close();
  return took;
}

async function rowsAreThere(page: Page): Promise<void> {
  await page.locator('.row .name a').nth(10).waitFor();
  await reacts(page);
}

async function chartIsThere(page: Page): Promise<void> {
  await page.locator('.u-over').waitFor();
  await reacts(page);
}

/** A task and two frames: the page is not busy with anything that would keep a click waiting. */
async function reacts(page: Page): Promise<void> {
  await page.evaluate(
    `new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 0))`,
  );
}

async function scroll(browser: Browser, address: string): Promise<Finding['frames']> {
  const context = await browser.newContext({ viewport: WINDOW });
  const page = await context.newPage();
  await page.goto(address);
  await rowsAreThere(page);
  // As a wheel that never rests: so much in each frame, to the end and back.
  const intervals = await page.evaluate<number[]>(`new Promise((done) => {
    const found = [];
    const begun = performance.now();
    let last = begun;
    let step = ${SCROLL_PIXELS};
    const frame = (now) => {
      found.push(now - last);
      last = now;
      const place = document.scrollingElement;
      const before = place.scrollTop;
      place.scrollBy(0, step);
      if (place.scrollTop === before) step = -step;
      if (now - begun < ${1000 * SCROLL_SECONDS}) requestAnimationFrame(frame);
      else done(found.slice(1));
    };
    requestAnimationFrame(frame);
  })`);
  const moved = await page.evaluate<number>('document.scrollingElement.scrollHeight');
  if (moved <= WINDOW.height) throw new Error('the list could not be scrolled');
  await context.close();
  const sorted = intervals.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}

/** What the page asks for, by several at once and as fast as it is answered. */
async function load(address: string, metric: string): Promise<Served[]> {
  const name = encodeURIComponent(metric);
  const paths = [
    '/api/v1/metrics?limit=1000&recent=60',
    '/api/v1/ranking?period=day&limit=100',
    `/api/v1/metrics/${name}`,
    `/api/v1/metrics/${name}/buckets?buckets=500`,
    '/api/v1/incidents',
    '/api/v1/status',
  ];
  const served: Served[] = [];
  for (const path of paths) {
    const { requests, latency, non2xx, errors } = await autocannon({
      url: address + path,
      connections: CONNECTIONS,
      duration: LOAD_SECONDS,
    });
    served.push({
      path,
      perSecond: requests.average,
      p50Ms: latency.p50,
      p99Ms: latency.p99,
      failed: non2xx + errors,
    });
  }
  return served;
}

function timesOf(times: readonly number[]): Times {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >>> 1] ?? NaN, slowest: sorted.at(-1) ?? NaN };
}

function report(metrics: number, calibrationMs: number, finding: Finding): string {
  const { cpu, cores, load: busy, node } = describeMachine();
  const { frames, server, lagP99Ms } = finding;
  const mark = (value: number, most: number) => (value <= most ? 'reached' : 'MISSED');
  const view = (title: string, { median, slowest }: Times) => [
    title,
    round(median),
    round(slowest),
    `${MUST.interactiveMs}: ${mark(median, MUST.interactiveMs)}`,
  ];
  return [
    `${cpu}, ${cores} cores, load ${busy.toFixed(1)}; Node ${node}; calibration ${calibrationMs.toFixed(1)} ms`,
    `${metrics} metrics with a week of rows, a live sample of each every ${ROW_SECONDS} s; p99 lag meanwhile ${lagP99Ms.toFixed(0)} ms`,
    table(
      ['until it can be used, ms', 'median', 'slowest', 'must'],
      [
        view('overview', finding.overviewMs),
        view('a metric, by its address', finding.metricByAddressMs),
        view('a metric, from the overview', finding.metricByClickMs),
      ],
    ),
    `scrolling: ${frames.count} frames, intervals p50 ${round(frames.p50Ms)}, p95 ${round(frames.p95Ms)}, most ${round(frames.maxMs)} ms (p95 must be ${MUST.frameMs}: ${mark(frames.p95Ms, MUST.frameMs)})`,
    table(
      [`${CONNECTIONS} at once, ${LOAD_SECONDS} s`, 'per second', 'p50 ms', 'p99 ms', 'failed'],
      server.map(({ path, perSecond, p50Ms, p99Ms, failed }) => [
        path,
        round(perSecond),
        round(p50Ms),
        round(p99Ms),
        String(failed),
      ]),
    ),
    '',
  ].join('\n');
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number above 0');
  return value;
}
