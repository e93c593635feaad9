import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../src/config.ts';
import type { Role } from '../src/roles.ts';
import { createDatabase, type ServerKind } from '../test/support/database-servers.ts';
import { temporaryDirectory } from '../test/support/engine-process.ts';
import { OwnBroker } from '../test/support/own-broker.ts';
import { OwnServer } from '../test/support/own-server.ts';
import { RoleCluster } from '../test/support/role-cluster.ts';
import { sendAll } from '../test/support/sender.ts';
import type { FleetMetric } from './fleet-installation.ts';
import { FIRST_SECOND, ROW_SECONDS } from './fleet-rows.ts';
import { fleetShapes } from './fleet-shapes.ts';
import { FleetTraffic } from './fleet-traffic.ts';
import { treeCpuSeconds } from './proc.ts';

/** CPU seconds by who used them: a role, `database`, `broker`. */
export type CpuSeconds = Readonly<Record<string, number>>;

export interface LagMs {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface SchedulersFinding {
  readonly schedulers: number;
  readonly metrics: number;
  readonly rows: number;
  /** Rows a second that got both scores, from the first model that was asked for to the last score. */
  readonly rowsPerSecond: number;
  readonly cpuSeconds: CpuSeconds;
  /** Transactions and reading statements on the database for each row, by stage. */
  readonly operationsPerRow: Readonly<Record<string, number>>;
  /** Of live samples, one a metric every `intervalSeconds`, from sending to the scored result. */
  readonly intervalSeconds: number;
  readonly sent: number;
  readonly unscored: number;
  readonly lagMs: LagMs;
  readonly liveCpuSeconds: CpuSeconds;
}

export interface IngestFinding {
  readonly storers: number;
  readonly metrics: number;
  readonly samples: number;
  readonly samplesPerSecond: number;
  readonly brokerOperationsPerSample: number;
  /** Transactions T0 for each sample. */
  readonly transactionsPerSample: number;
  readonly cpuSeconds: CpuSeconds;
}

export interface OutageFinding {
  readonly outageSeconds: number;
  readonly sent: number;
  readonly lost: number;
  readonly lagBeforeMs: LagMs;
  readonly longestLagMs: number;
  /** From the moment the broker is back until the last sample is scored; none is sent then. */
  readonly caughtUpSeconds: number;
}

export interface Traffic {
  readonly metrics: number;
  readonly rows: number;
  readonly intervalSeconds: number;
  readonly seconds: number;
}

const POLL_MS = 100;
const CONNECTIONS = 10;
const MONITORS = 8;
const DRAIN_SECONDS = 600;

/** A database server and a broker of its own, and clusters on them, each with an application and a database of its own. */
export class SpreadBench {
  readonly #kind: ServerKind;
  readonly #server: OwnServer;
  readonly #broker: OwnBroker;
  #clusters = 0;

  private constructor(kind: ServerKind, server: OwnServer, broker: OwnBroker) {
    this.#kind = kind;
    this.#server = server;
    this.#broker = broker;
  }

  static async open(kind: ServerKind): Promise<SpreadBench> {
    const server = await OwnServer.create(kind);
    await server.start();
    return new SpreadBench(kind, server, await OwnBroker.start());
  }

  async close(): Promise<void> {
    await this.#broker.dispose();
    await this.#server.remove();
  }

