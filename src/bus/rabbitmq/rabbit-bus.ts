import { HtmEngineError } from '../../errors.ts';
import type { Sample } from '../../metric.ts';
import type { Bus, Receipt, SampleHandler, WakeTopic } from '../bus.ts';
import { WakeUps } from '../wake-ups.ts';
import type { Broker } from './broker.ts';
import { RemoteWakeUps } from './remote-wake-ups.ts';
import { SampleConsumer } from './sample-consumer.ts';
import { SamplePublisher } from './sample-publisher.ts';

export interface RabbitBusOptions {
  /** As many as the store has: a metric's name decides which of them its samples go through. */
  readonly partitions: number;
  /** Samples that wait for their confirm at the most; beyond that publishers wait. */
  readonly maxSamples: number;
  /** Samples in one call of the consumer, and in one message, at the most. */
  readonly maxBatchSamples: number;
  /** Messages of a partition that a consumer may have unacknowledged. */
  readonly prefetch: number;
}

/** Samples in a message that we publish: what a storer prefetches of all partitions together takes some 100 MB at the most. */
const MAX_MESSAGE_SAMPLES = 2_000;
/** How long closing waits for confirms. */
const CLOSE_TIMEOUT_MS = 8_000;

/**
 * The bus over RabbitMQ. Samples are accepted when the broker has confirmed that it keeps them in the durable queue
 * of their partition. docs/broker.md tells what is where.
 * @throws HtmEngineError `broker_unavailable`, `stopped`
 */
export async function openRabbitBus(broker: Broker, options: RabbitBusOptions): Promise<Bus> {
  await broker.connected();
  const bus = new RabbitBus(broker, options);
  await bus.ready();
  return bus;
}

class RabbitBus implements Bus {
  readonly #broker: Broker;
  readonly #options: RabbitBusOptions;
  readonly #publisher: SamplePublisher;
  readonly #localWakeUps: WakeUps;
  readonly #remoteWakeUps: RemoteWakeUps;
  #consumer: SampleConsumer | null = null;
  #closing: Promise<void> | null = null;

  constructor(broker: Broker, options: RabbitBusOptions) {
    const maxMessageSamples = Math.min(options.maxBatchSamples, MAX_MESSAGE_SAMPLES);
    this.#broker = broker;
    this.#options = options;
    this.#publisher = new SamplePublisher(broker, { ...options, maxMessageSamples });
    this.#localWakeUps = new WakeUps(broker.log, broker.instruments.droppedWakeUps);
    this.#remoteWakeUps = new RemoteWakeUps(broker, this.#localWakeUps);
  }

  ready(): Promise<void> {
    return this.#publisher.ready();
  }

  async publishSamples(samples: readonly Sample[]): Promise<Receipt> {
    await this.#publisher.publish(samples);
    return { refused: samples.length === 0 ? [] : null };
  }

  consumeSamples(handler: SampleHandler): Promise<void> {
    if (this.#consumer !== null) throw new Error('the bus has its consumer of samples already');
    if (this.#closing !== null) throw new HtmEngineError('stopped', 'the bus is closed');
    this.#consumer = new SampleConsumer(this.#broker, this.#options, handler);
    return Promise.resolve();
  }

  wake(topic: WakeTopic, metricIds: readonly string[]): void {
    if (this.#closing !== null || metricIds.length === 0) return;
    this.#localWakeUps.wake(topic, metricIds);
    this.#remoteWakeUps.wake(topic, metricIds);
  }

  onWake(topic: WakeTopic, handler: (metricIds: readonly string[]) => void): () => void {
    return this.#localWakeUps.subscribe(topic, handler);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#publisher.close(CLOSE_TIMEOUT_MS);
    await this.#consumer?.close();
    this.#localWakeUps.close();
    await this.#remoteWakeUps.close();
  }
}
