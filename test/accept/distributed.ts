import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ConfigInput } from '../../src/config.ts';
import type { Role } from '../../src/roles.ts';
import { createDatabase, SERVER_KINDS, type ServerKind } from '../support/database-servers.ts';
import { temporaryDirectory } from '../support/engine-process.ts';
import { acceptedRows, type Series } from '../support/nab.ts';
import { OtherHost } from '../support/other-host.ts';
import { OwnBroker } from '../support/own-broker.ts';
import { OwnServer } from '../support/own-server.ts';
import { firstDifference, runPipeline, type RunOutcome } from '../support/pipeline-run.ts';
import { type Counted, RoleCluster, without } from '../support/role-cluster.ts';
import { RoleDelivery } from '../support/role-delivery.ts';
import { disturbances, type Disturbance } from '../support/role-disturbances.ts';
import { ResultsConsumer } from '../support/results-consumer.ts';
import { dailySeries } from '../support/series.ts';
import { allSeries } from './nab.ts';

/** How much goes through. */
interface Size {
  readonly files: number;
  readonly syntheticMetrics: number;
  readonly syntheticRows: number;
  /** Metrics whose samples are on their way at once, each over a connection of its own. */
  readonly senders: number;
}

const FULL: Size = { files: Infinity, syntheticMetrics: 500, syntheticRows: 600, senders: 16 };
const SMALL: Size = { files: 2, syntheticMetrics: 32, syntheticRows: 420, senders: 8 };
const TIMEOUT_MS = 4 * 3_600_000;
/** What a disturbance leads to may show a moment after it is over. */
const SETTLE_MS = 1_000;
/** How long after the last score the last result may come. */
const RECEIVED_WITHIN_MS = 300_000;

const PROCESSES: readonly Role[] = [
  'api',
  'retention',
  'publisher',
  ...['metric-listener', 'metric-storer', 'anomaly-service', 'model-scheduler'].flatMap(
    (role) => [role, role] as Role[],
  ),
  'model-scheduler',
];

/**
 * Twelve processes on a broker and a database server that are started for this, of both kinds: their rows equal the
 * embedded engine's bit for bit, undisturbed, and while every kind of process is killed and stopped, the broker and the
 * database are restarted, a scheduler comes and goes and one is cut off by the network. `--small` takes minutes
 * and is the disturbed run alone, `--undisturbed` is the other one alone, `--database mysql|postgres` takes one of the two.
 */
export async function distributed(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { small: { type: 'boolean' }, undisturbed: { type: 'boolean' }, database: { type: 'string' } },
  });
  const kinds = SERVER_KINDS.filter((kind) => (values.database ?? kind) === kind);
  if (kinds.length === 0) throw new Error(`--database must be one of ${SERVER_KINDS.join(', ')}`);
  const isSmall = values.small === true;
  const size = isSmall ? SMALL : FULL;
  const series = seriesOf(size);
  const rows = series.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
  process.stdout.write(`${series.length} metrics, ${rows} rows, embedded\n`);
  const embedded = await runPipeline({ series, monitor: 'beforeFirstRow', rangeOf, timeoutMs: TIMEOUT_MS });
  for (const kind of kinds) {
    for (const isDisturbed of values.undisturbed === true ? [false] : isSmall ? [true] : [false, true])
      await shared(kind, size, series, embedded.rows, isDisturbed);
  }
}

function seriesOf({ files, syntheticMetrics, syntheticRows }: Size): Series[] {
  const synthetic = Array.from({ length: syntheticMetrics }, (_, i) =>
    dailySeries(`synthetic.${String(i).padStart(3, '0')}`, syntheticRows, i + 1),
  );
  return [...allSeries().slice(0, files).map(onlyAccepted), ...synthetic];
}

