import { AMQPError } from 'rabbitmq-client';
import { HtmEngineError } from '../../errors.ts';
import type { PartitionQueues } from '../partition-queues.ts';
import type { Broker } from './broker.ts';
import { closeChannel } from './close-channel.ts';

const CLOSE_TIMEOUT_MS = 3_000;

/** The queues of an application's partitions. The connection is its own. */
export class RabbitPartitionQueues implements PartitionQueues {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  async checkIdle(partitions: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const queue = this.#broker.names.samples(partition);
      const found = await this.#look(queue);
      if (found === null) continue;
      if (found.consumers > 0) {
        throw new HtmEngineError('store_locked', `storers consume ${queue}: stop all processes first`);
      }
      if (found.messages > 0) {
        throw new HtmEngineError(
          'store_locked',
          `samples wait in ${queue} (messages: ${found.messages}): stop what takes samples in, let the storers store them, and stop those too`,
        );
      }
    }
  }

  async remove(first: number, end: number): Promise<void> {
    const channel = await this.#broker.openChannel();
    try {
      for (let partition = first; partition < end; partition++)
        await channel.queueDelete(this.#broker.names.samples(partition));
    } finally {
      await closeChannel(channel);
    }
  }

  close(): Promise<void> {
    return this.#broker.close(CLOSE_TIMEOUT_MS);
  }

  /** @returns null if there is no such queue. */
  async #look(queue: string): Promise<{ messages: number; consumers: number } | null> {
    // A question for a queue that is not there ends the channel.
    const channel = await this.#broker.openChannel();
    try {
      const { messageCount, consumerCount } = await channel.queueDeclare({ queue, passive: true });
      return { messages: messageCount, consumers: consumerCount };
    } catch (error) {
      if (error instanceof AMQPError && error.code === 'NOT_FOUND') return null;
      throw error;
    } finally {
      await closeChannel(channel);
    }
  }
}
