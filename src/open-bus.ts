import type { Bus } from './bus/bus.ts';
import type { DeadLetters } from './bus/dead-letters.ts';
import { createMemoryBus } from './bus/memory/memory-bus.ts';
import type { PartitionQueues } from './bus/partition-queues.ts';
import type { CustomDataQueue, ResultsExchange } from './bus/original.ts';
import { HtmEngineError } from './errors.ts';
import { passwordFrom } from './password-file.ts';
import type { Telemetry } from './telemetry.ts';

export interface BusSettings {
  /** Of a broker, or `memory`. */
  readonly url: string;
  /** Empty for none. */
  readonly passwordFile: string;
  readonly application: string;
  readonly heartbeatSeconds: number;
  readonly prefetchMessages: number;
  readonly maxSamples: number;
  readonly maxBatchSamples: number;
}

/** What stands for the bus inside the process instead of a broker's URL. */
export const MEMORY = 'memory';

/** What applications that were written for the original use on a broker. */
export interface OriginalBroker {
  resultsExchange(): ResultsExchange;
  customDataQueue(): CustomDataQueue;
}

export interface OpenBus {
  readonly bus: Bus;
  /** Null without a broker. */
  readonly original: OriginalBroker | null;
  /** Closes the connection; bus, exchange and queue are closed before. */
  readonly disconnect: () => Promise<void>;
}

const DISCONNECT_TIMEOUT_MS = 3_000;

/**
 * Opens the bus that the settings name.
 * @param partitions how many the store has; a broker has a queue for each.
 * @throws HtmEngineError `config_invalid`, `broker_unavailable`
 */
export async function openBus(
  settings: BusSettings,
  partitions: () => Promise<number>,
  telemetry: Telemetry,
): Promise<OpenBus> {
  if (settings.url === MEMORY) {
    const bus = createMemoryBus(settings, telemetry);
    return { bus, original: null, disconnect: () => Promise.resolve() };
  }
  const broker = await connect(settings, telemetry);
  // Whoever needs no broker does not load its driver.
  const { openRabbitBus } = await import('./bus/rabbitmq/rabbit-bus.ts');
  const { RabbitResultsExchange } = await import('./bus/rabbitmq/results-exchange.ts');
  const { RabbitCustomDataQueue } = await import('./bus/rabbitmq/custom-data-queue.ts');
  const { maxSamples, maxBatchSamples, prefetchMessages: prefetch } = settings;
  const disconnect = () => broker.close(DISCONNECT_TIMEOUT_MS);
  try {
    const options = { partitions: await partitions(), maxSamples, maxBatchSamples, prefetch };
    return {
      bus: await openRabbitBus(broker, options),
      original: {
        resultsExchange: () => new RabbitResultsExchange(broker),
        customDataQueue: () => new RabbitCustomDataQueue(broker),
      },
      disconnect,
    };
  } catch (error) {
    await disconnect();
    throw error;
  }
}

/** Messages on the broker that could not be read. @throws HtmEngineError `config_invalid`, `broker_unavailable` */
export async function openDeadLetters(settings: BusSettings, telemetry: Telemetry): Promise<DeadLetters> {
  if (settings.url === MEMORY)
    throw new HtmEngineError('config_invalid', 'bus.url names no broker, so there are no dead letters');
  const broker = await connect(settings, telemetry);
  const { RabbitDeadLetters } = await import('./bus/rabbitmq/dead-letters.ts');
  return new RabbitDeadLetters(broker);
}

/** The queues of the partitions' samples, while no engine runs. @throws HtmEngineError `config_invalid`, `broker_unavailable` */
export async function openPartitionQueues(
  settings: BusSettings,
  telemetry: Telemetry,
): Promise<PartitionQueues> {
  const broker = await connect(settings, telemetry);
  const { RabbitPartitionQueues } = await import('./bus/rabbitmq/partition-queues.ts');
  return new RabbitPartitionQueues(broker);
}

async function connect(settings: BusSettings, telemetry: Telemetry) {
  const { parseBrokerUrl } = await import('./bus/rabbitmq/url.ts');
  const { Broker } = await import('./bus/rabbitmq/broker.ts');
  const { application, heartbeatSeconds, url, passwordFile } = settings;
  const address = parseBrokerUrl(url, passwordFrom(passwordFile, 'bus.passwordFile'));
  const broker = new Broker({ address, application, heartbeatSeconds }, telemetry);
  try {
    await broker.connected();
  } catch (error) {
    await broker.close(DISCONNECT_TIMEOUT_MS);
    throw error;
  }
  return broker;
}
