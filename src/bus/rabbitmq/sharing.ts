import { randomUUID } from 'node:crypto';
import type { Broker } from './broker.ts';
import { LastingChannel } from './lasting-channel.ts';
import { declareOwnQueue } from './topology.ts';

const ANNOUNCE_MS = 1_000;
/** One that was not heard for so long is taken for gone. */
const EXPIRY_MS = 4_000;
/** More are not remembered: so many do not share a few partitions. */
const MAX_MEMBERS = 1_000;
const MEMBER_ID = /^[0-9a-f-]{36}$/;

/** Whose a partition is when these share: each has as many as any other, or one more. */
export function ownerOf(partition: number, members: readonly string[]): string | undefined {
  return members.toSorted()[partition % Math.max(1, members.length)];
}

/**
 * Who consumes samples beside this process: each says now and then that it lives. It only balances: that a
 * partition has one consumer is the broker's doing, and being wrong for a while costs some redeliveries.
 */
export class Sharing {
  readonly #broker: Broker;
  readonly #id = randomUUID();
  /** When each of the others was heard last, by `performance.now()`. */
  readonly #heardAtMs = new Map<string, number>();
  readonly #channel: LastingChannel;
  readonly #timer: NodeJS.Timeout;

  constructor(broker: Broker) {
    this.#broker = broker;
    this.#channel = new LastingChannel(broker, 'sharing partitions', async (channel) => {
      const { storers } = broker.names;
      await channel.exchangeDeclare({ exchange: storers, type: 'fanout', durable: false });
      const queue = await declareOwnQueue(channel);
      await channel.queueBind({ queue, exchange: storers });
      await channel.basicConsume({ queue, noAck: true }, ({ messageId, type }) =>
        this.#hear(messageId, type),
      );
    });
    this.#timer = setInterval(() => this.#announce('here'), ANNOUNCE_MS);
  }

  /** Whether this partition is that of another process that lives. */
  belongsToAnother(partition: number): boolean {
    const now = performance.now();
    for (const [id, heardAtMs] of this.#heardAtMs) {
      if (now - heardAtMs > EXPIRY_MS) this.#heardAtMs.delete(id);
    }
    return ownerOf(partition, [this.#id, ...this.#heardAtMs.keys()]) !== this.#id;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#announce('gone');
    await this.#channel.close();
  }

  #announce(type: 'here' | 'gone'): void {
    if (!this.#broker.ready) return;
    this.#channel.current
      ?.basicPublish({ exchange: this.#broker.names.storers, messageId: this.#id, type }, Buffer.alloc(0))
      .catch((error: unknown) =>
        this.#broker.log.debug({ event: 'broker.announcement_lost', err: error }, 'an announcement was lost'),
      );
  }

  #hear(id: string | undefined, type: string | undefined): void {
    if (id === undefined || id === this.#id || !MEMBER_ID.test(id)) return;
    if (type === 'gone') this.#heardAtMs.delete(id);
    else if (this.#heardAtMs.size < MAX_MEMBERS || this.#heardAtMs.has(id))
      this.#heardAtMs.set(id, performance.now());
  }
}
