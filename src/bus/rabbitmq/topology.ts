import type { Channel, MethodParams, Cmd } from 'rabbitmq-client';
import { HtmEngineError } from '../../errors.ts';

/** The version of what our own objects carry and how they are declared; a change of either makes new ones. */
const VERSION = 'v1';

/** In a partition's queue that is full publishers wait: samples that nobody stores any more must not fill the broker's disk. */
const MAX_PARTITION_BYTES = 256 * 2 ** 20;
const MAX_DEAD_BYTES = 64 * 2 ** 20;
const MAX_DEAD_MESSAGES = 10_000;
/** Wake-ups that wait for a slow process; older ones are dropped, which loses nothing. */
const MAX_WAITING_WAKE_UPS = 1000;

type QueueDeclaration = MethodParams[Cmd.QueueDeclare] & { readonly queue: string };

/** The names of everything that an application (a prefix, for instance `htmengine`) has on its broker. */
export interface BrokerNames {
  /** Durable queue of a partition's samples. */
  readonly samples: (partition: number) => string;
  /** Durable queue of what could not be read. */
  readonly dead: string;
  /** Transient exchange for wake-ups; the routing key is the topic. */
  readonly wakeUps: string;
  /** Transient exchange on which consumers of samples say that they live. */
  readonly storers: string;
  /** The original's durable queue of samples. */
  readonly customData: string;
  /** The original's durable exchange for results. */
  readonly results: string;
}

/** What is no part of a routing key, and short enough for names and logs. */
const APPLICATION = /^[A-Za-z0-9_-]{1,64}$/;

/** @throws HtmEngineError `config_invalid` */
export function brokerNames(application: string): BrokerNames {
  if (!APPLICATION.test(application)) {
    throw new HtmEngineError(
      'config_invalid',
      `bus.application is ${JSON.stringify(application)}: it must be 1 to 64 letters, digits, _ or -`,
    );
  }
  return {
    samples: (partition) => `${application}.samples.${VERSION}.${partition}`,
    dead: `${application}.dead.${VERSION}`,
    wakeUps: `${application}.wake.${VERSION}`,
    storers: `${application}.storers.${VERSION}`,
    customData: `${application}.metric.custom.data`,
    results: `${application}.model.results`,
  };
}

/**
 * The queue of a partition. A quorum queue with one active consumer hands over in order when that one dies. It has
 * no limit of deliveries; a broker that gives it one by itself (RabbitMQ 4) leaves what exceeds it in the dead queue.
 */
export function partitionQueue(names: BrokerNames, partition: number): QueueDeclaration {
  return {
    queue: names.samples(partition),
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-single-active-consumer': true,
      'x-max-length-bytes': MAX_PARTITION_BYTES,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': names.dead,
    },
  };
}

export function deadQueue(names: BrokerNames): QueueDeclaration {
  return {
    queue: names.dead,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-max-length': MAX_DEAD_MESSAGES,
      'x-max-length-bytes': MAX_DEAD_BYTES,
      'x-overflow': 'reject-publish',
    },
  };
}

/** Declared exactly as the original did, so that whoever declares it too finds it equal. */
export function customDataQueue(names: BrokerNames): QueueDeclaration {
  return { queue: names.customData, durable: true };
}

export async function declareResultsExchange(channel: Channel, names: BrokerNames): Promise<void> {
  await channel.exchangeDeclare({ exchange: names.results, type: 'fanout', durable: true });
}

/** A queue that lives as long as this connection, for what may be lost. @returns its name */
export async function declareOwnQueue(channel: Channel): Promise<string> {
  const { queue } = await channel.queueDeclare({
    exclusive: true,
    autoDelete: true,
    arguments: { 'x-max-length': MAX_WAITING_WAKE_UPS, 'x-overflow': 'drop-head' },
  });
  return queue;
}

export async function declareSampleQueues(
  channel: Channel,
  names: BrokerNames,
  partitions: number,
): Promise<void> {
  await channel.queueDeclare(deadQueue(names));
  for (let partition = 0; partition < partitions; partition++) {
    await channel.queueDeclare(partitionQueue(names, partition));
  }
}
