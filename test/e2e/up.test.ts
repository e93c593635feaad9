import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { connectTo, sendAll } from '../support/sender.ts';

/** `htmengine up` as a user meets it: what it says, how it ends, what it says when it cannot start. */
const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const OLD_NODE = '/usr/bin/node';
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

/** Somebody whose rights can be missing, if we are root, who may do everything. */
const SOMEBODY = process.getuid?.() === 0 ? 65_534 : undefined;

/** Runs the command line to its end. */
async function runToEnd(
  args: string[],
  node = process.execPath,
  uid?: number,
): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(node, [MAIN, ...args], {
      timeout: 20_000,
      ...(uid !== undefined && { uid, gid: uid }),
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

const UP = ['--http-port', '0', '--port', '0', '--log-level', 'silent'];
const up = (...args: string[]) => runToEnd(['up', '--data-dir', directory.path, ...UP, ...args]);
const upAsSomebody = () => runToEnd(['up', '--data-dir', directory.path, ...UP], process.execPath, SOMEBODY);

async function giveToSomebody(): Promise<void> {
  if (SOMEBODY === undefined) return;
  for (const name of ['', ...(await readdir(directory.path, { recursive: true }))])
    await chown(join(directory.path, name), SOMEBODY, SOMEBODY);
}

describe('htmengine up', () => {
  it('says where it listens and what to try, drains on SIGTERM and exits 0', async () => {
    const engine = await EngineProcess.start(directory.path);
    expect(engine.output).toContain(directory.path);
    expect(engine.output).toContain('/api/v1/metrics');
    expect((await engine.request('GET', '/readyz')).status).toBe(200);
    await sendAll(engine.graphitePort, `drained 1 ${Math.floor(Date.now() / 1000)}\n`);
    expect(await engine.end('SIGTERM')).toBe(0);

    const again = await EngineProcess.start(directory.path);
    expect((await again.metric('drained'))?.rows).toBe(1);
    expect(await again.end('SIGINT')).toBe(0);
  });

  it('exits at once on a second signal', async () => {
    const engine = await EngineProcess.start(directory.path);
    const ended = once(engine.child, 'exit');
    engine.child.kill('SIGTERM');
    engine.child.kill('SIGTERM');
    await ended;
    expect(engine.child.exitCode ?? engine.child.signalCode).not.toBeNull();
  });

  it('finishes what a connected sender has handed over before it stops', async () => {
    const engine = await EngineProcess.start(directory.path);
    const socket = await connectTo(engine.graphitePort);
    socket.write(`open.sender 1 1600000000\nopen.sender 2 1600000060\n`);
    await until('the rows to be stored', async () => (await engine.metric('open.sender'))?.rows === 2);
    expect(await engine.end('SIGTERM')).toBe(0);
    socket.destroy();
  });

  it('shows this machine within seconds when asked to collect it', { timeout: 60_000 }, async () => {
    const engine = await EngineProcess.start(directory.path, { collector: { intervalSeconds: 1 } }, [
      '--auto-monitor',
      '--collect-host',
    ]);
    await until('scored host metrics', async () => {
      const host = (await engine.metrics()).filter(({ name }) => name.startsWith('host.'));
      return host.length >= 4 && host.every(({ state, scoredRows }) => state === 'ACTIVE' && scoredRows > 0);
    });
    expect(await engine.end('SIGTERM')).toBe(0);
  });

  it('monitors new metrics by itself when asked to', async () => {
    const engine = await EngineProcess.start(directory.path, {}, ['--auto-monitor']);
    const lines = Array.from({ length: 300 }, (_, i) => `auto ${i % 24} ${1_600_000_000 + 300 * i}\n`);
    await sendAll(engine.graphitePort, lines.join(''));
    await until('all rows to be scored', async () => (await engine.metric('auto'))?.scoredRows === 300);
    expect(await engine.metric('auto')).toMatchObject({ state: 'ACTIVE', lastScore: 0.5 });
    await engine.end('SIGTERM');
  });
});

describe('what it cannot do it says in one line, and exits 1', () => {
  const oneLine = (text: string) => expect(text.trim().split('\n'), text).toHaveLength(1);

  it('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    for (const flag of ['--http-port', '--port']) {
      const { code, stderr } = await up(flag, String(port));
      expect(code).toBe(1);
      oneLine(stderr);
      expect(stderr).toContain(String(port));
      expect(stderr).toContain(flag);
    }
    server.close();
  });

  it('a directory that another engine has', async () => {
    const engine = await EngineProcess.start(directory.path);
    const { code, stderr } = await up();
    expect([code, stderr.includes(directory.path)]).toEqual([1, true]);
    oneLine(stderr);
    await engine.end('SIGTERM');
  });

  it('a directory that is a file, or cannot be made', async () => {
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    for (const path of [file, join(file, 'data'), '/proc/nowhere/data']) {
      const { code, stderr } = await up('--data-dir', path);
      expect([code, stderr.includes(path)], stderr).toEqual([1, true]);
      oneLine(stderr);
    }
  });

  it('a directory without write permission', async () => {
    await giveToSomebody();
    await chmod(directory.path, 0o500);
    const { code, stderr } = await upAsSomebody();
    await chmod(directory.path, 0o700);
    expect(code).toBe(1);
    oneLine(stderr);
  });

  it('a database that may only be read', async () => {
    await (await EngineProcess.start(directory.path)).end('SIGTERM');
    await giveToSomebody();
    await chmod(join(directory.path, 'htmengine.db'), 0o440);
    const { code, stderr } = await upAsSomebody();
    expect(code).toBe(1);
    expect(stderr).toContain('write permission');
    oneLine(stderr);
  });

  it('a database that another program holds', async () => {
    await (await EngineProcess.start(directory.path)).end('SIGTERM');
    const holder = new Database(join(directory.path, 'htmengine.db'));
    holder.exec('BEGIN EXCLUSIVE');
    const config = join(directory.path, 'busy.yaml');
    await writeFile(config, 'store: { busyTimeoutMs: 200 }\n');
    const { code, stderr } = await up('--config', config);
    holder.close();
    expect(code).toBe(1);
    oneLine(stderr);
  });

  it('a database of a newer version', async () => {
    await (await EngineProcess.start(directory.path)).end('SIGTERM');
    const database = new Database(join(directory.path, 'htmengine.db'));
    database.exec(
      "insert into kysely_migration (name, timestamp) values ('9999_from_the_future', '2030-01-01')",
    );
    database.close();
    const { code, stderr } = await up();
    expect([code, stderr.includes('newer')]).toEqual([1, true]);
    oneLine(stderr);
  });

  it('a setting that does not exist, with file, path and rule', async () => {
    const config = join(directory.path, 'bad.yaml');
    await writeFile(config, 'scheduler:\n  wrokers: 2\n');
    const { code, stderr } = await up('--config', config);
    expect(code).toBe(1);
    oneLine(stderr);
    expect(stderr).toContain('bad.yaml');
    expect(stderr).toContain('wrokers');
  });

  it('a Node.js that is too old', async (context) => {
    const version = await promisify(execFile)(OLD_NODE, ['--version']).catch(() => null);
    if (version === null || Number.parseInt(version.stdout.slice(1), 10) >= 24) {
      context.skip('this machine has no older Node.js');
    }
    const { code, stderr } = await runToEnd(['--help'], OLD_NODE);
    expect(code).toBe(1);
    oneLine(stderr);
    expect(stderr).toContain('Node.js 24');
  });
});

it('runs as an executable file, as npx starts it', async () => {
  const child = spawn(MAIN, ['--version'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  expect(chunk.toString()).toMatch(/^\d+\.\d+\.\d+/);
});
