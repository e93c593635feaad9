import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigInput } from '../../src/config.ts';
import { ROLES, type Role } from '../../src/roles.ts';
import { createDatabase, SERVER_KINDS, type ServerKind } from '../support/database-servers.ts';
import { type MetricJson, temporaryDirectory } from '../support/engine-process.ts';
import { acceptedRows, type Series } from '../support/nab.ts';
import { OtherHost } from '../support/other-host.ts';
import { OwnBroker } from '../support/own-broker.ts';
import { OwnServer } from '../support/own-server.ts';
import { firstDifference, runPipeline, type RunOutcome } from '../support/pipeline-run.ts';
import { type Counted, RoleCluster } from '../support/role-cluster.ts';
import { graphiteLines, sendAll } from '../support/sender.ts';
import { dailySeries } from '../support/series.ts';
import { allSeries } from './nab.ts';

/** The benchmark's files and synthetic metrics, fewer if these say so. */
const FILES = Number(process.env.HTMENGINE_DISTRIBUTED_FILES ?? Infinity);
const SYNTHETIC_METRICS = Number(process.env.HTMENGINE_DISTRIBUTED_METRICS ?? 500);
const SYNTHETIC_ROWS = 600;
const TIMEOUT_MS = 4 * 3_600_000;
/** Metrics whose samples are on their way at once, each over a connection of its own. */
const SENDERS = 16;
/** A part of a metric that is not stored after so long without progress is sent again from its last stored row. */
const RESEND_AFTER_MS = 10_000;
/** Longer than it takes the others to replace one that does not answer. */
const AWAY_MS = 9_000;
/** Partitions of the three stages that are shared out: each is taken once by its first owner. */
const FIRST_TAKEN = 3 * 16;

const PROCESSES: readonly Role[] = [
  'api',
  'retention',
  'publisher',
  ...['metric-listener', 'metric-storer', 'anomaly-service', 'model-scheduler'].flatMap(
    (role) => [role, role] as Role[],
  ),
  'model-scheduler',
];

/** Something that is done to the processes and what they stand on, while there is work. */
interface Disturbance {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/**
 * Twelve processes on a broker and a database server that are started for this, of both kinds: their rows equal the
 * embedded engine's bit for bit, undisturbed, and while every kind of process is killed and stopped, the broker and the
 * database are restarted, a scheduler comes and goes and one is cut off by the network.
 */
export async function distributed(): Promise<void> {
  const synthetic = Array.from({ length: SYNTHETIC_METRICS }, (_, i) =>
    dailySeries(`synthetic.${String(i).padStart(3, '0')}`, SYNTHETIC_ROWS, i + 1),
  );
  const series = [...allSeries().slice(0, FILES).map(onlyAccepted), ...synthetic];
  process.stdout.write(`${series.length} metrics, embedded\n`);
  const { rows } = await runPipeline({ series, monitor: 'beforeFirstRow', timeoutMs: TIMEOUT_MS });
  for (const kind of SERVER_KINDS) {
    for (const isDisturbed of [false, true]) await shared(kind, series, rows, isDisturbed);
  }
}

async function shared(
  kind: ServerKind,
  series: readonly Series[],
  expected: RunOutcome['rows'],
  isDisturbed: boolean,
): Promise<void> {
  process.stdout.write(`${kind}, ${PROCESSES.length} processes${isDisturbed ? ', disturbed' : ''}\n`);
  const directory = await temporaryDirectory();
  const server = await OwnServer.create(kind);
  const broker = await OwnBroker.start();
  const host = await OtherHost.create();
  let run: DistributedRun | undefined;
  try {
    await server.start();
    const { url } = await createDatabase(kind, server.url);
    const settingsWith = (store: string, bus: string): ConfigInput => ({
      store: { url: store, maxConnections: 4 },
      bus: { url: bus },
      scheduler: { workers: 1 },
      log: { level: 'warn' },
    });
    const cluster = new RoleCluster(directory.path, settingsWith(url, broker.url));
    run = new DistributedRun(cluster, series);
    const there = {
      // The cable is nobody else's, so what goes over it need not be encrypted.
      ...settingsWith(`${await host.reach(url)}?tls=off`, await host.reach(broker.url)),
      health: { host: host.address },
    };
    for (const role of PROCESSES.slice(0, -1)) await cluster.start(role);
    // The last scheduler is on another host.
    await cluster.start('model-scheduler', host, there);
    for (const { name } of series) await cluster.monitor(name);
    await run.execute(isDisturbed ? disturbances(cluster, server, broker, host) : []);
    await compare(cluster, series, expected, isDisturbed);
  } finally {
    run?.stop();
    await run?.cluster.dispose();
    await host.remove();
    await broker.dispose();
    await server.remove();
    await directory.remove();
  }
}

function disturbances(
  cluster: RoleCluster,
  server: OwnServer,
  broker: OwnBroker,
  host: OtherHost,
): Disturbance[] {
  const first = (role: Role) => {
    const [process] = cluster.of(role);
    if (process === undefined) throw new Error(`there is no ${role}`);
    return process;
  };
  const kill = (role: Role): Disturbance => ({
    name: `${role}: SIGKILL`,
    run: async () => {
      await cluster.end(role, first(role), 'SIGKILL');
      await delay(role === 'model-scheduler' ? AWAY_MS : 1_000);
      await cluster.start(role);
    },
  });
  const suspend = (role: Role): Disturbance => ({
    name: `${role}: SIGSTOP`,
    run: async () => {
      const { child } = first(role);
      child.kill('SIGSTOP');
      await delay(AWAY_MS);
      child.kill('SIGCONT');
    },
  });
  return [
    ...ROLES.flatMap((role) => [suspend(role), kill(role)]),
    {
      name: 'network: one scheduler cut off',
      run: async () => {
        await host.pullCable();
        await delay(AWAY_MS);
        await host.plugIn();
      },
    },
    {
      name: 'broker: stopped and started',
      run: async () => {
        await broker.stopApplication();
        await delay(2_000);
        await broker.startApplication();
      },
    },
    {
      name: 'database: killed and started',
      run: async () => {
        await server.kill();
        await delay(1_000);
        await server.start();
      },
    },
    {
      name: 'scheduler: one more, and gone again',
      run: async () => {
        const added = await cluster.start('model-scheduler');
        await delay(AWAY_MS);
        await cluster.end('model-scheduler', added, 'SIGTERM');
      },
    },
  ];
}

/** Sends all samples, a part of each metric during each disturbance, and waits until all is scored. */
class DistributedRun {
  readonly cluster: RoleCluster;
  readonly #series: readonly Series[];
  #looking: Promise<ReadonlyMap<string, MetricJson> | null> | undefined;
  #stopped = false;

