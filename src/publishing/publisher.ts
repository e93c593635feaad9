import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { HtmEngineError } from '../errors.ts';
import { FoldTelemetry } from '../fold-runner.ts';
import type { Ownership } from '../ownership/ownership.ts';
import type { Telemetry } from '../telemetry.ts';
import { DurableCursors, LIVE_CONSUMER, LiveCursors, type Cursors, type PublishingLog } from './cursors.ts';
import { Delivery, type ResultHandler } from './delivery.ts';
import type { LogLikelihood } from './results.ts';

export interface PublisherOptions {
  readonly log: PublishingLog;
  readonly bus: Pick<Bus, 'onWake'>;
  readonly telemetry: Telemetry;
  /** Whose results this process delivers to durable consumers; live ones get all. */
  readonly ownership: Ownership;
  readonly logLikelihood: LogLikelihood;
  /** Results in one call of a handler at the most. */
  readonly batchRows: number;
  /** How often the store is asked for results that a lost wake-up left behind. */
  readonly sweepMs: number;
  readonly clock?: Clock;
}

export interface SubscribeOptions {
  /** Calls of the handler at the same time, each for another metric, 1..64. Default 4. */
  readonly concurrency?: number;
}

/** A consumer that is being served. */
export interface Subscription {
  /** Ends it: waits for running calls of the handler, at most `timeoutMs` (default 5 s). No call begins afterwards. */
  unsubscribe(timeoutMs?: number): Promise<void>;
}

const MAX_SUBSCRIPTIONS = 64;
const DEFAULT_CONCURRENCY = 4;
const MAX_CONCURRENCY = 64;
const UNSUBSCRIBE_TIMEOUT_MS = 5_000;
/** A live consumer's sweep asks for every metric, so it comes so much more rarely. */
const LIVE_SWEEP_FACTOR = 12;
const CONSUMER_NAME = /^[A-Za-z0-9_.:-]{1,64}$/;

/**
 * Publication: hands scored rows to consumers, each metric's in order, at least once. A consumer is a fold of its
 * own, so one that is slow or fails holds up nobody else.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #logger: Logger;
  readonly #foldTelemetry: FoldTelemetry;
  readonly #delivered: Counter<'consumer'>;
  readonly #refusals: Counter<'consumer' | 'reason'>;
  readonly #deliveries = new Map<symbol, { consumer: string; delivery: Delivery }>();
  #state: 'new' | 'started' | 'stopped' = 'new';
  #stopListening: () => void = () => undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    const { log, registry } = options.telemetry;
    this.#logger = log.child({ stage: 'publishing' });
    this.#foldTelemetry = new FoldTelemetry(registry, 'publishing');
    this.#delivered = new Counter({
      registers: [registry],
      name: 'htmengine_publishing_results_total',
      help: 'Results that consumers have taken, by consumer',
      labelNames: ['consumer'],
    });
    this.#refusals = new Counter({
      registers: [registry],
      name: 'htmengine_publishing_refused_total',
      help: 'Moves of cursors that the store refused, by consumer and by what had changed',
      labelNames: ['consumer', 'reason'],
    });
  }

  start(): void {
    this.#state = 'started';
    const deliveries = () => [...this.#deliveries.values()].map(({ delivery }) => delivery);
    this.#options.ownership.assign({
      taken: () => {
        for (const delivery of deliveries()) delivery.sweepSoon();
      },
      lost: () => undefined,
      handOver: async () => {
        await Promise.all(deliveries().map((delivery) => delivery.settled()));
      },
    });
    this.#stopListening = this.#options.bus.onWake('scored', (metricIds) => {
      for (const { delivery } of this.#deliveries.values()) delivery.wake(metricIds);
    });
    for (const { delivery } of this.#deliveries.values()) delivery.start();
  }

  /** Lets running calls of handlers finish, at most `timeoutMs`, and ends all subscriptions. */
  async stop(timeoutMs: number): Promise<void> {
    this.#state = 'stopped';
    this.#stopListening();
    const deliveries = [...this.#deliveries.values()];
    this.#deliveries.clear();
    await Promise.all(deliveries.map(({ delivery }) => delivery.stop(timeoutMs)));
  }

  /**
   * Serves a durable consumer: it gets everything after its cursor in the store, a new one everything of the
   * present generations.
   * @param consumer its lasting name: 1-64 letters, digits or `_ . : -`.
   * @throws invalid_argument (name, or one that is subscribed already), overloaded, stopped
   */
  subscribe(consumer: string, handler: ResultHandler, options: SubscribeOptions = {}): Subscription {
    if (!CONSUMER_NAME.test(consumer)) {
      throw new HtmEngineError(
        'invalid_argument',
        `consumer ${JSON.stringify(consumer)}: the name must be 1-64 letters, digits or _ . : -`,
      );
    }
    if ([...this.#deliveries.values()].some((other) => other.consumer === consumer)) {
      throw new HtmEngineError(
        'invalid_argument',
        `consumer ${consumer} is subscribed already: unsubscribe it first or choose another name`,
      );
    }
    const cursors = new DurableCursors(this.#options.log, consumer, this.#options.ownership);
    return this.#serve(consumer, cursors, handler, options, this.#options.sweepMs);
  }

  /**
   * Serves a consumer that wants what is scored from now on and leaves no trace in the store. What is scored after
   * the promise resolves is delivered, in order per metric, at least once while it is subscribed.
   * @throws invalid_argument, overloaded, stopped, store_unavailable
   */
  async subscribeLive(handler: ResultHandler, options: SubscribeOptions = {}): Promise<Subscription> {
    this.#checkCapacity();
    const cursors = new LiveCursors(this.#options.log);
    await cursors.skipToEnd();
    return this.#serve(LIVE_CONSUMER, cursors, handler, options, LIVE_SWEEP_FACTOR * this.#options.sweepMs);
  }

  #serve(
    consumer: string,
    cursors: Cursors,
    handler: ResultHandler,
    { concurrency = DEFAULT_CONCURRENCY }: SubscribeOptions,
    sweepMs: number,
  ): Subscription {
    this.#checkCapacity();
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > MAX_CONCURRENCY) {
      throw new HtmEngineError(
        'invalid_argument',
        `concurrency ${concurrency}: must be a whole number from 1 to ${MAX_CONCURRENCY}`,
      );
    }
    const { log, logLikelihood, batchRows, clock } = this.#options;
    const delivery = new Delivery({
      cursors,
      handler,
      log,
      logLikelihood,
      batchRows,
      concurrency,
      sweepMs,
      logger: this.#logger.child({ consumer }),
      telemetry: this.#foldTelemetry,
      ...(clock && { clock }),
      onDelivered: (results) => this.#delivered.inc({ consumer }, results),
      onRefused: (reason) => this.#refusals.inc({ consumer, reason }),
    });
    const key = Symbol(consumer);
    this.#deliveries.set(key, { consumer, delivery });
    if (this.#state === 'started') delivery.start();
    return {
      unsubscribe: async (timeoutMs = UNSUBSCRIBE_TIMEOUT_MS) => {
        this.#deliveries.delete(key);
        await delivery.stop(timeoutMs);
      },
    };
  }

  #checkCapacity(): void {
    if (this.#state === 'stopped') {
      throw new HtmEngineError('stopped', 'the engine has stopped and serves no consumers');
    }
    if (this.#deliveries.size >= MAX_SUBSCRIPTIONS) {
      throw new HtmEngineError(
        'overloaded',
        `${MAX_SUBSCRIPTIONS} consumers are subscribed, the most there may be: unsubscribe one first`,
      );
    }
  }
}
