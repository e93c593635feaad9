/** `npm run bench:api`: how long the HTTP interface takes for what the page asks, with many metrics and a week of rows. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Command, InvalidArgumentError } from 'commander';
import { AnomalyBars } from '../src/anomaly-bars.ts';
import { Engine } from '../src/engine.ts';
import { logLikelihood } from '../src/htm/index.ts';
import { MetricStatus } from '../src/metric.ts';
import { describeMachine } from './calibration.ts';

interface Options {
  readonly metrics: number;
  readonly rows: number;
  readonly runs: number;
  readonly dir: string;
  readonly json?: boolean;
}

const SECONDS_PER_ROW = 300;
/** Metrics that are made through the engine at the same time. */
const CONCURRENCY = 64;

await new Command('bench:api')
  .description(
    'Makes metrics with a week of scored rows, starts an engine on them (SQLite, in this process) and prints how long each request takes, median and slowest.',
  )
  .option('--metrics <n>', 'how many', positiveInteger, 5000)
  .option('--rows <n>', 'rows of each, one every 5 minutes', positiveInteger, 2016)
  .option('--runs <n>', 'how often each request is made, after one that does not count', positiveInteger, 15)
  .option('--dir <dir>', 'where the database is put', tmpdir())
  .option('--json', 'print the figures as JSON')
  .addHelpText('after', '\nExample:\n  npm run bench:api -- --metrics 1000 --json')
  .action(bench)
  .parseAsync();

async function bench(options: Options): Promise<void> {
  const directory = await mkdtemp(join(options.dir, 'htmengine-bench-api-'));
  try {
    await makeMetrics(directory, options);
    const engine = engineOn(directory);
    await engine.start();
    const url = `http://127.0.0.1:${String(engine.addresses.http?.port)}/api/v1`;
    const findings = [];
    for (const path of paths(options)) findings.push(await measure(`${url}${path}`, path, options.runs));
    await engine.stop();
    const { metrics, rows } = options;
    const found = {
      machine: describeMachine(),
      command: process.argv.slice(2).join(' '),
      metrics,
      rows,
      findings,
    };
    if (options.json === true) process.stdout.write(`${JSON.stringify(found, null, 1)}\n`);
    else for (const one of findings) process.stdout.write(`${describe(one)}\n`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function paths({ metrics }: Options): string[] {
  const name = nameOf(Math.floor(metrics / 2));
  return [
    '/ranking?period=hour&limit=100',
    '/ranking?period=day&limit=100',
    '/ranking?period=week&limit=100',
    '/ranking?period=week&limit=10000',
    '/metrics?limit=1000',
    `/metrics/${name}/buckets?buckets=500`,
    `/metrics/${name}/data?limit=3000`,
    '/status',
  ];
}

interface Finding {
  readonly path: string;
  readonly medianMs: number;
  readonly slowestMs: number;
  readonly bytes: number;
}

async function measure(url: string, path: string, runs: number): Promise<Finding> {
  const times: number[] = [];
  let bytes = 0;
  for (let run = 0; run <= runs; run += 1) {
    const from = performance.now();
    const response = await fetch(url);
    bytes = (await response.arrayBuffer()).byteLength;
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    if (run > 0) times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const at = (index: number) => Math.round(10 * (times[index] ?? 0)) / 10;
  return { path, medianMs: at(Math.floor(times.length / 2)), slowestMs: at(times.length - 1), bytes };
}

function describe({ path, medianMs, slowestMs, bytes }: Finding): string {
  return `${path.padEnd(44)} ${medianMs.toFixed(1).padStart(8)} ms median ${slowestMs.toFixed(1).padStart(8)} ms slowest ${Math.round(bytes / 1024)} KiB`;
}

function engineOn(dataDirectory: string): Engine {
  return new Engine({
    dataDirectory,
    listener: { graphite: { enabled: false } },
    api: { port: 0, maxRequestsPerMinute: 0 },
    log: { level: 'warn' },
  });
}

function nameOf(index: number): string {
  return `bench.host${String(index % 100)}.metric${String(index)}`;
}

/** The metrics are made by the engine, their rows and scores past it: only their number counts here. */
async function makeMetrics(directory: string, { metrics, rows }: Options): Promise<void> {
  const engine = engineOn(directory);
  await engine.start();
  for (let start = 0; start < metrics; start += CONCURRENCY) {
    const names = Array.from({ length: Math.min(CONCURRENCY, metrics - start) }, (_, i) => nameOf(start + i));
    await Promise.all(
      names.map(async (name) => {
        await engine.createMetric(name);
        // Waits for rows: no model is built, and the generation is opened below.
        await engine.monitorMetric({ metricSpec: { metric: name } });
      }),
    );
  }
  await engine.stop();
  fill(new Database(join(directory, 'htmengine.db')), rows);
}

function fill(database: Database.Database, rows: number): void {
  const now = Math.floor(Date.now() / 1000);
  const first = now - rows * SECONDS_PER_ROW;
  const series = Array.from({ length: rows }, (_, i) => ({
    timestamp: first + (i + 1) * SECONDS_PER_ROW,
    // One row in a hundred is anomalous.
    score: (i * 7919) % 100 === 0 ? 0.999_99 : ((i * 31) % 97) / 100,
  }));
  const bars = AnomalyBars.decode(null);
  for (const { timestamp, score } of series) bars.append(timestamp, logLikelihood(score));
  const encoded = bars.encode();
  const insert = database.prepare(
    'insert into metric_data (uid, rowid, timestamp, metric_value, raw_anomaly_score, anomaly_score, display_value) values (?, ?, ?, ?, ?, ?, ?)',
  );
  const update = [
    `update generation set state = 'open', start_rowid = 1 where uid = ?`,
    `insert into scheduler_watermark (uid, generation, processed_rowid, command_sequence) values (?, 1, ${String(rows)}, 0)`,
  ].map((text) => database.prepare(text));
  const watermark = database.prepare(
    'insert into anomaly_watermark (uid, generation, scored_rowid, state, bars) values (?, 1, ?, ?, ?)',
  );
  const metric = database.prepare(
    'update metric set status = ?, last_rowid = ?, last_timestamp = ? where uid = ?',
  );
  const uids = database.prepare<[], { uid: string }>('select uid from metric order by uid').all();
  database.transaction(() => {
    for (const { uid } of uids) {
      series.forEach(({ timestamp, score }, i) =>
        insert.run(uid, i + 1, timestamp, i % 50, 0.1, score, 1000),
      );
      for (const statement of update) statement.run(uid);
      watermark.run(uid, rows, Buffer.of(0), encoded);
      metric.run(MetricStatus.ACTIVE, rows, series.at(-1)?.timestamp, uid);
    }
  })();
  database.close();
}

function positiveInteger(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return number;
}
