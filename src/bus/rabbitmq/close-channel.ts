import type { Channel } from 'rabbitmq-client';

/**
 * Closes a channel, if it is open. The driver's own promise never settles when the connection is lost meanwhile: it waits
 * for the broker's answer on a connection that is gone. Its event comes in that case too.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  if (!channel.active) return;
  const gone = new Promise<void>((resolve) => channel.once('close', resolve));
  await Promise.race([channel.close(), gone]);
}