/** Every other synthetic metric has its model from the first row on, the others learn their range from their rows. */
function rangeOf({ name }: Series): { min: number; max: number } | null {
  return /^synthetic\.\d*[02468]$/.test(name) ? { min: 0, max: 160 } : null;
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

async function shared(
  kind: ServerKind,
  { senders }: Size,
  series: readonly Series[],
  expected: RunOutcome['rows'],
  isDisturbed: boolean,
): Promise<void> {
  process.stdout.write(`${kind}, ${PROCESSES.length} processes${isDisturbed ? ', disturbed' : ''}\n`);
  const begun = Date.now();
  const directory = await temporaryDirectory();
  const server = await OwnServer.create(kind);
  const broker = await OwnBroker.start();
  const host = await OtherHost.create();
  const consumer = new ResultsConsumer(broker.url);
  let cluster: RoleCluster | undefined;
  let delivery: RoleDelivery | undefined;
  try {
    await server.start();
    await consumer.start();
    const { url } = await createDatabase(kind, server.url);
    cluster = new RoleCluster(directory.path, settingsWith(url, broker.url));
    await startProcesses(cluster, host, url, broker.url);
    for (const one of series) await cluster.monitor(one.name, rangeOf(one));
    const before = await cluster.counted();
    delivery = new RoleDelivery(cluster, series, senders);
    const steps = isDisturbed ? disturbances(cluster, server, broker, host) : [];
    await runThrough(steps, delivery, cluster);
    await delivery.allScored(TIMEOUT_MS);
    await compare(cluster, series, expected);
    await allReceived(consumer, expected);
    const counted = without(await cluster.counted(), before);
    const seconds = Math.round((Date.now() - begun) / 1000);
    process.stdout.write(`  rows equal; ${described(counted)}; ${seconds} s\n`);
    process.stdout.write(
      `  an AMQP client received every result in order, ${consumer.repeats} of them again\n`,
    );
    if (counted.mismatches > 0) throw new Error('a replayed row gave another score');
    const { taken, redelivered, fenced, replayed } = counted;
    if (isDisturbed && Math.min(taken, redelivered, fenced, replayed) <= 0)
      throw new Error('one of these never happened: nothing was shown');
  } finally {
    delivery?.stop();
    await cluster?.dispose();
    await consumer.stop();
    await host.remove();
    await broker.dispose();
    await server.remove();
    await directory.remove();
  }
}

function settingsWith(store: string, bus: string): ConfigInput {
  return {
    store: { url: store, maxConnections: 4 },
    bus: { url: bus },
    scheduler: { workers: 1 },
    log: { level: 'warn' },
  };
}

/** One of each, the last scheduler on another host. */
async function startProcesses(
  cluster: RoleCluster,
  host: OtherHost,
  store: string,
  bus: string,
): Promise<void> {
  for (const role of PROCESSES.slice(0, -1)) await cluster.start(role);
  await cluster.start('model-scheduler', host, {
    // The cable is nobody else's, so what goes over it need not be encrypted.
    ...settingsWith(`${await host.reach(store)}?tls=off`, await host.reach(bus)),
    health: { host: host.address },
  });
}

/** Sends all samples, a part of each metric during each disturbance. */
async function runThrough(
  steps: readonly Disturbance[],
  delivery: RoleDelivery,
  cluster: RoleCluster,
): Promise<void> {
  const shares = steps.reduce((sum, { share }) => sum + share, 1);
  let before = await cluster.counted();
  let sent = 0;
  for (const { name, share, run } of steps) {
    sent += share;
    await Promise.all([delivery.send(sent / shares), run()]);
    await delay(SETTLE_MS);
    const counted = await cluster.counted();
    process.stdout.write(`  ${name.padEnd(40)} ${described(without(counted, before))}\n`);
    before = counted;
  }
  await delivery.send(1);
}

async function compare(
  cluster: RoleCluster,
  series: readonly Series[],
  expected: RunOutcome['rows'],
): Promise<void> {
  const found = new Map<string, Awaited<ReturnType<RoleCluster['rows']>>>();
  for (const { name } of series) found.set(name, await cluster.rows(name));
  const difference = firstDifference(expected, found);
  if (difference !== null) throw new Error(`rows differ: ${difference}`);
}

/** The last results follow their rows. @throws if one does not come, or out of order */
async function allReceived(consumer: ResultsConsumer, expected: RunOutcome['rows']): Promise<void> {
  const deadline = Date.now() + RECEIVED_WITHIN_MS;
  for (;;) {
    const difference = consumer.difference(expected);
    if (difference === null) return;
    if (Date.now() > deadline) throw new Error(`not every result was received: ${difference}`);
    await delay(1_000);
  }
}

function described({ taken, redelivered, storedAlready, fenced, replayed }: Counted): string {
  return (
    `${taken} owner changes, ${redelivered} redeliveries (${storedAlready} samples were stored already), ` +
    `${fenced} fenced writes, ${replayed} rows replayed`
  );
}