  /** How fast rows that wait are scored by so many schedulers, and how long live samples take then. */
  schedulers(count: number, traffic: Traffic): Promise<SchedulersFinding> {
    const roles: Role[] = ['api', 'metric-listener', 'metric-storer', 'anomaly-service'];
    const schedulers = Array.from({ length: count }, () => 'model-scheduler' as const);
    return this.#onCluster([...roles, ...schedulers], async (cluster) => {
      const metrics = fleet(traffic.metrics);
      const rows = traffic.metrics * traffic.rows;
      await send(cluster, metrics, traffic.rows);
      await untilCounted(cluster, 'htmengine_storer_samples_total', rows);
      const cpuBefore = this.#cpuSeconds(cluster);
      const operationsBefore = await this.#operations(cluster);
      const begun = performance.now();
      await monitorAll(cluster, metrics);
      await untilCounted(cluster, 'htmengine_anomaly_rows_total', rows);
      const seconds = (performance.now() - begun) / 1000;
      const cpuSeconds = since(this.#cpuSeconds(cluster), cpuBefore);
      const operations = since(await this.#operations(cluster), operationsBefore);
      const live = await this.#live(cluster, metrics, traffic);
      return {
        schedulers: count,
        metrics: traffic.metrics,
        rows,
        rowsPerSecond: rows / seconds,
        cpuSeconds,
        operationsPerRow: mapped(operations, (value) => value / rows),
        intervalSeconds: traffic.intervalSeconds,
        ...live,
      };
    });
  }

  /** How fast samples of metrics without models get from Graphite connections over the broker into the database. */
  ingest(storers: number, metricCount: number, samples: number): Promise<IngestFinding> {
    const roles = Array.from({ length: storers }, () => 'metric-storer' as const);
    return this.#onCluster(['api', 'metric-listener', ...roles], async (cluster) => {
      const metrics = fleet(metricCount);
      const rows = Math.floor(samples / metricCount);
      // Metrics are made, and queues found, before the clock starts.
      await send(cluster, metrics, 1);
      await untilCounted(cluster, 'htmengine_storer_samples_total', metricCount);
      const total = metricCount * rows;
      const cpuBefore = this.#cpuSeconds(cluster);
      const brokerBefore = await cluster.sum('htmengine_broker_operations_total');
      const batchesBefore = await cluster.sum('htmengine_storer_batches_total');
      const begun = performance.now();
      await send(cluster, metrics, rows, 1);
      await untilCounted(cluster, 'htmengine_storer_samples_total', metricCount + total);
      const seconds = (performance.now() - begun) / 1000;
      return {
        storers,
        metrics: metricCount,
        samples: total,
        samplesPerSecond: total / seconds,
        brokerOperationsPerSample:
          ((await cluster.sum('htmengine_broker_operations_total')) - brokerBefore) / total,
        transactionsPerSample:
          ((await cluster.sum('htmengine_storer_batches_total')) - batchesBefore) / total,
        cpuSeconds: since(this.#cpuSeconds(cluster), cpuBefore),
      };
    });
  }

