import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/engine-process.ts';
import { freePort } from '../support/free-ports.ts';

/**
 * `htmengine init` lays down an application that runs as it lies there. What npm would install is linked instead; the
 * packed tarball and a real install are `npm run accept -- skeleton`.
 */

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'dist/cli/main.js');

let directory: { path: string; remove(): Promise<void> };
const running = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await directory.remove();
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

async function run(command: string, args: readonly string[], cwd = directory.path): Promise<Ended> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  running.delete(child);
  return { code, output };
}

const htmengine = (...args: string[]) => run(process.execPath, [MAIN, ...args]);

it(
  'lays down an application that measures, scores, prints, and goes on where it was',
  { timeout: 60_000 },
  async () => {
    const laid = await htmengine('init', 'My App', '--dependency', '^1.0.0');
    expect(laid).toMatchObject({ code: 0 });
    expect(laid.output).toContain('npm install');
    const app = join(directory.path, 'My App');
    expect(JSON.parse(await readFile(join(app, 'package.json'), 'utf8'))).toMatchObject({
      name: 'my-app',
      dependencies: { htmengine: '^1.0.0' },
    });
    await mkdir(join(app, 'node_modules'));
    await symlink(ROOT, join(app, 'node_modules/htmengine'));

    const port = await freePort();
    const first = start(app, port);
    await first.line(/skeleton\.load is monitored from now on/);
    await first.line(/^\d{4}-\d\d-\d\dT\S+ {2}skeleton\.load {2}\d+\.\d\d {2}0\.50000$/);

    // The same over HTTP, as its README says.
    const url = `http://127.0.0.1:${port}`;
    const curl = await run('bash', ['http/walk.sh', url], app);
    expect(curl).toMatchObject({ code: 0 });
    expect(curl.output).toMatch(/^Created [0-9a-f]{32}$/m);
    expect(curl.output.match(/^Saved \/skeleton\.curl /gm)).toHaveLength(5);
    expect(curl.output.match(/^\/skeleton\.curl \d+\.0 \d+ 0\.5$/gm)).toHaveLength(5);
    const python = await run('python3', ['http/walk.py', url], app);
    expect(python).toMatchObject({ code: 0 });
    expect(python.output).toMatch(/^monitor: 20\d CREATE_PENDING$/m);
    expect(python.output.match(/^\d+ 5\d 0\.5$/gm)).toHaveLength(5);
    expect(await first.end()).toBe(0);

    const second = start(app, port);
    await second.line(/skeleton\.load is monitored already/);
    await second.line(/skeleton\.load {2}\d/);
    expect(await second.end()).toBe(0);
  },
);

it('refuses a directory that has something in it, and leaves it as it is', async () => {
  await writeFile(join(directory.path, 'mine.txt'), 'mine');
  const refused = await htmengine('init', '.', '--dependency', '^1.0.0');
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.output).toContain('mine.txt');
  await expect(readFile(join(directory.path, 'package.json'))).rejects.toThrow('ENOENT');
});

/** The application as `npm start` runs it. */
function start(app: string, port: number) {
  const child = spawn(process.execPath, ['app.ts'], {
    cwd: app,
    env: { ...process.env, SKELETON_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    /** Waits for a line that matches; fails if the application ends before. */
    async line(expected: RegExp): Promise<void> {
      for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
        if (expected.test(line.value)) return;
      }
      throw new Error(`the application ended without printing ${expected.source}`);
    },
    async end(): Promise<number | null> {
      const exited = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGINT');
      return (await exited)[0];
    },
  };
}
