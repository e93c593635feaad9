import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { Counter, Gauge } from 'prom-client';
import { listenFailure } from '../listen-failure.ts';
import type { RefusalReason, Sample } from '../metric.ts';
import type { Telemetry } from '../telemetry.ts';
import type { ReceiverServices } from './connection.ts';
import { GraphiteParser, type LineSink } from './graphite.ts';
import { publishUntilAccepted } from './publish.ts';
import { seldom } from './seldom.ts';
import { kernelDrops } from './udp-drops.ts';

export interface UdpOptions {
  readonly host: string;
  /** A longer line is refused whole. */
  readonly maxLineBytes: number;
  /** A longer datagram is refused whole. */
  readonly maxDatagramBytes: number;
  /** While as many samples wait for the bus, datagrams are dropped. */
  readonly maxDatagramSamples: number;
  /** What the kernel is asked to keep of datagrams that were not read yet; it may give less. */
  readonly receiveBufferBytes: number;
}

/** Samples that are published together at the most. */
const MAX_PUBLICATION_SAMPLES = 10_000;
const LOG_INTERVAL_MS = 60_000;

/**
 * Graphite lines in UDP datagrams, several in each; no line continues in the next datagram. Samples are published in
 * the order in which they came, one publication at a time, with all that came during the one before.
 *
 * UDP cannot hold a sender back. When the bus does not take samples as fast as they come, `maxDatagramSamples` are kept
 * and further datagrams dropped, by us or by the kernel, and counted.
 */
export class UdpListener implements LineSink {
  /** A datagram is bounded, so its samples are always taken. */
  readonly full = false;
  readonly #options: UdpOptions;
  readonly #services: ReceiverServices;
  readonly #counters: UdpCounters;
  readonly #parser: GraphiteParser;
  readonly #abandoned = new AbortController();
  readonly #logDrops: () => void;

  #socket: Socket | null = null;
  #pending: Sample[] = [];
  #inFlight = 0;
  #closed = false;
  /** Ends the wait for samples. */
  #notify: () => void = () => undefined;
  #run: Promise<void> = Promise.resolve();

  constructor(options: UdpOptions, services: ReceiverServices, counters: UdpCounters) {
    this.#options = options;
    this.#services = services;
    this.#counters = counters;
    this.#parser = new GraphiteParser(options.maxLineBytes, services.nowSeconds);
    this.#logDrops = seldom(LOG_INTERVAL_MS, (datagrams) =>
      services.log.warn(
        { event: 'graphite.datagrams_dropped', datagrams, maxDatagramSamples: options.maxDatagramSamples },
        'datagrams are dropped: samples come faster than they are stored; send over TCP, which waits',
      ),
    );
  }

  /** @returns the port that is bound. @throws HtmEngineError `listen_failed` */
  async start(port: number): Promise<number> {
    const { host } = this.#options;
    try {
      const { address, family } = await lookup(host);
      const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      this.#socket = socket;
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ address, port, exclusive: true }, () => {
          socket.off('error', reject);
          resolve();
        });
      });
      // Later errors concern single datagrams.
      socket.on('error', (error) =>
        this.#services.log.warn({ event: 'graphite.udp_failed', err: error }, 'the UDP socket met an error'),
      );
      socket.setRecvBufferSize(this.#options.receiveBufferBytes);
      socket.on('message', (datagram) => this.#receive(datagram));
      const { port: bound } = socket.address();
      this.#counters.follow(bound, () => this.#waiting);
      this.#run = this.#publishAll();
      return bound;
    } catch (error) {
      throw listenFailure(error, 'Graphite over UDP', host, port, '--port');
    }
  }

  /**
   * Ends: takes no more datagrams and waits until what was received is accepted. After `timeoutMs` what is not is
   * given up and counted. Never rejects.
   */
  async stop(timeoutMs: number): Promise<void> {
    if (!this.#closed) this.#socket?.close();
    this.#closed = true;
    this.#notify();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([this.#run, timeout]);
    clearTimeout(timer);
    this.#abandon();
  }

  sample(sample: Sample): void {
    this.#pending.push(sample);
  }

  refused(reason: RefusalReason, example: string): void {
    this.#services.refusals.count(reason, 1, example);
  }

  get #waiting(): number {
    return this.#pending.length + this.#inFlight;
  }

  #receive(datagram: Buffer): void {
    this.#counters.received.inc();
    if (datagram.length > this.#options.maxDatagramBytes) {
      this.#counters.dropped.inc({ reason: 'too_long' });
    } else if (this.#waiting >= this.#options.maxDatagramSamples) {
      this.#counters.dropped.inc({ reason: 'queue_full' });
      this.#logDrops();
    } else {
      this.#parser.parse(datagram, 0, this);
      this.#parser.end(this);
      this.#notify();
    }
  }

  async #publishAll(): Promise<void> {
    const { signal } = this.#abandoned;
    while (!signal.aborted) {
      if (this.#pending.length > 0)
        await this.#publish(this.#pending.splice(0, MAX_PUBLICATION_SAMPLES), signal);
      else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#notify = resolve));
    }
  }

  async #publish(samples: readonly Sample[], signal: AbortSignal): Promise<void> {
    this.#inFlight = samples.length;
    try {
      await publishUntilAccepted(samples, { ...this.#services, signal });
      if (!signal.aborted) this.#services.accepted(samples.length);
    } catch (error) {
      if (!signal.aborted) this.#lose(samples.length, error);
    }
    this.#inFlight = 0;
  }

  #abandon(): void {
    if (this.#abandoned.signal.aborted) return;
    const samples = this.#waiting;
    this.#abandoned.abort();
    this.#pending = [];
    if (samples > 0) this.#lose(samples, 'the engine stopped before they were accepted');
  }

  #lose(samples: number, reason: unknown): void {
    this.#services.lost(samples);
    this.#services.log.error(
      { event: 'graphite.samples_lost', samples, err: reason },
      'samples out of datagrams were given up',
    );
  }
}

export type UdpCounters = ReturnType<typeof createUdpCounters>;

export function createUdpCounters({ registry }: Telemetry) {
  const registers = [registry];
  let waiting = () => 0;
  let port: number | null = null;
  let kernelDropsCounted = 0;
  const dropped = new Counter({
    name: 'htmengine_graphite_dropped_datagrams_total',
    help: 'Graphite datagrams whose lines were not read, by reason: longer than the limit, too many samples waiting, or the kernel had no room (Linux tells)',
    labelNames: ['reason'],
    registers,
    async collect() {
      if (port === null) return;
      const drops = await kernelDrops(port);
      this.inc({ reason: 'kernel' }, Math.max(0, drops - kernelDropsCounted));
      kernelDropsCounted = drops;
    },
  });
  // A series that exists from the start at 0 is one whose first increase an alert can see.
  for (const reason of ['too_long', 'queue_full', 'kernel']) dropped.inc({ reason }, 0);
  new Gauge({
    name: 'htmengine_graphite_udp_waiting_samples',
    help: 'Samples out of Graphite datagrams that wait for the storer',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return {
    received: new Counter({
      name: 'htmengine_graphite_datagrams_total',
      help: 'Graphite datagrams that were received, dropped ones too',
      registers,
    }),
    dropped,
    /** From now on a listener on this port is what is told of. */
    follow(boundPort: number, waitingSamples: () => number) {
      [port, waiting] = [boundPort, waitingSamples];
    },
  };
}