  constructor(cluster: RoleCluster, series: readonly Series[]) {
    this.cluster = cluster;
    this.#series = series;
  }

  async execute(steps: readonly Disturbance[]): Promise<void> {
    const parts = steps.length + 1;
    for (const [i, { name, run }] of steps.entries()) {
      process.stdout.write(`  ${name}\n`);
      await Promise.all([this.#send((i + 1) / parts), run()]);
    }
    await this.#send(1);
    await this.#allScored();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Sends every metric up to this part of its rows, and resolves when they are stored. */
  async #send(part: number): Promise<void> {
    const waiting = this.#series.entries();
    const senders = Array.from({ length: SENDERS }, async () => {
      for (const [i, series] of waiting) await this.#deliver(series, i, part);
    });
    await Promise.all(senders);
  }

  async #deliver(series: Series, i: number, part: number): Promise<void> {
    const upTo = Math.ceil(series.timestamps.length * part);
    const target = series.timestamps[upTo - 1] ?? 0;
    const sent = { name: series.name, timestamps: series.timestamps.slice(0, upTo), values: series.values };
    let before: number | null | undefined;
    let resendAtMs = 0;
    while (!this.#stopped) {
      const metrics = await this.#look();
      const stored = metrics?.get(series.name)?.lastTimestamp ?? null;
      if (stored !== null && stored >= target) return;
      if (metrics !== null && stored !== before && before !== undefined)
        resendAtMs = Date.now() + RESEND_AFTER_MS;
      if (metrics !== null && Date.now() >= resendAtMs) {
        const from = stored === null ? 0 : series.timestamps.indexOf(stored) + 1;
        const listeners = this.cluster.of('metric-listener');
        const port = listeners[i % listeners.length]?.graphitePort ?? 0;
        // A cut connection: what is missing is sent again.
        await sendAll(port, graphiteLines(sent, from).join('')).catch(() => undefined);
        resendAtMs = Date.now() + RESEND_AFTER_MS;
      }
      before = stored;
      await delay(200);
    }
  }

  /** One look for all who ask at the same time. @returns null while nobody answers */
  #look(): Promise<ReadonlyMap<string, MetricJson> | null> {
    this.#looking ??= delay(200)
      .then(() => this.cluster.metrics())
      .then((metrics) => metrics && new Map(metrics.map((metric) => [metric.name, metric])))
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #allScored(): Promise<void> {
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const metrics = await this.#look();
      const failed = [...(metrics?.values() ?? [])].find(({ state }) => state === 'ERROR');
      if (failed !== undefined) throw new Error(`${failed.name} is in ERROR: ${String(failed.message)}`);
      const isDone = ({ name, timestamps }: Series) => metrics?.get(name)?.scoredRows === timestamps.length;
      if (this.#series.every(isDone)) return;
      if (Date.now() > deadline) throw new Error('not every row was scored in time');
      await delay(1_000);
    }
  }
}

/** A series as a storer keeps it: without what is not after its last time. */
function onlyAccepted(series: Series): Series {
  const rows = acceptedRows(series);
  return {
    name: series.name,
    timestamps: rows.map(({ timestamp }) => timestamp),
    values: rows.map(({ value }) => value),
  };
}

async function compare(
  cluster: RoleCluster,
  series: readonly Series[],
  expected: RunOutcome['rows'],
  isDisturbed: boolean,
): Promise<void> {
  const found = new Map<string, Awaited<ReturnType<RoleCluster['rows']>>>();
  for (const { name } of series) found.set(name, await cluster.rows(name));
  const difference = firstDifference(expected, found);
  if (difference !== null) throw new Error(`rows differ: ${difference}`);
  const counted = await cluster.counted();
  process.stdout.write(`${table(found, counted)}\n`);
  if (counted.mismatches > 0) throw new Error('a replayed row gave another score');
  const { taken, redelivered, fenced, replayed } = counted;
  if (isDisturbed && Math.min(taken - FIRST_TAKEN, redelivered, fenced, replayed) <= 0)
    throw new Error('one of these never happened: nothing was shown');
}

function table(rows: RunOutcome['rows'], { taken, redelivered, fenced, replayed }: Counted): string {
  const count = [...rows.values()].reduce((sum, each) => sum + each.length, 0);
  return `  ${count} rows: equal; ${taken - FIRST_TAKEN} owner changes, ${redelivered} redeliveries, ${fenced} fenced writes, ${replayed} rows replayed`;
}
