import { randomUUID } from 'node:crypto';
import type { Channel, SyncMessage } from 'rabbitmq-client';
import type { DeadLetter, DeadLetters, Fate } from '../dead-letters.ts';
import type { Broker } from './broker.ts';
import { closeChannel } from './close-channel.ts';
import { confirmPublishes, publishConfirmed } from './confirmed.ts';
import { asBuffer } from './partition-reader.ts';
import { deadQueue, type BrokerNames } from './topology.ts';

const CLOSE_TIMEOUT_MS = 3_000;

/** Puts a message into the dead queue. The channel confirms. @throws if it may not have been kept */
export async function bury(
  channel: Channel,
  names: BrokerNames,
  letter: Pick<DeadLetter, 'queue' | 'reason' | 'body'> & { readonly contentType: string | undefined },
): Promise<void> {
  await publishConfirmed(
    channel,
    {
      routingKey: names.dead,
      messageId: randomUUID(),
      timestamp: Math.floor(Date.now() / 1000),
      ...(letter.contentType !== undefined && { contentType: letter.contentType }),
      headers: { queue: letter.queue, reason: letter.reason },
    },
    letter.body,
  );
}

/** The dead queue of an application. The connection is its own. */
export class RabbitDeadLetters implements DeadLetters {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  async visit(limit: number, decide: (letter: DeadLetter) => Fate): Promise<number> {
    const channel = await this.#broker.openChannel();
    try {
      return await this.#visitOn(channel, limit, decide);
    } finally {
      // Those that are kept were not acknowledged, so that each came once; now they return.
      await closeChannel(channel);
    }
  }

  close(): Promise<void> {
    return this.#broker.close(CLOSE_TIMEOUT_MS);
  }

  async #visitOn(channel: Channel, limit: number, decide: (letter: DeadLetter) => Fate): Promise<number> {
    await confirmPublishes(channel);
    const { queue } = await channel.queueDeclare(deadQueue(this.#broker.names));
    for (let seen = 0; seen < limit; seen++) {
      const message = await channel.basicGet({ queue });
      if (message === undefined) return seen;
      const letter = toLetter(message);
      const fate = decide(letter);
      if (fate === 'replay') await replay(channel, letter);
      if (fate !== 'keep') channel.basicAck({ deliveryTag: message.deliveryTag });
    }
    return limit;
  }
}

async function replay(channel: Channel, { queue, contentType, body }: DeadLetter): Promise<void> {
  await publishConfirmed(
    channel,
    { routingKey: queue, messageId: randomUUID(), ...(contentType !== null && { contentType }) },
    body,
  );
}

function toLetter(message: SyncMessage): DeadLetter {
  const headers = (message.headers ?? {}) as Record<string, unknown>;
  const {
    queue,
    reason,
    'x-first-death-queue': brokersQueue,
    'x-first-death-reason': brokersReason,
  } = headers;
  return {
    id: message.messageId ?? String(message.deliveryTag),
    queue: text(queue) ?? text(brokersQueue) ?? '',
    reason: text(reason) ?? `put here by the broker: ${text(brokersReason) ?? 'no reason given'}`,
    diedAt: message.timestamp === undefined ? null : new Date(message.timestamp * 1000),
    contentType: message.contentType ?? null,
    body: asBuffer(message.body),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
