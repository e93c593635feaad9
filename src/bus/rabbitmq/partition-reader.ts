import type { AsyncMessage, Channel } from 'rabbitmq-client';
import { backoffDelayMs, type Backoff } from '../../backoff.ts';
import type { SampleDelivery } from '../bus.ts';
import type { Broker } from './broker.ts';
import { LastingChannel } from './lasting-channel.ts';
import { decodeSamples, UndecodableMessage } from './sample-message.ts';
import { REPEATED_HEADER } from './sample-publisher.ts';
import { partitionQueue } from './topology.ts';

const RETRY: Backoff = { initialDelayMs: 100, maxDelayMs: 5_000 };

/** A message of a partition's queue that is not acknowledged yet. */
export interface Message {
  readonly channel: Channel;
  readonly deliveryTag: number;
  readonly body: Buffer;
  readonly contentType: string | undefined;
  /** What it says, or why it cannot be read. */
  readonly content: SampleDelivery | UndecodableMessage;
}

/**
 * The consuming end of one partition: messages wait here, in their order and no more than the prefetch, until they
 * are stored. When the channel is lost what waits is forgotten: it belongs to whoever the broker gives it to next.
 */
export class PartitionReader {
  readonly partition: number;
  readonly #broker: Broker;
  readonly #channel: LastingChannel;
  readonly #arrived: () => void;
  #messages: Message[] = [];
  #failures = 0;
  #notBeforeMs = 0;
  #retryTimer: NodeJS.Timeout | undefined;

  /** @param arrived told that there is something to do */
  constructor(broker: Broker, partition: number, prefetch: number, arrived: () => void) {
    this.partition = partition;
    this.#arrived = arrived;
    this.#broker = broker;
    this.#channel = new LastingChannel(broker, `samples of partition ${partition}`, async (channel) => {
      this.#messages = [];
      const { queue } = await channel.queueDeclare(partitionQueue(broker.names, partition));
      await channel.basicQos({ prefetchCount: prefetch });
      await channel.basicConsume({ queue }, (message) => this.#receive(channel, message));
    });
  }

  /** What waits, oldest first; nothing while it waits to be tried again. */
  get waiting(): readonly Message[] {
    const [first] = this.#messages;
    if (first !== undefined && !first.channel.active) this.#messages = [];
    return performance.now() < this.#notBeforeMs ? [] : this.#messages;
  }

  /** What comes next failed before: it is tried alone, so that it holds up no other partition. */
  get isTriedAlone(): boolean {
    return this.#failures > 0;
  }

  /** These, the oldest that waited, are dealt with. */
  acknowledge(messages: readonly Message[]): void {
    this.#failures = 0;
    const last = messages.at(-1);
    if (last === undefined || !last.channel.active) return;
    this.#messages = this.#messages.filter(
      ({ channel, deliveryTag }) => channel !== last.channel || deliveryTag > last.deliveryTag,
    );
    last.channel.basicAck({ deliveryTag: last.deliveryTag, multiple: true });
    this.#broker.instruments.count('ack');
  }

  /** What comes next could not be dealt with and stays the next, after a while. @returns failures in a row */
  delay(): number {
    this.#failures += 1;
    const delayMs = backoffDelayMs(this.#failures, RETRY);
    this.#notBeforeMs = performance.now() + delayMs;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(this.#arrived, delayMs + 1);
    return this.#failures;
  }

  /** Lets another consumer have the partition and stands behind it; what waits goes back to the queue. */
  async handOver(): Promise<void> {
    this.#messages = [];
    await this.#channel.reopen();
  }

  async close(): Promise<void> {
    clearTimeout(this.#retryTimer);
    await this.#channel.close();
  }

  #receive(channel: Channel, message: AsyncMessage): void {
    if (!channel.active) return;
    const { instruments } = this.#broker;
    const body = asBuffer(message.body);
    const content = read(body, message);
    instruments.count('deliver');
    if (message.redelivered) instruments.count('redeliver');
    if (!(content instanceof UndecodableMessage))
      instruments.countSamples('delivered', content.samples.length);
    this.#messages.push({
      channel,
      deliveryTag: message.deliveryTag,
      body,
      contentType: message.contentType,
      content,
    });
    this.#arrived();
  }
}

function read(body: Buffer, { contentType, redelivered, headers }: AsyncMessage): Message['content'] {
  try {
    const repeated = (headers as Record<string, unknown> | undefined)?.[REPEATED_HEADER] === true;
    return { samples: decodeSamples(body, contentType), redelivered: redelivered || repeated };
  } catch (error) {
    if (error instanceof UndecodableMessage) return error;
    throw error;
  }
}

/** The driver turns bodies of some content types into something else. */
export function asBuffer(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
