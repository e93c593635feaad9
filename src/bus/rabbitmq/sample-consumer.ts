import { isWorthTelling } from '../../backoff.ts';
import type { SampleDelivery, SampleHandler } from '../bus.ts';
import type { Broker } from './broker.ts';
import { confirmPublishes } from './confirmed.ts';
import { bury } from './dead-letters.ts';
import { LastingChannel } from './lasting-channel.ts';
import { PartitionReader, type Message } from './partition-reader.ts';
import { UndecodableMessage } from './sample-message.ts';
import { Sharing } from './sharing.ts';
import { deadQueue } from './topology.ts';

export interface SampleConsumerOptions {
  readonly partitions: number;
  /** Messages of a partition that the broker may have sent ahead. */
  readonly prefetch: number;
  /** Samples in one call of the handler at the most; a message that has more is handed over alone. */
  readonly maxBatchSamples: number;
}

/** Between two looks at whether a partition should be another's: handing over takes a moment to have its effect. */
const HAND_OVER_PAUSE_MS = 2_000;

/** The next messages of one partition that are handed over together. */
interface Share {
  readonly reader: PartitionReader;
  readonly messages: Message[];
}

/**
 * The consuming end of samples: stands in line for every partition and hands the samples of those it has to the
 * handler, one call at a time, several partitions together. A message is acknowledged after the handler's promise.
 * One that fails stays the next of its partition and is tried again, alone, until it is stored.
 */
export class SampleConsumer {
  readonly #broker: Broker;
  readonly #options: SampleConsumerOptions;
  readonly #handler: SampleHandler;
  readonly #readers: readonly PartitionReader[];
  readonly #sharing: Sharing;
  /** For dead letters. */
  readonly #channel: LastingChannel;
  readonly #running: Promise<void>;
  /** The partition that is looked at first, so that none waits for the others for ever. */
  #first = 0;
  #mayHandOverMs = performance.now() + HAND_OVER_PAUSE_MS;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(broker: Broker, options: SampleConsumerOptions, handler: SampleHandler) {
    this.#broker = broker;
    this.#options = options;
    this.#handler = handler;
    this.#sharing = new Sharing(broker);
    this.#channel = new LastingChannel(broker, 'dead letters', async (channel) => {
      await channel.queueDeclare(deadQueue(broker.names));
      await confirmPublishes(channel);
    });
    this.#readers = Array.from(
      { length: options.partitions },
      (_, partition) => new PartitionReader(broker, partition, options.prefetch, () => this.#wake()),
    );
    this.#running = this.#run();
  }

  /** Finishes the call of the handler that is under way. What was not handled goes back to its queue. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#running;
    await Promise.all(this.#readers.map((reader) => reader.close()));
    await Promise.all([this.#sharing.close(), this.#channel.close()]);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await this.#handOver();
      const unreadable = this.#nextUnreadable();
      const shares = this.#nextBatch();
      if (unreadable !== undefined) await this.#bury(unreadable.reader, unreadable.message);
      else if (shares.length > 0) await this.#handle(shares);
      else await woken;
    }
  }

  /** A partition that has messages for us although it is another's goes to that one. */
  async #handOver(): Promise<void> {
    if (performance.now() < this.#mayHandOverMs) return;
    const others = this.#readers.filter(
      (reader) => reader.waiting.length > 0 && this.#sharing.belongsToAnother(reader.partition),
    );
    if (others.length === 0) return;
    this.#mayHandOverMs = performance.now() + HAND_OVER_PAUSE_MS;
    this.#broker.instruments.handedOver.inc(others.length);
    this.#broker.log.info(
      { event: 'broker.partitions_handed_over', partitions: others.map(({ partition }) => partition) },
      'another process consumes these partitions from now on',
    );
    await Promise.all(others.map((reader) => reader.handOver()));
  }

  #nextUnreadable(): { reader: PartitionReader; message: Message } | undefined {
    for (const reader of this.#readers) {
      const [message] = reader.waiting;
      if (message?.content instanceof UndecodableMessage) return { reader, message };
    }
    return undefined;
  }

  /** What fits into one call of the handler: of every partition that has something, or of one that failed before. */
  #nextBatch(): Share[] {
    const { length } = this.#readers;
    this.#first = (this.#first + 1) % length;
    const shares: Share[] = [];
    let room = this.#options.maxBatchSamples;
    for (let i = 0; i < length; i++) {
      const reader = this.#readers[(this.#first + i) % length];
      if (reader === undefined) break;
      if (reader.isTriedAlone && shares.length > 0) continue;
      const messages = this.#take(reader, room, shares.length === 0);
      if (messages.length === 0) continue;
      shares.push({ reader, messages });
      if (reader.isTriedAlone) break;
      room -= samplesIn(messages);
    }
    return shares;
  }

  /** The oldest messages of a partition that can be read and fit; the first in any case if `always`. */
  #take(reader: PartitionReader, room: number, always: boolean): Message[] {
    const messages: Message[] = [];
    let left = room;
    for (const message of reader.waiting) {
      if (message.content instanceof UndecodableMessage) break;
      left -= message.content.samples.length;
      if (left < 0 && !(always && messages.length === 0)) break;
      messages.push(message);
    }
    return messages;
  }

  async #handle(shares: readonly Share[]): Promise<void> {
    try {
      await this.#handler(shares.flatMap(({ messages }) => messages.map(deliveryOf)));
      for (const { reader, messages } of shares) reader.acknowledge(messages);
    } catch (error) {
      for (const { reader } of shares) this.#tellFailure(reader, error);
    }
  }

  async #bury(reader: PartitionReader, message: Message): Promise<void> {
    const { names, instruments, log } = this.#broker;
    const reason = message.content instanceof UndecodableMessage ? message.content.message : '';
    const { body, contentType } = message;
    try {
      const channel = this.#channel.current;
      if (channel === null) throw new Error('there is no channel for dead letters');
      await bury(channel, names, { queue: names.samples(reader.partition), reason, body, contentType });
      instruments.count('dead_letter');
      log.error(
        { event: 'broker.dead_letter', partition: reader.partition, bytes: body.length, reason },
        'a message with samples cannot be read; htmengine dead-letters shows it',
      );
      reader.acknowledge([message]);
    } catch (error) {
      this.#tellFailure(reader, error);
    }
  }

  #tellFailure(reader: PartitionReader, error: unknown): void {
    const failures = reader.delay();
    if (!isWorthTelling(failures) || this.#closed) return;
    this.#broker.log.warn(
      { event: 'broker.partition_waits', partition: reader.partition, failures, err: error },
      'samples of a partition could not be stored; trying again, and nothing later before',
    );
  }
}

function samplesIn(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + deliveryOf(message).samples.length, 0);
}

function deliveryOf({ content }: Message): SampleDelivery {
  if (content instanceof UndecodableMessage) throw content;
  return content;
}
