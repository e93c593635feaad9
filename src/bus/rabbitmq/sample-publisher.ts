import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffDelayMs, isWorthTelling, type Backoff } from '../../backoff.ts';
import { HtmEngineError } from '../../errors.ts';
import type { Sample } from '../../metric.ts';
import { partitionOf } from '../../partition.ts';
import { Door } from '../door.ts';
import type { Broker } from './broker.ts';
import { confirmPublishes, publishConfirmed } from './confirmed.ts';
import { LastingChannel } from './lasting-channel.ts';
import { encodeSamples, MAX_MESSAGE_SAMPLES, SAMPLES_CONTENT_TYPE } from './sample-message.ts';
import { declareSampleQueues } from './topology.ts';

export interface SamplePublisherOptions {
  readonly partitions: number;
  /** Samples that wait for their confirm at the most; beyond that publishers wait. */
  readonly maxSamples: number;
  /** Samples in one message at the most. */
  readonly maxMessageSamples: number;
}

const REPEAT_BACKOFF: Backoff = { initialDelayMs: 50, maxDelayMs: 5_000 };
/** Says that the message may be in the queue already. */
export const REPEATED_HEADER = 'repeated';

interface Publication {
  readonly samples: readonly Sample[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Parts whose confirm has not come. */
  unconfirmed: number;
}

/** What one publication has for one partition; `sent` of its samples are confirmed. */
interface Part {
  readonly publication: Publication;
  readonly samples: Sample[];
  sent: number;
}

/** What waits for one partition, oldest first, and whether it is being sent. */
interface Lane {
  readonly partition: number;
  readonly parts: Part[];
  sending: boolean;
}

/**
 * The publishing end: samples go into the durable queue of their partition. Each partition has at most one message
 * on its way, which is published again until the broker has confirmed it and before anything later, so that what a
 * publisher sends of a metric cannot change its order. What comes meanwhile goes into the next message together.
 */
export class SamplePublisher {
  readonly #broker: Broker;
  readonly #options: SamplePublisherOptions;
  readonly #channel: LastingChannel;
  readonly #door: Door<Publication>;
  readonly #lanes: readonly Lane[];
  readonly #inside = new Set<Publication>();
  readonly #givenUp = new AbortController();
  #closed = false;
  #emptied: () => void = () => undefined;

