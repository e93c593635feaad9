import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import { backoffDelayMs, isWorthTelling, type Backoff } from '../backoff.ts';
import type { ResultsExchange } from '../bus/original.ts';
import type { Catalogue } from '../store/catalogue.ts';
import type { Outbox } from '../store/outbox.ts';
import type { Telemetry } from '../telemetry.ts';
import type { ResultHandler } from './delivery.ts';
import { commandMessage, inferenceMessage } from './exchange-messages.ts';
import type { Publisher, Subscription } from './publisher.ts';

export interface ExchangeFeederOptions {
  readonly publisher: Pick<Publisher, 'subscribe'>;
  readonly exchange: ResultsExchange;
  readonly catalogue: Pick<Catalogue, 'getMetric'>;
  readonly outbox: Outbox;
  readonly telemetry: Telemetry;
  /** How often the outbox is looked into. */
  readonly sweepMs: number;
}

/** The durable consumer that stands for everything behind the exchange. */
const CONSUMER = 'exchange';
/** Metrics whose results are on their way at the same time. */
const CONCURRENCY = 16;
const OUTBOX_PAGE = 100;
const RETRY: Backoff = { initialDelayMs: 100, maxDelayMs: 5_000 };

/**
 * Feeds the original's results exchange, at least once and of each metric in order: with results, whose cursor moves
 * when the broker has confirmed them, and with what happened to models, which leaves the outbox then. Results and
 * events have no order among them.
 */
export class ExchangeFeeder {
  readonly #options: ExchangeFeederOptions;
  readonly #log: Logger;
  readonly #events: Counter;
  readonly #stopping = new AbortController();
  #subscription: Subscription | null = null;
  #draining: Promise<void> = Promise.resolve();

  constructor(options: ExchangeFeederOptions) {
    this.#options = options;
    this.#log = options.telemetry.log.child({ stage: 'publishing' });
    this.#events = new Counter({
      registers: [options.telemetry.registry],
      name: 'htmengine_publishing_model_events_total',
      help: 'Events of models (built, deleted, failed) that the exchange has taken',
    });
  }

  /** @throws HtmEngineError `store_unavailable` */
  async start(): Promise<void> {
    await this.#options.outbox.startKeeping();
    this.#subscription = this.#options.publisher.subscribe(CONSUMER, this.#handler, {
      concurrency: CONCURRENCY,
    });
    this.#draining = this.#drain();
  }

  /** Lets what is on its way finish, at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#subscription?.unsubscribe(timeoutMs);
    await this.#draining;
  }

  readonly #handler: ResultHandler = async (results) => {
    const metric = await this.#options.catalogue.getMetric(results[0]?.metricId ?? '');
    // It was unmonitored meanwhile: its results are gone, and nobody is to hear of them.
    if (metric?.parameters == null) return;
    await this.#options.exchange.publish(await inferenceMessage(metric, metric.parameters, results));
  };

  async #drain(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted;) {
      let more = false;
      try {
        more = await this.#publishEvents();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (isWorthTelling(failures)) {
          this.#log.warn(
            { event: 'publishing.outbox_waits', failures, err: error },
            'what happened to models could not be told; trying again',
          );
        }
      }
      const pauseMs = failures > 0 ? backoffDelayMs(failures, RETRY) : this.#options.sweepMs;
      if (!more) await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns whether there may be more. */
  async #publishEvents(): Promise<boolean> {
    const { outbox, exchange } = this.#options;
    const events = await outbox.read(OUTBOX_PAGE);
    for (const event of events) await exchange.publish(await commandMessage(event));
    if (events.length > 0) await outbox.remove(events.map(({ eventId }) => eventId));
    this.#events.inc(events.length);
    return events.length === OUTBOX_PAGE;
  }
}
