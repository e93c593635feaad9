import { setTimeout as delay } from 'node:timers/promises';
import { Connection, type Channel } from 'rabbitmq-client';
import type { Logger } from 'pino';
import { HtmEngineError } from '../../errors.ts';
import type { Telemetry } from '../../telemetry.ts';
import { BrokerInstruments } from './instruments.ts';
import { brokerNames, type BrokerNames } from './topology.ts';
import { addressOptions, describeBroker, type BrokerAddress } from './url.ts';

export interface BrokerOptions {
  readonly address: BrokerAddress;
  /** The prefix of the names of everything on the broker. */
  readonly application: string;
  /** Seconds, >= 1: a side that hears nothing of the other for two or three times as long takes it for gone. */
  readonly heartbeatSeconds: number;
}

const CONNECTION_TIMEOUT_MS = 5_000;
const RECONNECT_LOW_MS = 100;
const RECONNECT_HIGH_MS = 2_000;
/** How long a start waits for the broker. */
const START_TIMEOUT_MS = 15_000;
const FRAME_BYTES = 131_072;
/** Codes of what only somebody can mend: a certificate, a password. At the start nobody waits for that. */
const HOPELESS = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ACCESS_REFUSED$)/;

/**
 * One connection to the broker, which comes back by itself with back-off. It lives on the main thread, which never
 * computes for long (models run in worker threads), so that heartbeats are answered in time.
 */
export class Broker {
  readonly names: BrokerNames;
  readonly instruments: BrokerInstruments;
  readonly log: Logger;
  readonly #connection: Connection;
  readonly #where: string;
  #lastError: unknown = null;
  #closing: Promise<void> | null = null;
  /** Rejects with the first error that does not pass by itself. */
  readonly #hopeless = Promise.withResolvers<never>();

  constructor({ address, application, heartbeatSeconds }: BrokerOptions, { log, registry }: Telemetry) {
    this.names = brokerNames(application);
    this.instruments = new BrokerInstruments(registry);
    this.#where = describeBroker(address);
    this.log = log.child({ broker: this.#where });
    this.#connection = new Connection({
      ...addressOptions(address),
      connectionName: `htmengine ${application} ${process.pid}`,
      heartbeat: heartbeatSeconds,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      acquireTimeout: CONNECTION_TIMEOUT_MS,
      retryLow: RECONNECT_LOW_MS,
      retryHigh: RECONNECT_HIGH_MS,
      frameMax: FRAME_BYTES,
    });
    this.#hopeless.promise.catch(() => undefined);
    const connection = this.#connection;
    this.instruments.readings.connected = () => (connection.ready ? 1 : 0);
    connection.on('connection', () => {
      this.instruments.reconnects.inc();
      this.log.info({ event: 'broker.connected' }, 'connected to the broker');
    });
    connection.on('error', (error: unknown) => {
      this.#lastError = error;
      if (isHopeless(error)) this.#hopeless.reject(error);
      this.log.warn({ event: 'broker.failed', err: error }, 'the broker is not to be had; trying again');
    });
    connection.on('connection.blocked', (reason: string) => {
      this.log.warn(
        { event: 'broker.blocked', reason },
        'the broker is short of memory or disk and takes nothing; publishers wait',
      );
    });
  }

  /** Whether there is a connection and the broker takes messages. */
  get ready(): boolean {
    return this.#connection.ready;
  }

  /** Waits for the first connection. @throws HtmEngineError `broker_unavailable` */
  async connected(): Promise<void> {
    const connecting = this.#connection.onConnect(START_TIMEOUT_MS, true);
    connecting.catch(() => undefined);
    try {
      await Promise.race([connecting, this.#hopeless.promise]);
    } catch {
      const reason = this.#lastError instanceof Error ? this.#lastError.message : 'it does not answer';
      throw new HtmEngineError(
        'broker_unavailable',
        `cannot connect to the broker ${this.#where}: ${reason}; start it, or correct bus.url and bus.passwordFile`,
      );
    }
  }

  /** A new channel. @throws while there is no connection */
  openChannel(): Promise<Channel> {
    return this.#connection.acquire();
  }

  /** Waits for channels that are being closed, at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  /** The driver's own promise may never settle where the connection is lost meanwhile. */
  async #close(timeoutMs: number): Promise<void> {
    const timeUp = new AbortController();
    const late = delay(timeoutMs, undefined, { signal: timeUp.signal }).catch(() => undefined);
    await Promise.race([this.#connection.close(), late]);
    timeUp.abort();
    this.#connection.unsafeDestroy();
  }
}

function isHopeless(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && HOPELESS.test(error.code)
  );
}
