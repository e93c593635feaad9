import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config.ts';
import { Engine } from '../../src/engine.ts';
import type { Role } from '../../src/roles.ts';
import type { DataRow } from '../../src/store/queries.ts';
import { BROKER_URL, missingBroker, TestApplication } from '../support/brokers.ts';
import {
  createDatabase,
  missingServer,
  SERVER_KINDS,
  type ServerKind,
  type TestDatabase,
} from '../support/database-servers.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import type { Series } from '../support/nab.ts';
import { RoleProcess } from '../support/role-process.ts';
import { graphiteLines, sendAll } from '../support/sender.ts';
import { dailySeries } from '../support/series.ts';

/** Several processes, one a role or two of them, on a database server and a broker: what they make of samples. */

const ROWS = 500;
const SENT_FIRST = 300;
const PARTITIONS = 16;
const METRICS = 6;
const RANGE = { min: 0, max: 200 };
const REPLACED_WITHIN_MS = 10_000;

const series: readonly Series[] = Array.from({ length: METRICS }, (_, i) =>
  dailySeries(`shared.metric.${i}`, ROWS, i + 1),
);
const shared: ConfigInput = {
  monitoring: { variant: 'tm_cpp' },
  scheduler: { workers: 1, sliceRows: 20, checkpointRows: 100, sweepMs: 1_000 },
  anomaly: { sweepMs: 1_000 },
  log: { level: 'warn' },
};

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** What one process that does everything makes of the same samples, by metric. */
let embedded: Map<string, DataRow[]>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  embedded = await byOneEngine();
}, 120_000);
afterAll(() => directory.remove());

async function byOneEngine(): Promise<Map<string, DataRow[]>> {
  const engine = new Engine({
    ...shared,
    dataDirectory: join(directory.path, 'embedded'),
    api: { enabled: false },
    listener: { graphite: { enabled: false } },
    log: { level: 'silent' },
  });
  await engine.start();
  try {
    const rows = new Map<string, DataRow[]>();
    for (const { name, timestamps, values } of series) {
      const metricId = await engine.monitorMetric({ metricSpec: { metric: name }, modelParams: RANGE });
      await engine.push(values.map((value, i) => ({ name, value, timestamp: timestamps[i] ?? NaN })));
      const read = () => engine.readData(metricId, { limit: ROWS });
      await until(name, async () => (await read()).at(-1)?.anomalyScore != null, 60_000);
      rows.set(name, await read());
    }
    return rows;
  } finally {
    await engine.stop();
  }
}

const noBroker = await missingBroker();
const missing = new Map<ServerKind, string | null>();
for (const kind of SERVER_KINDS) missing.set(kind, await missingServer(kind));

describe.skipIf(noBroker !== null)('processes that share the work', () => {
  let application: TestApplication;
  let database: TestDatabase;
  let settings: ConfigInput;
  const processes: RoleProcess[] = [];

  beforeEach(() => {
    application = new TestApplication();
  });
  afterEach(async () => {
    for (const process of processes.splice(0)) await process.end('SIGKILL');
    await application.dispose();
    await database.drop();
  });

  async function start(...roles: Role[]): Promise<RoleProcess> {
    const process = await RoleProcess.start(roles, await mkdtemp(join(directory.path, 'process-')), settings);
    processes.push(process);
    return process;
  }

  async function openShared(kind: ServerKind): Promise<void> {
    database = await createDatabase(kind);
    settings = {
      ...shared,
      // By default on one of them, so that what is promised for that is tested too.
      ownership: kind === 'mysql' ? {} : { leaseMs: 2_000 },
      store: { url: database.url, maxConnections: 4 },
      bus: { url: BROKER_URL, application: application.name },
    };
  }

  /** How many partitions of a stage each of these says it has. */
  const held = (stage: string, owners: readonly RoleProcess[]) =>
    Promise.all(owners.map((owner) => owner.counter('htmengine_ownership_partitions', `stage="${stage}"`)));
  const evenly = (stage: string, owners: readonly RoleProcess[]) => async () => {
    const counts = await held(stage, owners);
    const sum = counts.reduce((total, count) => total + count, 0);
    return sum === PARTITIONS && Math.max(...counts) - Math.min(...counts) <= 1;
  };

  it.each(SERVER_KINDS)(
    'make the same rows as one, while schedulers join, stop and are killed (%s)',
    { timeout: 240_000 },
    async (kind) => {
      if (missing.get(kind) !== null) return;
      await openShared(kind);
      // The first one makes the tables; so many at once would wait for each other.
      const api = await start('api', 'publisher', 'retention');
      const [listener, first, second, anomaly] = await Promise.all([
        start('metric-listener'),
        start('model-scheduler'),
        start('model-scheduler'),
        start('anomaly-service'),
        start('metric-storer'),
      ]);
      const url = `http://127.0.0.1:${api.httpPort}/api/v1/metrics`;
      for (const { name } of series) {
        const answer = await fetch(`${url}/${encodeURIComponent(name)}/model`, {
          method: 'PUT',
          body: JSON.stringify(RANGE),
        });
        expect(answer.status).toBe(201);
      }
      await until('even shares', evenly('scheduler', [first, second]), REPLACED_WITHIN_MS);
      const send = (from: number, to: number) =>
        Promise.all(
          series.map(({ name, timestamps, values }) => {
            const part = { name, timestamps: timestamps.slice(from, to), values: values.slice(from, to) };
            return sendAll(listener.graphitePort ?? 0, graphiteLines(part).join(''));
          }),
        );
      await send(0, SENT_FIRST);
      await until('some scores', async () => (await second.counter('htmengine_scheduler_rows_total')) > 50);

      await second.end('SIGKILL');
      await until('a dead one to be replaced', evenly('scheduler', [first]), REPLACED_WITHIN_MS);
      const third = await start('model-scheduler');
      await until(
        'one that joins to have its share',
        evenly('scheduler', [first, third]),
        REPLACED_WITHIN_MS,
      );
      await send(SENT_FIRST, ROWS);
      first.child.kill('SIGSTOP');
      await until('a stopped one to be replaced', evenly('scheduler', [third]), REPLACED_WITHIN_MS);
      first.child.kill('SIGCONT');
      await until('shares after it went on', evenly('scheduler', [first, third]), REPLACED_WITHIN_MS);
      expect(await first.counter('htmengine_ownership_changes_total', 'change="lost"')).toBeGreaterThan(0);
      expect(await third.counter('htmengine_ownership_changes_total', 'change="released"')).toBeGreaterThan(
        0,
      );

      const read = async (name: string) => {
        const answer = await fetch(`${url}/${encodeURIComponent(name)}/data?limit=${ROWS}`);
        return ((await answer.json()) as { rows: DataRow[] }).rows;
      };
      for (const { name } of series) {
        await until(name, async () => (await read(name)).at(ROWS - 1)?.anomalyScore != null, 60_000);
        const own = (rows: readonly DataRow[] = []) =>
          rows.map((row) => [row.rowid, row.timestamp, row.value, row.rawAnomalyScore, row.anomalyScore]);
        expect(own(await read(name))).toEqual(own(embedded.get(name)));
      }
      expect(await first.counter('htmengine_scheduler_determinism_mismatches_total')).toBe(0);
      expect(await third.counter('htmengine_scheduler_determinism_mismatches_total')).toBe(0);
      // Each ends by itself: what it has begun is finished, and its share is free at once.
      expect(await first.end('SIGTERM')).toBe(0);
      expect(await anomaly.end('SIGTERM')).toBe(0);
      await until('the share of one that ended', evenly('scheduler', [third]), REPLACED_WITHIN_MS);
    },
  );
});
