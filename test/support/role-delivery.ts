import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { MetricJson } from './engine-process.ts';
import type { Series } from './nab.ts';
import type { RoleCluster } from './role-cluster.ts';
import { connectTo, graphiteLines } from './sender.ts';

/** A part of a metric that is not stored after so long without progress is sent again from its last stored row. */
const RESEND_AFTER_MS = 10_000;
/** Samples come in small groups, so that some are on their way at any moment. */
const GROUP_LINES = 5;
const GROUP_PAUSE_MS = 50;
const LOOK_MS = 200;

/** Sends the samples of metrics to a cluster's listeners, and sees in its API what became of them. */
export class RoleDelivery {
  readonly #cluster: RoleCluster;
  readonly #series: readonly Series[];
  readonly #senders: number;
  #looking: Promise<ReadonlyMap<string, MetricJson> | null> | undefined;
  #stopped = false;

  /** @param senders metrics whose samples are on their way at the same time. */
  constructor(cluster: RoleCluster, series: readonly Series[], senders: number) {
    this.#cluster = cluster;
    this.#series = series;
    this.#senders = senders;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Sends every metric up to this part of its rows, and resolves when they are stored. */
  async send(part: number): Promise<void> {
    const waiting = this.#series.entries();
    const senders = Array.from({ length: this.#senders }, async () => {
      for (const [i, series] of waiting) await this.#deliver(series, i, part);
    });
    await Promise.all(senders);
  }

  /** Resolves when every row has its score. @throws if a metric is in ERROR, or after `timeoutMs` */
  async allScored(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
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
        const listeners = this.#cluster.of('metric-listener');
        const port = listeners[i % listeners.length]?.graphitePort ?? 0;
        // A cut connection: what is missing is sent again.
        await sendInGroups(port, graphiteLines(sent, from)).catch(() => undefined);
        resendAtMs = Date.now() + RESEND_AFTER_MS;
      }
      before = stored;
      await delay(LOOK_MS);
    }
  }

  /** One look for all who ask at the same time. @returns null while nobody answers */
  #look(): Promise<ReadonlyMap<string, MetricJson> | null> {
    this.#looking ??= delay(LOOK_MS)
      .then(() => this.#cluster.metrics())
      .then((metrics) => metrics && new Map(metrics.map((metric) => [metric.name, metric])))
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }
}

/** Sends lines over a connection of their own, a few at a time. @throws whatever ends the connection early */
async function sendInGroups(port: number, lines: readonly string[]): Promise<void> {
  const socket = await connectTo(port);
  socket.resume();
  const closed = once(socket, 'close');
  // Awaited at the end; until then it must not count as unhandled.
  closed.catch(() => undefined);
  for (let first = 0; first < lines.length && socket.writable; first += GROUP_LINES) {
    socket.write(lines.slice(first, first + GROUP_LINES).join(''));
    await delay(GROUP_PAUSE_MS);
  }
  socket.end();
  await closed;
}
