import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Engine, HtmEngineError } from 'htmengine';
import { EngineClient } from 'htmengine/client';
import { SPEED_RANGE } from './simulation.ts';

/** What this application asks of an engine, wherever it runs. */
export interface EngineLink {
  /** Where the engine's own page and HTTP interface are. */
  readonly address: string;
  /** Has a metric monitored unless it is already. */
  monitor(name: string): Promise<void>;
  send(samples: readonly TrafficSample[]): Promise<void>;
  /** Of every metric that has rows, by name: the time of its newest one in epoch seconds. */
  lastTimes(): Promise<Map<string, number>>;
  /** The newest rows of a metric, oldest first; none of one that is not there. */
  lastRows(name: string, count: number): Promise<TrafficRow[]>;
  close(): Promise<void>;
}

export interface TrafficSample {
  readonly name: string;
  readonly value: number;
  /** Epoch seconds. */
  readonly timestamp: number;
}

export interface TrafficRow {
  readonly timestamp: number;
  readonly value: number;
  /** Null until the row is scored. */
  readonly anomalyScore: number | null;
}

/** Starts an engine inside this program. */
export async function startEmbedded(dataDirectory: string, port: number): Promise<EngineLink> {
  const engine = new Engine({
    dataDirectory,
    api: { port },
    listener: { graphite: { enabled: false } },
    log: { level: 'warn' },
  });
  await engine.start();
  const { http } = engine.addresses;
  return {
    address: http === null ? '' : `http://${http.host}:${http.port}`,
    async monitor(name) {
      try {
        await engine.monitorMetric({ metricSpec: { metric: name, unit: 'mph' }, modelParams: SPEED_RANGE });
      } catch (error) {
        if (!isMonitoredAlready(error)) throw error;
      }
    },
    async send(samples) {
      await engine.push(samples);
    },
    async lastTimes() {
      const metrics = await engine.listMetrics();
      return timesOf(metrics);
    },
    async lastRows(name, count) {
      const metric = await engine.findMetric(name);
      if (metric === null) return [];
      return (await engine.readData(metric.metricId, { limit: count, newestFirst: true })).reverse();
    },
    close: () => engine.stop(),
  };
}

/** Works with the services of an engine elsewhere: samples go to its Graphite listener, all else over HTTP. */
export async function connectDistributed(
  url: string,
  graphite: { readonly host: string; readonly port: number },
  token?: string,
): Promise<EngineLink> {
  const client = new EngineClient(url, token === undefined ? {} : { token });
  await client.check();
  const sender = new GraphiteSender(graphite);
  return {
    address: url,
    async monitor(name) {
      try {
        await client.monitor(name, { ...SPEED_RANGE, unit: 'mph' });
      } catch (error) {
        if (!isMonitoredAlready(error)) throw error;
      }
    },
    send: (samples) => sender.send(samples),
    async lastTimes() {
      const times = new Map<string, number>();
      for await (const page of client.metricPages()) {
        for (const [name, time] of timesOf(page)) times.set(name, time);
      }
      return times;
    },
    async lastRows(name, count) {
      return (await client.findMetric(name)) === null ? [] : client.lastRows(name, count);
    },
    async close() {
      await sender.close();
    },
  };
}

function timesOf(
  metrics: readonly { readonly name: string; readonly lastTimestamp: number | null }[],
): Map<string, number> {
  return new Map(
    metrics.flatMap(({ name, lastTimestamp }) =>
      lastTimestamp === null ? [] : [[name, lastTimestamp] as const],
    ),
  );
}

/** The library says so by the error's code, the client by that of the engine's answer. */
function isMonitoredAlready(error: unknown): boolean {
  if (!(error instanceof HtmEngineError)) return false;
  return error.code === 'metric_already_monitored' || error.details['code'] === 'metric_already_monitored';
}

/** A connection to a Graphite listener, made anew when it is gone. Lines that were lost come again after a restart, as nothing answers them. */
class GraphiteSender {
  readonly #to: { readonly host: string; readonly port: number };
  #socket: Socket | null = null;

  constructor(to: { readonly host: string; readonly port: number }) {
    this.#to = to;
  }

  async send(samples: readonly TrafficSample[]): Promise<void> {
    const socket = this.#socket ?? (await this.#connect());
    const lines = samples.map(({ name, value, timestamp }) => `${name} ${value} ${timestamp}\n`).join('');
    if (!socket.write(lines)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    const closed = once(socket, 'close');
    socket.end();
    await closed;
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#to);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    socket.once('close', () => (this.#socket = null));
    // The listener never speaks; reading notices that it has gone.
    socket.resume();
    this.#socket = socket;
    return socket;
  }
}
