import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { freePort, runIn } from '../support/commands-in.ts';
import { type MetricJson, temporaryDirectory, until } from '../support/engine-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const PATIENCE_MS = 600_000;
const OWN = 'room.temperature';

/**
 * The README followed from a clone, and how long it takes a stranger: until the page is there, until the first live
 * score (a scored row of the demo, of this machine's own metrics the newest), until the first score of a metric of one's own;
 * then docs/traffic.md, until the roads of its map have colours.
 */
export async function clone(): Promise<void> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'htmengine');
  const begun = Date.now();
  const told = (what: string) => {
    const seconds = ((Date.now() - begun) / 1000).toFixed(0);
    process.stdout.write(`${styleText('bold', `${seconds} s`)}: ${what}\n`);
  };
  try {
    await runIn(directory.path, 'git', ['clone', '--quiet', '--no-hardlinks', ROOT, path]);
    told('cloned');
    await runIn(path, 'npm', ['ci', '--no-audit', '--no-fund']);
    told('npm ci');
    await followed(path, told);
    await toTheMap(path, join(directory.path, 'my-city'), told);
  } finally {
    await directory.remove();
  }
}

async function followed(path: string, told: (what: string) => void): Promise<void> {
  const [http, graphite] = [await freePort(), await freePort()];
  const environment = {
    HTMENGINE_API_PORT: String(http),
    HTMENGINE_LISTENER_GRAPHITE_PORT: String(graphite),
    HTMENGINE_URL: `http://127.0.0.1:${http}`,
  };
  const child = spawn('npm', ['start'], {
    cwd: path,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const url = environment.HTMENGINE_URL;
  const metrics = async () =>
    ((await (await fetch(`${url}/api/v1/metrics`)).json()) as { metrics: MetricJson[] }).metrics;
  try {
    await until(
      'the engine',
      () =>
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      PATIENCE_MS,
    );
    told('npm start is running');
    await until(
      'a score',
      async () => (await metrics()).some(({ scoredRows }) => scoredRows > 0),
      PATIENCE_MS,
    );
    told('first score of the demo');
    const run = (...args: string[]) => runIn(path, 'npx', ['htmengine', ...args, '--url', url]);
    await run('models', 'monitor', OWN, '--min', '0', '--max', '40');
    await run('send', OWN, '21.5');
    const scored = async () =>
      (await metrics()).some(({ name, scoredRows }) => name === OWN && scoredRows > 0);
    await until('the own score', scored, PATIENCE_MS);
    told(`first live score, of the first own metric: ${(await run('results', OWN)).trim()}`);
    const waits = async () =>
      (await metrics()).every(
        ({ rows, scoredRows, name }) => !name.startsWith('demo.') || scoredRows >= rows,
      );
    await until('the scores of the demo', waits, PATIENCE_MS);
    told('all of the demo is scored');
  } finally {
    if (child.pid !== undefined && child.exitCode === null) {
      const exited = once(child, 'exit');
      process.kill(-child.pid, 'SIGINT');
      await exited;
    }
  }
}

async function toTheMap(clone: string, city: string, told: (what: string) => void): Promise<void> {
  await runIn(clone, 'npx', ['htmengine', 'init', city, '--example', 'traffic']);
  await runIn(city, 'npm', ['install', '--no-audit', '--no-fund']);
  told('the traffic application is installed');
  const port = await freePort();
  const args = ['start', '--', '--port', String(port), '--engine-port', String(await freePort())];
  const child = spawn('npm', args, {
    cwd: city,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  try {
    const colours = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/state`).catch(() => null);
      if (answer?.ok !== true) return false;
      const { routes } = (await answer.json()) as { routes: readonly { level: string }[] };
      return routes.length > 0 && routes.every(({ level }) => level !== 'learning');
    };
    await until('the map', colours, PATIENCE_MS);
    told('every road of the map has its colour');
  } finally {
    if (child.pid !== undefined && child.exitCode === null) {
      const exited = once(child, 'exit');
      process.kill(-child.pid, 'SIGINT');
      await exited;
    }
  }
}
