/**
 * A city's traffic as an application on HTM Engine: one model per route, and a page that shows where something is wrong.
 *
 *   node app.ts                          with an engine inside this program
 *   node app.ts --against http://HOST:PORT   with an engine that runs, one process or many
 *   node app.ts report --seeds 5         how many planted incidents are found
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Engine, loadConfig } from 'htmengine';
import { EngineClient } from 'htmengine/client';
import { feed } from './feeder.ts';
import { report } from './report.ts';
import { live, simulated, type Source } from './source.ts';
import { webServer } from './web.ts';

const USAGE = `usage: node app.ts [options]             the city, on http://127.0.0.1:8083 (PORT)
       node app.ts report [--seeds N] [--days N] [--json]

  --against URL    an engine that runs already, instead of one inside this program
  --token TOKEN    what it asks for (or HTMENGINE_TOKEN)
  --seed N         which simulated city (1)
  --history DAYS   of it, sent at once for the models to learn from (21)
  --speed-up N     seconds of the city in a second (300)
  --live           the city's public feed instead of a simulation, in real time
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: 'string' },
    token: { type: 'string', default: process.env.HTMENGINE_TOKEN ?? '' },
    seed: { type: 'string', default: '1' },
    history: { type: 'string', default: '21' },
    'speed-up': { type: 'string', default: '300' },
    live: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '5' },
    days: { type: 'string', default: '42' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else if (positionals[0] === 'report')
  await report(whole('seeds', 1, 100), whole('days', 21, 180), values.json);
else if (positionals.length > 0) usageError(`${positionals.join(' ')} is not known`);
else await city();

async function city(): Promise<void> {
  const source: Source = values.live
    ? await live()
    : simulated({
        seed: whole('seed', 0, 1_000_000),
        historyDays: whole('history', 0, 180),
        speedUp: whole('speed-up', 1, 100_000),
      });
  const engine = values.against === undefined ? new Engine(loadConfig({ file: 'settings.yaml' })) : null;
  await engine?.start();
  const url = values.against ?? `http://127.0.0.1:${String(engine?.addresses.http?.port)}`;
  const client = new EngineClient(url, values.token === '' ? {} : { token: values.token });
  await client.check();

  const page = webServer(source, client);
  page.listen(Number(process.env.PORT ?? 8083), '127.0.0.1');
  await once(page, 'listening');
  const address = page.address();
  const port = typeof address === 'object' && address !== null ? address.port : '';
  process.stdout.write(`${source.title}\nMap     http://127.0.0.1:${port}\nEngine  ${url}\n`);

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  await feed(source, client, stop.signal);
  page.close();
  page.closeAllConnections();
  await engine?.stop();
}

function whole(
  name: 'seed' | 'seeds' | 'days' | 'history' | 'speed-up',
  least: number,
  most: number,
): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least || value > most)
    usageError(`--${name} is ${values[name]}: it must be a whole number from ${least} to ${most}`);
  return value;
}

function usageError(problem: string): never {
  process.stderr.write(`${problem}\n${USAGE}`);
  process.exit(2);
}
