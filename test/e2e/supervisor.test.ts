import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES } from '../../src/roles.ts';
import { BROKER_URL, missingBroker, TestApplication } from '../support/brokers.ts';
import { createDatabase, missingServer, type TestDatabase } from '../support/database-servers.ts';
import { type RowJson, temporaryDirectory, until } from '../support/engine-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { connectTo, sendAll } from '../support/sender.ts';
import { missingSupervisor, pathWithProgram, Supervisor } from '../support/supervisor.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 240_000;
/** As the original called them, where it had them. */
const PROGRAMS = ROLES.map((role) => role.replaceAll('-', '_'));
const NAMES = PROGRAMS.map((program) => `htmengine:${program}`).sort();

const missing = (await missingSupervisor()) ?? (await missingBroker()) ?? (await missingServer('mysql'));

/** An application's directory as docs/migrating.md describes it, under Debian's supervisor. */
describe.skipIf(missing !== null)('conf/supervisord-base.conf', { timeout: TIMEOUT_MS }, () => {
  const application = new TestApplication();
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let database: TestDatabase;
  let supervisor: Supervisor;
  let http: string;
  let graphitePort: number;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    database = await createDatabase('mysql');
    const { path } = directory;
    const [httpPort = 0, port = 0] = await freePorts(2);
    http = `http://127.0.0.1:${httpPort}`;
    graphitePort = port;
    await writeFile(
      join(path, 'supervisord.conf'),
      `[unix_http_server]
file = ${path}/supervisor.sock
[supervisord]
logfile = logs/supervisord.log
pidfile = ${path}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://${path}/supervisor.sock
[include]
files = ${ROOT}/conf/supervisord-base.conf
`,
    );
    supervisor = await Supervisor.start(path, {
      ...process.env,
      PATH: await pathWithProgram(path),
      HTMENGINE_STORE_URL: database.url,
      HTMENGINE_BUS_URL: BROKER_URL,
      HTMENGINE_BUS_APPLICATION: application.name,
      HTMENGINE_API_PORT: String(httpPort),
      HTMENGINE_HEALTH_PORT: '0',
      HTMENGINE_LISTENER_GRAPHITE_PORT: String(port),
      HTMENGINE_MONITORING_VARIANT: 'tm_cpp',
      HTMENGINE_OWNERSHIP_LEASE_MS: '2000',
    });
  });

  afterAll(async () => {
    await supervisor.end();
    await application.dispose();
    await database.drop();
    await directory.remove();
  });

  const areRunning = async () => (await supervisor.running()).size === PROGRAMS.length;
  const answers = () =>
    fetch(`${http}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  /** A program that is said to run may not listen yet. */
  const listens = () =>
    connectTo(graphitePort).then(
      (socket) => socket.destroy().destroyed,
      () => false,
    );
  const scoredRows = async () => {
    const { rows } = (await (await fetch(`${http}/api/v1/metrics/load/data`)).json()) as { rows: RowJson[] };
    return rows.filter(({ anomalyScore }) => anomalyScore !== null).length;
  };
  const storedRows = async () => {
    const [row] = await database.execute(`select last_rowid from metric where name = 'load'`);
    return Number(row?.['last_rowid']);
  };
  const start = Math.floor(Date.now() / 1000) - 300_000;
  const send = async (from: number, to: number) => {
    const lines = Array.from({ length: to - from }, (_, i) => `load ${i % 50} ${start + (from + i) * 300}\n`);
    await sendAll(graphitePort, lines.join(''));
  };

  it('runs every service, starts those again that are killed, and stops them in peace', async () => {
    await until('all programs to run', areRunning, TIMEOUT_MS);
    const status = await supervisor.control('status');
    for (const name of NAMES) expect(status).toMatch(new RegExp(`^${name} +RUNNING `, 'm'));
    await until('an answer', answers, TIMEOUT_MS);
    await until('a listener', listens, TIMEOUT_MS);
    const body = JSON.stringify({ min: 0, max: 100 });
    expect((await fetch(`${http}/load`, { method: 'PUT', body })).status).toBe(201);
    await send(0, 20);
    await until('20 scores', async () => (await scoredRows()) === 20, TIMEOUT_MS);

    const before = await supervisor.running();
    const killed = ['model_scheduler', 'metric_storer'].map((program) => before.get(program) ?? 0);
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await until(
      'all programs to run again',
      async () => {
        const now = [...(await supervisor.running()).values()];
        return now.length === PROGRAMS.length && !now.some((pid) => killed.includes(pid));
      },
      TIMEOUT_MS,
    );
    await send(20, 40);
    await until('40 scores', async () => (await scoredRows()) === 40, TIMEOUT_MS);

    // What the listener has read is stored, if not before it stops then when a storer is there again.
    await send(40, 600);
    const said = await supervisor.control('stop', 'htmengine:*');
    for (const name of NAMES) expect(said).toContain(`${name}: stopped`);
    const log = await supervisor.log();
    for (const program of PROGRAMS) {
      expect(log).toContain(`stopped: ${program} (exit status 0)`);
      const written = await readFile(join(directory.path, `logs/${program}.log`), 'utf8');
      expect(written).toContain('HTM Engine is running');
    }
    await supervisor.control('start', 'htmengine:metric_storer');
    await until('all rows', async () => (await storedRows()) === 600, TIMEOUT_MS);
  });
});
