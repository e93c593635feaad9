import { setTimeout as delay } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { connect, type ChannelModel, type ConsumeMessage } from 'amqplib';
import type { RowJson } from './engine-process.ts';

interface Results {
  readonly metric: { readonly name: string };
  readonly results: readonly {
    readonly rowid: number;
    readonly ts: number;
    readonly value: number;
    readonly rawAnomaly: number;
    readonly anomaly: number;
  }[];
}

const EXCHANGE = 'htmengine.model.results';
const QUEUE = 'results_of_the_run';
const PREFETCH = 100;
const RECONNECT_MS = 500;

/**
 * An application as it was written for the original: the plain AMQP client and what section 1.5 of the system reference
 * says of results. It keeps what it gets first of each row, and connects again when the broker comes back.
 */
export class ResultsConsumer {
  /** How many results were got more than once. */
  repeats = 0;
  readonly #url: string;
  readonly #rows = new Map<string, Map<number, Results['results'][number]>>();
  /** The first thing that must not be. */
  #fault: string | null = null;
  #closed = false;
  #client: ChannelModel | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(url: string) {
    this.#url = url;
  }

  /** Resolves when its queue is bound: from then on it must get everything. */
  async start(): Promise<void> {
    const { gone } = await this.#consume();
    this.#running = this.#keepConsuming(gone);
  }

  async stop(): Promise<void> {
    this.#closed = true;
    await this.#client?.close().catch(() => undefined);
    await this.#running;
  }

  /** What it got differs from these rows by this, or null. */
  difference(expected: ReadonlyMap<string, readonly RowJson[]>): string | null {
    if (this.#fault !== null) return this.#fault;
    for (const [name, rows] of expected) {
      const got = this.#rows.get(name);
      for (const row of rows) {
        const result = got?.get(row.rowid);
        if (
          result?.ts !== row.timestamp ||
          result.value !== row.value ||
          result.rawAnomaly !== row.rawAnomalyScore ||
          result.anomaly !== row.anomalyScore
        )
          return `${name}, row ${row.rowid}: stored ${JSON.stringify(row)}, received ${JSON.stringify(result)}`;
      }
    }
    return null;
  }

  /** Asked through a method: it changes while something is awaited, which the compiler cannot see. */
  #isClosed(): boolean {
    return this.#closed;
  }

  async #keepConsuming(first: Promise<void>): Promise<void> {
    for (let lost: Promise<void> | undefined = first; ;) {
      await lost;
      await delay(RECONNECT_MS);
      if (this.#isClosed()) return;
      // While the broker is away there is nothing to lose.
      lost = (await this.#consume().catch(() => undefined))?.gone;
    }
  }

  /** Begins. @returns `gone`, which resolves when the connection is lost. */
  async #consume(): Promise<{ readonly gone: Promise<void> }> {
    const client = await connect(this.#url);
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('error', () => undefined);
    const channel = await client.createChannel();
    channel.on('error', () => undefined);
    await channel.assertExchange(EXCHANGE, 'fanout', { durable: true });
    await channel.assertQueue(QUEUE, { durable: true });
    await channel.bindQueue(QUEUE, EXCHANGE, '');
    await channel.prefetch(PREFETCH);
    await channel.consume(QUEUE, (message) => {
      if (message === null) {
        void client.close().catch(() => undefined);
        return;
      }
      this.#take(message);
      channel.ack(message);
    });
    this.#client = client;
    return { gone };
  }

  #take({ content, properties }: ConsumeMessage): void {
    const headers = (properties.headers ?? {}) as Readonly<Record<string, unknown>>;
    if (headers.dataType !== undefined) return;
    const { metric, results } = JSON.parse(inflateSync(content).toString()) as Results;
    const rows = this.#rows.get(metric.name) ?? new Map<number, Results['results'][number]>();
    this.#rows.set(metric.name, rows);
    for (const result of results) {
      if (rows.has(result.rowid)) {
        this.repeats += 1;
        continue;
      }
      // In order: a row that is new is the one after the last.
      if (result.rowid !== rows.size + 1)
        this.#fault ??= `${metric.name}: row ${result.rowid} was received after row ${rows.size}`;
      rows.set(result.rowid, result);
    }
  }
}
