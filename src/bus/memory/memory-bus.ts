import { Counter, Gauge } from 'prom-client';
import { HtmEngineError } from '../../errors.ts';
import type { Sample } from '../../metric.ts';
import type { Telemetry } from '../../telemetry.ts';
import type { Bus, Receipt, SampleHandler, SampleRefusal, WakeTopic } from '../bus.ts';
import { Door } from '../door.ts';
import { WakeUps } from '../wake-ups.ts';

export interface MemoryBusOptions {
  /** Samples that wait for the consumer at the most; beyond that publishers wait. A larger publication is taken alone. */
  readonly maxSamples: number;
  /** Samples that are handed to the consumer together at the most. */
  readonly maxBatchSamples: number;
}

/** Samples of one publisher and what became of the first `handled` of them. */
interface Publication {
  readonly samples: readonly Sample[];
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
  readonly refused: SampleRefusal[];
  handled: number;
}

/**
 * The bus inside one process. Samples are accepted once the consumer has handled them. A publication of at most
 * `maxBatchSamples` is handled in one call and so kept whole or not at all; a larger one in several, and if one of
 * them fails the rest is not tried, the publisher is told, and finds what was kept refused as duplicate or older
 * when it publishes again.
 */
export function createMemoryBus(options: MemoryBusOptions, telemetry: Telemetry): Bus {
  return new MemoryBus(options, telemetry);
}

class MemoryBus implements Bus {
  readonly #options: MemoryBusOptions;
  readonly #wakeUps: WakeUps;
  /** Where publications wait for room in the queue. */
  readonly #door: Door<Publication>;
  /** Publications that wait for the consumer or are with it, oldest first. */
  readonly #queue: Publication[] = [];
  #handler: SampleHandler | null = null;
  /** Settles when everything published is handled; null while there is nothing to do. */
  #consuming: Promise<void> | null = null;
  #closed = false;

  constructor(options: MemoryBusOptions, telemetry: Telemetry) {
    this.#options = options;
    this.#door = new Door(options.maxSamples, (publication) => this.#queue.push(publication));
    const registers = [telemetry.registry];
    const droppedWakeUps = new Counter({
      name: 'htmengine_bus_dropped_wakeups_total',
      help: 'Wake-ups that were left to the sweeps because too many waited',
      registers,
    });
    this.#wakeUps = new WakeUps(telemetry.log, droppedWakeUps);
    const queuedSamples = () => this.#door.samplesInside;
    const waitingPublishers = () => this.#door.waitingPublishers;
    new Gauge({
      name: 'htmengine_bus_queued_samples',
      help: 'Samples that wait in memory for the storer',
      registers,
      collect() {
        this.set(queuedSamples());
      },
    });
    new Gauge({
      name: 'htmengine_bus_waiting_publishers',
      help: 'Publishers that wait for room in the queue',
      registers,
      collect() {
        this.set(waitingPublishers());
      },
    });
  }

  async publishSamples(samples: readonly Sample[]): Promise<Receipt> {
    if (this.#closed)
      throw new HtmEngineError('stopped', 'the engine is stopping: samples are not taken any more');
    this.#door.checkRoom();
    if (samples.length === 0) return { refused: [] };
    return new Promise((resolve, reject) => {
      this.#door.arrive({ samples, resolve, reject, refused: [], handled: 0 });
      this.#start();
    });
  }

  consumeSamples(handler: SampleHandler): Promise<void> {
    if (this.#handler !== null) throw new Error('the bus has its consumer of samples already');
    this.#handler = handler;
    this.#start();
    return Promise.resolve();
  }

  wake(topic: WakeTopic, metricIds: readonly string[]): void {
    if (!this.#closed) this.#wakeUps.wake(topic, metricIds);
  }

  onWake(topic: WakeTopic, handler: (metricIds: readonly string[]) => void): () => void {
    return this.#wakeUps.subscribe(topic, handler);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#handler === null) {
      const stopped = new HtmEngineError('stopped', 'the engine stopped before it had a storer');
      for (const { reject } of [...this.#queue.splice(0), ...this.#door.turnAway()]) reject(stopped);
    }
    while (this.#consuming !== null) await this.#consuming;
    this.#wakeUps.close();
  }

  #start(): void {
    const handler = this.#handler;
    if (handler === null || this.#consuming !== null || this.#queue.length === 0) return;
    this.#consuming = this.#consume(handler).finally(() => {
      this.#consuming = null;
      // Something may have been published after the last look at the queue.
      this.#start();
    });
  }

  async #consume(handler: SampleHandler): Promise<void> {
    // What other sockets bring in this turn of the event loop goes into the same batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#handle(this.#nextBatch(), handler);
  }

  /** The oldest publications that fit into one batch together, or the next part of one that is larger. */
  #nextBatch(): Publication[] {
    let samples = 0;
    let count = 0;
    for (const publication of this.#queue) {
      samples += publication.samples.length - publication.handled;
      if (count > 0 && samples > this.#options.maxBatchSamples) break;
      count++;
    }
    return this.#queue.slice(0, count);
  }

  /** Hands a batch, the head of the queue, to the consumer and tells the publishers what became of it. */
  async #handle(batch: readonly Publication[], handler: SampleHandler): Promise<void> {
    const deliveries = batch.map(({ samples, handled }) => ({
      samples: samples.slice(handled, handled + this.#options.maxBatchSamples),
      redelivered: false,
    }));
    try {
      const outcomes = await handler(deliveries);
      if (outcomes.length !== batch.length)
        throw new Error('the consumer owes one list of refusals per delivery');
      batch.forEach((publication, i) => {
        for (const { index, reason } of outcomes[i] ?? []) {
          publication.refused.push({ index: publication.handled + index, reason });
        }
        publication.handled += deliveries[i]?.samples.length ?? 0;
        if (publication.handled < publication.samples.length) return;
        this.#remove(publication);
        publication.resolve({ refused: publication.refused });
      });
    } catch (error) {
      for (const publication of batch) {
        this.#remove(publication);
        publication.reject(error);
      }
    }
  }

  /** Takes the oldest publication out of the queue. */
  #remove(publication: Publication): void {
    if (this.#queue.shift() !== publication) throw new Error('publications leave the queue in their order');
    this.#door.leave(publication);
  }
}
