import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RowJson, temporaryDirectory, until } from '../support/engine-process.ts';
import { sendAll } from '../support/sender.ts';

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 120_000;

const missing = await execute('supervisord', ['--version']).then(
  () => null,
  (error: unknown) => {
    if (process.env.HTMENGINE_REQUIRE_SERVICES === '1') throw error;
    process.stderr.write('NOT RUN: tests of conf/supervisord-base.conf. Install supervisor (Debian).\n');
    return 'no supervisord';
  },
);

/** An application's directory as docs/migrating.md describes it, under Debian's supervisor. */
describe.skipIf(missing !== null)('conf/supervisord-base.conf', { timeout: TIMEOUT_MS }, () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let supervisor: ChildProcess;
  let http: string;
  let graphitePort: number;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const { path } = directory;
    for (const name of ['logs', 'bin']) await mkdir(join(path, name));
    await symlink(join(ROOT, 'dist/cli/main.js'), join(path, 'bin/htmengine'));
    const [httpPort, port] = await freePorts(2);
    http = `http://127.0.0.1:${String(httpPort)}`;
    graphitePort = Number(port);
    await writeFile(
      join(path, 'supervisord.conf'),
      `[unix_http_server]
file = ${path}/supervisor.sock
[supervisord]
logfile = ${path}/supervisord.log
pidfile = ${path}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://${path}/supervisor.sock
[include]
files = ${ROOT}/conf/supervisord-base.conf
`,
    );
    supervisor = spawn('supervisord', ['--nodaemon', '--configuration', 'supervisord.conf'], {
      cwd: path,
      stdio: 'ignore',
      env: {
        ...process.env,
        PATH: [join(path, 'bin'), join(ROOT, 'node_modules/.bin'), process.env.PATH].join(':'),
        HTMENGINE_DATA_DIRECTORY: join(path, 'data'),
        HTMENGINE_API_PORT: String(httpPort),
        HTMENGINE_LISTENER_GRAPHITE_PORT: String(port),
        HTMENGINE_SCHEDULER_WORKERS: '1',
      },
    });
  });

  afterAll(async () => {
    const ended = once(supervisor, 'exit');
    supervisor.kill('SIGTERM');
    await ended;
    await directory.remove();
  });

  /** What supervisor says of the programs; it exits with another code than 0 while one does not run. */
  const control = (...args: string[]) =>
    execute('supervisorctl', ['--configuration', 'supervisord.conf', ...args], { cwd: directory.path }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  const isRunning = async () => /^htmengine:engine +RUNNING +pid (\d+)/m.exec(await control('status'))?.[1];
  const answers = () =>
    fetch(`${http}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  const scoredRows = async () => {
    const { rows } = (await (await fetch(`${http}/api/v1/metrics/load/data`)).json()) as { rows: RowJson[] };
    return rows.filter(({ anomalyScore }) => anomalyScore !== null).length;
  };

  it('runs the engine, starts it again when it is killed, and stops it in peace', async () => {
    await until('the program to run', async () => (await isRunning()) !== undefined, TIMEOUT_MS);
    await until('an answer', answers, TIMEOUT_MS);
    const body = JSON.stringify({ min: 0, max: 100 });
    expect((await fetch(`${http}/load`, { method: 'PUT', body })).status).toBe(201);
    const start = Math.floor(Date.now() / 1000) - 30_000;
    const line = (index: number) => `load ${index % 50} ${start + index * 300}\n`;
    await sendAll(graphitePort, Array.from({ length: 20 }, (_, index) => line(index)).join(''));
    await until('20 scores', async () => (await scoredRows()) === 20, TIMEOUT_MS);

    const first = Number(await isRunning());
    process.kill(first, 'SIGKILL');
    await until(
      'it to run again',
      async () => {
        const pid = await isRunning();
        return pid !== undefined && Number(pid) !== first && (await answers());
      },
      TIMEOUT_MS,
    );
    await sendAll(graphitePort, Array.from({ length: 20 }, (_, index) => line(20 + index)).join(''));
    await until('40 scores', async () => (await scoredRows()) === 40, TIMEOUT_MS);

    expect(await control('stop', 'htmengine:*')).toContain('htmengine:engine: stopped');
    expect(await control('status')).toMatch(/htmengine:engine +STOPPED/);
    expect(await readFile(join(directory.path, 'supervisord.log'), 'utf8')).toContain(
      'stopped: engine (exit status 0)',
    );
    expect(await readFile(join(directory.path, 'logs/engine.log'), 'utf8')).toContain(
      'HTM Engine is running.',
    );
  });
});

/** Ports that nobody listened on a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  return ports;
}
