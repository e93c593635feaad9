import { createServer, type Socket } from 'node:net';
import { Counter, Gauge } from 'prom-client';
import { HtmEngineError } from '../errors.ts';
import { listenFailure } from '../listen-failure.ts';
import type { Telemetry } from '../telemetry.ts';
import { TcpConnection, type ConnectionOptions, type ReceiverServices } from './connection.ts';
import { seldom } from './seldom.ts';

export interface TcpOptions extends ConnectionOptions {
  readonly host: string;
  /** One connection more is closed as soon as it is made. */
  readonly maxConnections: number;
  /**
   * Samples that wait for the bus, over all connections, which share it equally; a connection may hold
   * `maxBatchesInFlight` batches even if its share is less. The more rows wait the more are stored in one transaction.
   */
  readonly maxWaitingSamples: number;
}

/** After this long without a byte the operating system asks whether the sender still exists. */
const KEEP_ALIVE_DELAY_MS = 60_000;
const LOG_INTERVAL_MS = 60_000;

/**
 * Graphite lines over TCP. Nothing is ever answered: a sender may close its half and then sees the end of the stream
 * once everything it sent is accepted.
 */
export class TcpListener {
  readonly #options: TcpOptions;
  readonly #services: ReceiverServices;
  readonly #counters: TcpCounters;
  readonly #server = createServer({
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
  });
  /** Those too whose socket is closed while their samples wait, so that nobody gets more room by connecting again. */
  readonly #connections = new Set<TcpConnection>();
  #refusedFor = '';
  readonly #logRefusals: () => void;

  constructor(options: TcpOptions, services: ReceiverServices, counters: TcpCounters) {
    this.#options = options;
    this.#services = services;
    this.#counters = counters;
    this.#logRefusals = seldom(LOG_INTERVAL_MS, (connections) =>
      services.log.warn(
        { event: 'graphite.connection_refused', connections, reason: this.#refusedFor },
        'connections could not be taken',
      ),
    );
    this.#server.on('connection', (socket) => this.#accept(socket));
  }

  /** @returns the port that is listened on. @throws HtmEngineError `listen_failed` */
  async start(port: number): Promise<number> {
    const { host } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) => reject(listenFailure(error, 'Graphite', host, port, '--port'));
      this.#server.once('error', failed);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed);
        resolve();
      });
    });
    // From now on these concern single connections that could not be taken, for instance for want of file descriptors.
    this.#server.on('error', (error) => this.#refuse(error.message));
    this.#counters.follow(() => this.#connections.size);
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
    return address.port;
  }

  /**
   * Ends: takes no more connections or bytes, waits until what was received is accepted, closes. After
   * `timeoutMs` what is not accepted is given up, counted and logged. Never rejects.
   */
  async stop(timeoutMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.drain();
    const timer = setTimeout(() => {
      const reason = new HtmEngineError('stopped', `the engine stopped: not accepted within ${timeoutMs} ms`);
      for (const connection of this.#connections) connection.abandon(reason);
    }, timeoutMs);
    await Promise.all(Array.from(this.#connections, ({ done }) => done));
    clearTimeout(timer);
    await closed;
  }

  #accept(socket: Socket): void {
    const { maxConnections, maxWaitingSamples } = this.#options;
    if (this.#connections.size >= maxConnections) {
      // Closing may fail when the other side was faster; there is nothing left to do then.
      socket.on('error', () => undefined);
      socket.destroy();
      this.#refuse(`there are ${maxConnections} already: listener.graphite.maxConnections`);
      return;
    }
    const connection = new TcpConnection(
      socket,
      this.#options,
      this.#services,
      () => maxWaitingSamples / this.#connections.size,
    );
    this.#connections.add(connection);
    void connection.done.then(() => this.#connections.delete(connection));
  }

  #refuse(reason: string): void {
    this.#counters.refusedConnections.inc();
    this.#refusedFor = reason;
    this.#logRefusals();
  }
}

export type TcpCounters = ReturnType<typeof createTcpCounters>;

export function createTcpCounters({ registry }: Telemetry) {
  const registers = [registry];
  let connections = () => 0;
  new Gauge({
    name: 'htmengine_graphite_connections',
    help: 'Graphite connections that are open or whose samples wait',
    registers,
    collect() {
      this.set(connections());
    },
  });
  return {
    refusedConnections: new Counter({
      name: 'htmengine_graphite_refused_connections_total',
      help: 'Graphite connections that could not be taken: too many, or no resources',
      registers,
    }),
    /** From now on these are the connections that are told of. */
    follow(count: () => number) {
      connections = count;
    },
  };
}
