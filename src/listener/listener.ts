import { Counter } from 'prom-client';
import type { Bus } from '../bus/bus.ts';
import { hasCode } from '../errors.ts';
import type { RefusalCounter } from '../refusals.ts';
import type { Telemetry } from '../telemetry.ts';
import type { ReceiverServices } from './connection.ts';
import { createTcpCounters, TcpListener, type TcpOptions } from './tcp.ts';
import { createUdpCounters, UdpListener, type UdpOptions } from './udp.ts';

export interface GraphiteListenerOptions extends TcpOptions, UdpOptions {
  /** 0 takes any free one, the same for both transports. */
  readonly port: number;
  readonly transport: 'tcp' | 'udp' | 'both';
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
/** Ports that are tried until one is free for both transports. */
const MAX_PORTS_TRIED = 20;

/** The metric listener: Graphite plaintext over TCP, UDP or both on one port. */
export class GraphiteListener {
  readonly #options: GraphiteListenerOptions;
  readonly #services: (transport: 'tcp' | 'udp') => ReceiverServices;
  readonly #tcpCounters: ReturnType<typeof createTcpCounters>;
  readonly #udpCounters: ReturnType<typeof createUdpCounters>;
  #tcp: TcpListener | null = null;
  #udp: UdpListener | null = null;

  constructor(options: GraphiteListenerOptions, { telemetry, ...services }: GraphiteListenerServices) {
    this.#options = options;
    this.#tcpCounters = createTcpCounters(telemetry);
    this.#udpCounters = createUdpCounters(telemetry);
    const { accepted, lost } = createSampleCounters(telemetry);
    this.#services = (transport) => ({
      ...services,
      log: telemetry.log,
      accepted: (samples) => accepted.inc({ transport }, samples),
      lost: (samples) => lost.inc({ transport }, samples),
    });
  }

  /** @returns the port that is listened on. @throws HtmEngineError `listen_failed`: nothing is listened on then */
  async start(): Promise<number> {
    const { port } = this.#options;
    for (let tried = 1; ; tried++) {
      try {
        return await this.#listen();
      } catch (error) {
        await this.stop(); // TCP may be there already when UDP fails
        const otherPortMayDo = port === 0 && this.#options.transport === 'both' && tried < MAX_PORTS_TRIED;
        if (!otherPortMayDo || !hasCode(error, 'listen_failed')) throw error;
      }
    }
  }

  /** Ends: takes nothing more in, waits a bounded time until what was received is accepted, closes. Never rejects. */
  async stop(): Promise<void> {
    const timeoutMs = this.#options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
    await Promise.all([this.#tcp?.stop(timeoutMs), this.#udp?.stop(timeoutMs)]);
  }

  async #listen(): Promise<number> {
    const { transport } = this.#options;
    let { port } = this.#options;
    if (transport !== 'udp') {
      this.#tcp = new TcpListener(this.#options, this.#services('tcp'), this.#tcpCounters);
      port = await this.#tcp.start(port);
    }
    if (transport !== 'tcp') {
      this.#udp = new UdpListener(this.#options, this.#services('udp'), this.#udpCounters);
      port = await this.#udp.start(port);
    }
    return port;
  }
}

function createSampleCounters({ registry }: Telemetry) {
  const counter = (name: string, help: string) => {
    const created = new Counter({
      name: `htmengine_graphite_${name}`,
      help,
      labelNames: ['transport'],
      registers: [registry],
    });
    for (const transport of ['tcp', 'udp']) created.inc({ transport }, 0);
    return created;
  };
  return {
    accepted: counter('accepted_samples_total', 'Samples from Graphite senders that the bus accepted'),
    lost: counter(
      'lost_samples_total',
      'Samples that were received and given up: the engine stopped or failed',
    ),
  };
}