  /** What becomes of live samples while the broker is stopped for so long. */
  outage(
    outageSeconds: number,
    { metrics: count, intervalSeconds, seconds }: Traffic,
  ): Promise<OutageFinding> {
    const roles: Role[] = ['api', 'metric-listener', 'metric-storer', 'model-scheduler', 'anomaly-service'];
    return this.#onCluster(roles, async (cluster) => {
      const metrics = fleet(count);
      await monitorAll(cluster, metrics);
      const traffic = new FleetTraffic(metrics, intervalSeconds, portsOf(cluster));
      await traffic.open();
      let isBack = false;
      const sending = traffic.send(() => isBack);
      await sleep(1000 * seconds);
      const before = [...traffic.lagMs];
      await this.#broker.stopApplication();
      await sleep(1000 * outageSeconds);
      await this.#broker.startApplication();
      const backMs = performance.now();
      isBack = true;
      await sending;
      await traffic.drain(DRAIN_SECONDS);
      const caughtUpSeconds = (performance.now() - backMs) / 1000;
      await traffic.close();
      return {
        outageSeconds,
        sent: traffic.sent,
        lost: traffic.pending,
        lagBeforeMs: lagOf(before),
        longestLagMs: Math.round(Math.max(...traffic.lagMs)),
        caughtUpSeconds,
      };
    });
  }

  async #live(cluster: RoleCluster, metrics: readonly FleetMetric[], { intervalSeconds, seconds }: Traffic) {
    const traffic = new FleetTraffic(metrics, intervalSeconds, portsOf(cluster));
    await traffic.open();
    const cpuBefore = this.#cpuSeconds(cluster);
    await traffic.send((elapsed) => elapsed >= seconds);
    await traffic.drain(seconds);
    const liveCpuSeconds = since(this.#cpuSeconds(cluster), cpuBefore);
    await traffic.close();
    return { sent: traffic.sent, unscored: traffic.pending, lagMs: lagOf(traffic.lagMs), liveCpuSeconds };
  }

  async #onCluster<T>(roles: readonly Role[], run: (cluster: RoleCluster) => Promise<T>): Promise<T> {
    const directory = await temporaryDirectory();
    const database = await createDatabase(this.#kind, this.#server.url);
    const settings: ConfigInput = {
      store: { url: database.url, maxConnections: 4 },
      bus: { url: this.#broker.url, application: `bench-${++this.#clusters}` },
      scheduler: { workers: 1 },
      log: { level: 'warn' },
    };
    const cluster = new RoleCluster(directory.path, settings);
    try {
      for (const role of roles) await cluster.start(role);
      return await run(cluster);
    } finally {
      await cluster.dispose();
      await database.drop();
      await directory.remove();
    }
  }

  #cpuSeconds(cluster: RoleCluster): CpuSeconds {
    const seconds: Record<string, number> = {
      database: treeCpuSeconds(this.#server.pid),
      broker: treeCpuSeconds(this.#broker.pid),
    };
    for (const { role, pid } of cluster.processes())
      seconds[role] = (seconds[role] ?? 0) + treeCpuSeconds(pid);
    return seconds;
  }

  async #operations(cluster: RoleCluster): Promise<Record<string, number>> {
    const stages = ['scheduler', 'anomaly'];
    const counts: Record<string, number> = {};
    for (const stage of stages)
      counts[stage] = await cluster.sum('htmengine_store_operations_total', `stage="${stage}"`);
    return counts;
  }
}

function fleet(count: number): FleetMetric[] {
  const shapes = fleetShapes();
  return Array.from({ length: count }, (_, i) => {
    const shape = shapes[i % shapes.length];
    if (shape === undefined) throw new RangeError('there are no shapes');
    return { name: `bench.${i}`, shape, seed: i };
  });
}

/** Sends rows of every metric, those of a metric over one connection. */
async function send(
  cluster: RoleCluster,
  metrics: readonly FleetMetric[],
  rows: number,
  firstRow = 0,
): Promise<void> {
  const port = cluster.of('metric-listener')[0]?.graphitePort ?? 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      const own = metrics.filter((__, i) => i % CONNECTIONS === connection);
      let text = '';
      for (let row = firstRow; row < firstRow + rows; row++)
        for (const { name, shape, seed } of own)
          text += `${name} ${shape.value(row, seed)} ${FIRST_SECOND + ROW_SECONDS * row}\n`;
      await sendAll(port, text);
    }),
  );
}

async function monitorAll(cluster: RoleCluster, metrics: readonly FleetMetric[]): Promise<void> {
  const waiting = metrics.values();
  await Promise.all(
    Array.from({ length: MONITORS }, async () => {
      for (const { name, shape } of waiting) await cluster.monitor(name, { min: shape.min, max: shape.max });
    }),
  );
}

async function untilCounted(cluster: RoleCluster, counter: string, value: number): Promise<void> {
  while ((await cluster.sum(counter)) < value) await sleep(POLL_MS);
}

function portsOf(cluster: RoleCluster) {
  return {
    graphitePort: cluster.of('metric-listener')[0]?.graphitePort ?? 0,
    httpPort: cluster.of('api')[0]?.httpPort ?? 0,
  };
}

function since(now: CpuSeconds, before: CpuSeconds): Record<string, number> {
  return mapped(now, (value, name) => value - (before[name] ?? 0));
}

function mapped(values: CpuSeconds, change: (value: number, name: string) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}

function lagOf(lagMs: readonly number[]): LagMs {
  const sorted = [...lagMs].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? NaN);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
