import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Channel, Envelope, ReturnedMessage } from 'rabbitmq-client';

/** Sets a channel up so that `publishConfirmed` may be used on it. */
export async function confirmPublishes(channel: Channel): Promise<void> {
  await channel.confirmSelect();
  const returned = new Set<string>();
  returnedFrom.set(channel, returned);
  channel.on('basic.return', (message: ReturnedMessage) => returned.add(message.messageId ?? ''));
}

/** Ids of messages that the broker gave back on a channel: there is no queue for them. */
const returnedFrom = new WeakMap<Channel, Set<string>>();

/**
 * Publishes a message durably and resolves when the broker keeps it in a queue.
 * @throws if it may not have been kept: refused, given back, or the channel was lost. Then it may be kept all the same.
 */
export async function publishConfirmed(
  channel: Channel,
  envelope: Envelope & { readonly messageId: string },
  body: Buffer,
): Promise<void> {
  await channel.basicPublish({ ...envelope, durable: true, mandatory: true }, body);
  // What comes back comes before its confirm, but the driver tells of it a turn later.
  await nextTurn();
  if (returnedFrom.get(channel)?.delete(envelope.messageId) === true)
    throw new Error(`there is no queue ${envelope.routingKey ?? ''} on the broker`);
}
