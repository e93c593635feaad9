/** New York traffic on HTM Engine: one model per route, a map that shows where something is wrong, and a report of how well. */
import { parseArgs } from 'node:util';
import { Application } from './application.ts';
import { connectDistributed, startEmbedded } from './engine-link.ts';
import { FEED_URL } from './nyc-feed.ts';
import { report } from './report-command.ts';
import { ROUTES } from './routes.ts';
import { LiveFeed, SimulatedTraffic, type TrafficSource } from './sources.ts';

const USAGE = `node app.ts [--port 8083] [--engine-port 8080] [--data data]      the engine in this program
node app.ts --against http://127.0.0.1:8080 [--graphite 127.0.0.1:2003] [--token TOKEN]
                                                                the services of an engine elsewhere
node app.ts report [--seeds 5] [--json]                          how well planted incidents are found

Both of the first take:
  --speed-up 600    simulated seconds a second, until the simulation has come to the present
  --seed 1          of the simulated traffic
  --history 21      days that are simulated at once at the beginning
  --present TIME    what to take for the present, as 2026-01-31T12:00:00Z; not later than it is
  --routes 12       only the first so many
  --feed URL|city   the city's live feed in place of simulated traffic
`;

const OPTIONS = {
  port: { type: 'string', default: '8083' },
  'engine-port': { type: 'string', default: '8080' },
  data: { type: 'string', default: 'data' },
  against: { type: 'string' },
  graphite: { type: 'string', default: '127.0.0.1:2003' },
  token: { type: 'string' },
  'speed-up': { type: 'string', default: '600' },
  seed: { type: 'string', default: '1' },
  history: { type: 'string', default: '21' },
  routes: { type: 'string', default: '12' },
  present: { type: 'string' },
  feed: { type: 'string' },
  seeds: { type: 'string', default: '5' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

class UsageError extends Error {}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`traffic: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parsed(args);
  const [command, ...rest] = positionals;
  if (values.help) {
    process.stdout.write(USAGE);
  } else if (command === 'report' && rest.length === 0) {
    await report(wholeNumber('seeds', values.seeds, 1, 100), values.json);
  } else if (command === undefined) {
    await run(values);
  } else {
    throw new UsageError(`"${positionals.join(' ')}" is no command: give "report" or none, or --help`);
  }
}

async function run(values: ReturnType<typeof parsed>['values']): Promise<void> {
  const source = sourceOf(values);
  const link =
    values.against === undefined
      ? await startEmbedded(values.data, wholeNumber('engine-port', values['engine-port'], 0, 65_535))
      : await connectDistributed(values.against, graphiteOf(values.graphite), values.token);
  const application = new Application(source, link);
  const address = await application.start(wholeNumber('port', values.port, 0, 65_535));
  process.stdout.write(`Traffic  ${address}\nEngine   ${link.address}\nData     ${source.label}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => application.stop());
  await application.ended;
}

function sourceOf(values: ReturnType<typeof parsed>['values']): TrafficSource {
  if (values.feed !== undefined) return new LiveFeed(values.feed === 'city' ? FEED_URL : values.feed);
  return new SimulatedTraffic({
    seed: wholeNumber('seed', values.seed, 0, 2 ** 31),
    speedUp: wholeNumber('speed-up', values['speed-up'], 1, 1_000_000),
    historyDays: wholeNumber('history', values.history, 0, 90),
    routes: wholeNumber('routes', values.routes, 1, ROUTES.length),
    ...(values.present !== undefined && { presentMs: pastTime(values.present) }),
  });
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} (--help shows all)`);
  }
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new UsageError(`--${option} ${text}: give a whole number from ${min} to ${max}`);
}

function pastTime(text: string): number {
  const time = Date.parse(text);
  if (time <= Date.now()) return time;
  throw new UsageError(`--present ${text}: give a time that is past, as 2026-01-31T12:00:00Z`);
}

function graphiteOf(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d+)$/.exec(text) ?? [];
  if (host === undefined || port === undefined) throw new UsageError(`--graphite ${text}: give HOST:PORT`);
  return { host, port: wholeNumber('graphite', port, 1, 65_535) };
}
