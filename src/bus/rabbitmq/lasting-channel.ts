import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from 'rabbitmq-client';
import { backoffDelayMs, isWorthTelling, type Backoff } from '../../backoff.ts';
import type { Broker } from './broker.ts';
import { closeChannel } from './close-channel.ts';

const REOPEN_BACKOFF: Backoff = { initialDelayMs: 50, maxDelayMs: 5_000 };

/**
 * A channel that is wanted as long as the process lives: opened, set up, and when it is lost, with its connection or
 * by an error, opened and set up again.
 */
export class LastingChannel {
  readonly #broker: Broker;
  readonly #purpose: string;
  readonly #setUp: (channel: Channel) => Promise<void>;
  readonly #closing = new AbortController();
  readonly #closed: Promise<null>;
  readonly #running: Promise<void>;
  #channel: Channel | null = null;
  #opened = Promise.withResolvers<Channel>();

  /** @param purpose for the log @param setUp declares what the channel needs; whatever it throws, it is tried again */
  constructor(broker: Broker, purpose: string, setUp: (channel: Channel) => Promise<void>) {
    this.#broker = broker;
    this.#purpose = purpose;
    this.#setUp = setUp;
    this.#opened.promise.catch(() => undefined);
    const { signal } = this.#closing;
    this.#closed = new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
    this.#running = this.#run();
  }

  /** The channel if it is open and set up. */
  get current(): Channel | null {
    return this.#channel?.active === true ? this.#channel : null;
  }

  /** Waits for the channel. @throws once `close` was called */
  async ready(): Promise<Channel> {
    return this.current ?? this.#opened.promise;
  }

  /**
   * Closes the present channel, if there is one; another is opened. What was delivered on it and not acknowledged
   * goes back to its queue, in its order and before anything else.
   */
  async reopen(): Promise<void> {
    if (this.#channel !== null) await closeChannel(this.#channel);
  }

  async close(): Promise<void> {
    if (!this.#isClosing()) {
      this.#closing.abort();
      this.#opened.reject(new Error(`the channel for ${this.#purpose} is closed`));
    }
    if (this.#channel !== null) await closeChannel(this.#channel);
    await this.#running;
  }

  /** Asked through a method: it changes while something is awaited, which the compiler cannot see. */
  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosing();) {
      try {
        await this.#open();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (isWorthTelling(failures) && !this.#isClosing() && this.#broker.ready) {
          this.#broker.log.warn(
            { event: 'broker.channel_failed', purpose: this.#purpose, failures, err: error },
            'a channel could not be set up; trying again',
          );
        }
      }
      await delay(backoffDelayMs(failures + 1, REOPEN_BACKOFF), undefined, {
        signal: this.#closing.signal,
      }).catch(() => undefined);
    }
  }

  /** Opens the channel and waits until it closes. */
  async #open(): Promise<void> {
    const opening = this.#broker.openChannel();
    // While there is no connection it takes long; whoever closes does not wait for it.
    const channel = await Promise.race([opening, this.#closed]);
    if (channel === null) {
      opening.then(closeChannel).catch(() => undefined);
      return;
    }
    const closed = new Promise<void>((resolve) => channel.once('close', resolve));
    this.#channel = channel;
    try {
      await this.#setUp(channel);
      if (this.#isClosing()) throw new Error('closing');
    } catch (error) {
      await closeChannel(channel);
      throw error;
    }
    // A server that takes a consumer away (its queue is deleted, its node goes) leaves the channel open.
    channel.once('basic.cancel', () => void closeChannel(channel));
    this.#opened.resolve(channel);
    await closed;
    this.#opened = Promise.withResolvers<Channel>();
    this.#opened.promise.catch(() => undefined);
    if (this.#isClosing()) this.#opened.reject(new Error(`the channel for ${this.#purpose} is closed`));
  }
}
