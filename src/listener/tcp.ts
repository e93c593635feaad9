import { createServer, type Socket } from 'node:net';
import { Counter, Gauge } from 'prom-client';
import type { Bus } from '../bus/bus.ts';
import { HtmEngineError, listenFailure } from '../errors.ts';
import type { RefusalCounter } from '../refusals.ts';
import type { Telemetry } from '../telemetry.ts';
import { GraphiteConnection, type ConnectionOptions, type ConnectionServices } from './connection.ts';

export interface GraphiteListenerOptions extends ConnectionOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** One connection more is closed as soon as it is made. */
  readonly maxConnections: number;
  /** How long `stop` waits for the bus to accept what was received; 10 s unless given. */
  readonly stopTimeoutMs?: number;
}

/** What the listener works with. */
export interface GraphiteListenerServices {
  readonly bus: Pick<Bus, 'publishSamples'>;
  readonly refusals: Pick<RefusalCounter, 'count'>;
  readonly telemetry: Telemetry;
  readonly nowSeconds: () => number;
}

const DEFAULT_STOP_TIMEOUT_MS = 10_000;
/** After this long without a byte the operating system asks whether the sender still exists. */
const KEEP_ALIVE_DELAY_MS = 60_000;
/** Connections that are refused are logged this often at the most. */
const LOG_INTERVAL_MS = 60_000;

/**
 * Listens for the Graphite plaintext protocol over TCP. Nothing is ever answered: a sender may close its half and
 * then sees the end of the stream once everything it sent is accepted.
 */
export class GraphiteListener {
  readonly #options: GraphiteListenerOptions;
  readonly #telemetry: Telemetry;
  readonly #counters: ReturnType<typeof createCounters>;
  readonly #connectionServices: ConnectionServices;
  readonly #server = createServer({
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
  });
  /** Those too whose socket is closed while their samples wait, so that nobody gets more room by connecting again. */
  readonly #connections = new Set<GraphiteConnection>();
  #refusalLoggedMs = -Infinity;

  constructor(options: GraphiteListenerOptions, services: GraphiteListenerServices) {
    const { bus, refusals, telemetry, nowSeconds } = services;
    this.#options = options;
    this.#telemetry = telemetry;
    this.#counters = createCounters(telemetry, () => this.#connections.size);
    this.#connectionServices = {
      bus,
      refusals,
      log: telemetry.log,
      nowSeconds,
      accepted: (samples) => this.#counters.accepted.inc(samples),
      lost: (samples) => this.#counters.lost.inc(samples),
    };
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  /** @returns the port that is listened on. @throws HtmEngineError `listen_failed` */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) =>
        reject(listenFailure(error, 'Graphite', host, port, '--graphite-port'));
      this.#server.once('error', failed);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed);
        resolve();
      });
    });
    // From now on these concern single connections that could not be taken, for instance for want of file descriptors.
    this.#server.on('error', (error) => this.#connectionRefused(error.message));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
    return address.port;
  }

  /**
   * Ends: takes no more connections or bytes, waits until what was received is accepted, closes. After
   * `stopTimeoutMs` what is not accepted is given up, counted and logged. Never rejects.
   */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.drain();
    const timeoutMs = this.#options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
    const timer = setTimeout(() => {
      const reason = new HtmEngineError('stopped', `the engine stopped: not accepted within ${timeoutMs} ms`);
      for (const connection of this.#connections) connection.abandon(reason);
    }, timeoutMs);
    await Promise.all(Array.from(this.#connections, ({ done }) => done));
    clearTimeout(timer);
    await closed;
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#options.maxConnections) {
      // Closing may fail when the other side was faster; there is nothing left to do then.
      socket.on('error', () => undefined);
      socket.destroy();
      this.#connectionRefused(
        `there are ${this.#options.maxConnections} already: listener.graphite.maxConnections`,
      );
      return;
    }
    const connection = new GraphiteConnection(socket, this.#options, this.#connectionServices);
    this.#connections.add(connection);
    void connection.done.then(() => this.#connections.delete(connection));
  }

  #connectionRefused(reason: string): void {
    this.#counters.refusedConnections.inc();
    const nowMs = performance.now();
    if (nowMs - this.#refusalLoggedMs < LOG_INTERVAL_MS) return;
    this.#refusalLoggedMs = nowMs;
    this.#telemetry.log.warn({ event: 'graphite.connection_refused', reason });
  }
}

function createCounters({ registry }: Telemetry, connections: () => number) {
  const registers = [registry];
  new Gauge({
    name: 'htmengine_graphite_connections',
    help: 'Graphite connections that are open or whose samples wait',
    registers,
    collect() {
      this.set(connections());
    },
  });
  const counter = (name: string, help: string) =>
    new Counter({ name: `htmengine_graphite_${name}`, help, registers });
  return {
    refusedConnections: counter(
      'refused_connections_total',
      'Graphite connections that could not be taken: too many, or no resources',
    ),
    accepted: counter('accepted_samples_total', 'Samples from Graphite connections that the bus accepted'),
    lost: counter(
      'lost_samples_total',
      'Samples that were received and given up: the engine stopped or failed',
    ),
  };
}