  constructor(broker: Broker, options: SamplePublisherOptions) {
    this.#broker = broker;
    this.#options = options;
    this.#door = new Door(options.maxSamples, (publication) => this.#enter(publication));
    this.#lanes = Array.from({ length: options.partitions }, (_, partition) => ({
      partition,
      parts: [],
      sending: false,
    }));
    this.#channel = new LastingChannel(broker, 'publishing samples', async (channel) => {
      await declareSampleQueues(channel, broker.names, options.partitions);
      await confirmPublishes(channel);
    });
    const { readings } = broker.instruments;
    readings.queuedSamples = () => this.#door.samplesInside;
    readings.waitingPublishers = () => this.#door.waitingPublishers;
  }

  /** Waits until the queues are there. */
  async ready(): Promise<void> {
    await this.#channel.ready();
  }

  /** Resolves when the broker keeps all of them. @throws HtmEngineError `overloaded`, `stopped` */
  async publish(samples: readonly Sample[]): Promise<void> {
    if (this.#closed) throw stopped();
    this.#door.checkRoom();
    if (samples.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#door.arrive({ samples, resolve, reject, unconfirmed: 0 });
    });
  }

  /** Takes nothing more; waits for what is on its way, at most `timeoutMs`, and tells publishers of the rest. */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    if (this.#inside.size > 0) {
      const emptied = new Promise<void>((resolve) => (this.#emptied = resolve));
      await Promise.race([
        emptied,
        delay(timeoutMs, undefined, { signal: this.#givenUp.signal, ref: false }),
      ]);
    }
    this.#givenUp.abort();
    for (const { reject } of [...this.#inside, ...this.#door.turnAway()]) reject(stopped());
    await this.#channel.close();
  }

  /** Asked through a method: it changes while something is awaited, which the compiler cannot see. */
  #isGivenUp(): boolean {
    return this.#givenUp.signal.aborted;
  }

  #enter(publication: Publication): void {
    this.#inside.add(publication);
    const byPartition = new Map<number, Sample[]>();
    for (const sample of publication.samples) {
      const partition = partitionOf(sample.name, this.#options.partitions);
      const samples = byPartition.get(partition);
      if (samples === undefined) byPartition.set(partition, [sample]);
      else samples.push(sample);
    }
    publication.unconfirmed = byPartition.size;
    for (const [partition, samples] of byPartition) {
      const lane = this.#lanes[partition];
      if (lane === undefined) throw new RangeError(`there is no partition ${partition}`);
      lane.parts.push({ publication, samples, sent: 0 });
      if (!lane.sending) void this.#send(lane);
    }
  }

  /** Sends what waits in a lane, message by message. Never rejects. */
  async #send(lane: Lane): Promise<void> {
    lane.sending = true;
    // What else comes in this turn of the event loop goes into the same message.
    await new Promise((resolve) => setImmediate(resolve));
    while (lane.parts.length > 0 && !this.#isGivenUp()) {
      const samples = this.#nextMessage(lane);
      await this.#publishUntilConfirmed(lane.partition, encodeSamples(samples), samples.length);
      if (!this.#isGivenUp()) this.#confirm(lane, samples.length);
    }
    lane.sending = false;
  }

  #nextMessage({ parts }: Lane): Sample[] {
    const limit = Math.min(this.#options.maxMessageSamples, MAX_MESSAGE_SAMPLES);
    const samples: Sample[] = [];
    for (const part of parts) {
      const room = limit - samples.length;
      if (room === 0) break;
      for (const sample of part.samples.slice(part.sent, part.sent + room)) samples.push(sample);
    }
    return samples;
  }

  /** Returns without a confirm only when given up. */
  async #publishUntilConfirmed(partition: number, body: Buffer, samples: number): Promise<void> {
    const { instruments, names, log } = this.#broker;
    const envelope = {
      routingKey: names.samples(partition),
      contentType: SAMPLES_CONTENT_TYPE,
      messageId: randomUUID(),
    };
    instruments.unconfirmed.inc();
    for (let failures = 0; !this.#isGivenUp();) {
      try {
        const channel = await this.#channel.ready();
        instruments.count('publish');
        await publishConfirmed(channel, { ...envelope, headers: { [REPEATED_HEADER]: failures > 0 } }, body);
        instruments.count('confirm');
        instruments.countSamples('published', samples);
        break;
      } catch (error) {
        failures += 1;
        if (this.#isGivenUp()) break;
        instruments.repeatedPublishes.inc();
        if (isWorthTelling(failures)) {
          log.warn(
            { event: 'broker.publish_repeated', partition, samples, failures, err: error },
            'the broker did not confirm samples; publishing them again, and nothing later before',
          );
        }
        await delay(backoffDelayMs(failures, REPEAT_BACKOFF), undefined, {
          signal: this.#givenUp.signal,
        }).catch(() => undefined);
      }
    }
    instruments.unconfirmed.dec();
  }

  /** The first so many samples of a lane are kept. */
  #confirm({ parts }: Lane, samples: number): void {
    for (let left = samples; left > 0;) {
      const [part] = parts;
      if (part === undefined) throw new Error('more samples were confirmed than were sent');
      const taken = Math.min(left, part.samples.length - part.sent);
      part.sent += taken;
      left -= taken;
      if (part.sent < part.samples.length) return;
      parts.shift();
      this.#partConfirmed(part.publication);
    }
  }

  #partConfirmed(publication: Publication): void {
    publication.unconfirmed -= 1;
    if (publication.unconfirmed > 0) return;
    this.#inside.delete(publication);
    publication.resolve();
    this.#door.leave(publication);
    if (this.#inside.size === 0) this.#emptied();
  }
}

function stopped(): HtmEngineError {
  return new HtmEngineError('stopped', 'the engine is stopping: samples are not taken any more');
}
