import { setTimeout as delay } from 'node:timers/promises';
import type { AsyncMessage, Channel } from 'rabbitmq-client';
import { backoffDelayMs, isWorthTelling, type Backoff } from '../../backoff.ts';
import type { CustomDataHandler, CustomDataQueue } from '../original.ts';
import type { Broker } from './broker.ts';
import { confirmPublishes } from './confirmed.ts';
import { bury } from './dead-letters.ts';
import { LastingChannel } from './lasting-channel.ts';
import { asBuffer } from './partition-reader.ts';
import { customDataQueue, deadQueue } from './topology.ts';

/** Messages that the broker may have sent ahead, and so the most that one call of the handler gets. */
const PREFETCH = 50;
/** How often a process that stands by asks whether it may consume. */
const STAND_BY_MS = 2_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** Beyond that it cannot be declared, which the log tells; the engine starts without it and goes on trying. */
const DECLARE_TIMEOUT_MS = 10_000;
const RETRY: Backoff = { initialDelayMs: 100, maxDelayMs: 5_000 };

interface Waiting {
  readonly channel: Channel;
  readonly message: AsyncMessage;
}

/**
 * The original's queue of samples. It is consumed exclusively: the broker refuses a second consumer, which asks again
 * now and then, so that what producers sent in order is read in order.
 */
export class RabbitCustomDataQueue implements CustomDataQueue {
  readonly #broker: Broker;
  readonly #stopping = new AbortController();
  #channel: LastingChannel | null = null;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  async consume(handler: CustomDataHandler): Promise<void> {
    const declared = Promise.withResolvers<null>();
    if (this.#channel !== null) throw new Error('the queue has its consumer already');
    this.#channel = new LastingChannel(this.#broker, 'samples of the original', async (channel) => {
      this.#waiting = [];
      await channel.queueDeclare(deadQueue(this.#broker.names));
      await confirmPublishes(channel);
      const { queue } = await channel.queueDeclare(customDataQueue(this.#broker.names));
      declared.resolve(null);
      await channel.basicQos({ prefetchCount: PREFETCH });
      await this.#standBy(channel, queue);
      await channel.basicConsume({ queue, exclusive: true }, (message) => {
        this.#waiting.push({ channel, message });
        this.#running ??= this.#handleAll(handler).finally(() => (this.#running = null));
      });
    });
    await Promise.race([declared.promise, delay(DECLARE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    // It may wait for a broker that is gone; what it did not finish comes again.
    if (this.#running !== null)
      await Promise.race([this.#running, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    await this.#channel?.close();
  }

  /** Asked through a method: it changes while something is awaited, which the compiler cannot see. */
  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Waits while another process consumes the queue. */
  async #standBy(channel: Channel, queue: string): Promise<void> {
    while (!this.#isStopping() && channel.active) {
      const { consumerCount } = await channel.queueDeclare({ queue, passive: true });
      if (consumerCount === 0) return;
      await delay(STAND_BY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  async #handleAll(handler: CustomDataHandler): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (let failures = 0; this.#waiting.length > 0 && !this.#isStopping();) {
      const batch = this.#waiting.slice();
      try {
        await this.#handle(batch, handler);
        failures = 0;
      } catch (error) {
        failures += 1;
        if (isWorthTelling(failures) && !this.#isStopping()) {
          this.#broker.log.warn(
            { event: 'broker.custom_data_waits', failures, err: error },
            "samples out of the original's queue could not be passed on; trying again",
          );
        }
        await delay(backoffDelayMs(failures, RETRY), undefined, { signal: this.#stopping.signal }).catch(
          () => undefined,
        );
      }
      // What was delivered on a channel that is lost is delivered again on another.
      this.#waiting = this.#waiting.filter(({ channel }) => channel.active);
    }
  }

  async #handle(batch: readonly Waiting[], handler: CustomDataHandler): Promise<void> {
    const { instruments } = this.#broker;
    const outcomes = await handler(
      batch.map(({ message }) => ({ body: asBuffer(message.body), redelivered: message.redelivered })),
    );
    for (const [i, { channel, message }] of batch.entries()) {
      if (!channel.active) return;
      const reason = outcomes[i] ?? null;
      if (reason !== null) await this.#bury(channel, message, reason);
      channel.basicAck({ deliveryTag: message.deliveryTag });
      instruments.count('ack');
      this.#waiting.shift();
    }
  }

  async #bury(channel: Channel, message: AsyncMessage, reason: string): Promise<void> {
    const { names, instruments, log } = this.#broker;
    const body = asBuffer(message.body);
    const { contentType } = message;
    await bury(channel, names, { queue: names.customData, reason, body, contentType });
    instruments.count('dead_letter');
    log.error(
      { event: 'broker.dead_letter', queue: names.customData, bytes: body.length, reason },
      'a message with samples cannot be read; htmengine dead-letters shows it',
    );
  }
}
