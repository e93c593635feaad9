import { randomUUID } from 'node:crypto';
import { WAKE_TOPICS, type WakeTopic } from '../bus.ts';
import { MAX_PENDING_WAKE_UPS, type WakeUps } from '../wake-ups.ts';
import type { Broker } from './broker.ts';
import { LastingChannel } from './lasting-channel.ts';
import { asBuffer } from './partition-reader.ts';
import { declareOwnQueue } from './topology.ts';

/** Ids in one message at the most. */
const MAX_MESSAGE_IDS = 10_000;
const METRIC_ID = /^[0-9a-f]{32}$/;

/**
 * Wake-ups of and for other processes, over an exchange that keeps nothing. What cannot be sent at once is dropped
 * beyond a bound, what comes while there is no connection too: the sweeps make up for it.
 */
export class RemoteWakeUps {
  readonly #broker: Broker;
  readonly #local: WakeUps;
  /** Marks what this process sent itself: that was delivered here already. */
  readonly #origin = randomUUID();
  readonly #channel: LastingChannel;
  readonly #pending = new Map<WakeTopic, Set<string>>();
  #sending = false;

  constructor(broker: Broker, local: WakeUps) {
    this.#broker = broker;
    this.#local = local;
    this.#channel = new LastingChannel(broker, 'wake-ups', async (channel) => {
      const { wakeUps } = broker.names;
      await channel.exchangeDeclare({ exchange: wakeUps, type: 'topic', durable: false });
      const queue = await declareOwnQueue(channel);
      await channel.queueBind({ queue, exchange: wakeUps, routingKey: '#' });
      await channel.basicConsume({ queue, noAck: true }, ({ routingKey, appId, body }) => {
        if (appId !== this.#origin) this.#hear(routingKey, asBuffer(body));
      });
    });
  }

  /** Never waits, never throws. */
  wake(topic: WakeTopic, metricIds: readonly string[]): void {
    let ids = this.#pending.get(topic);
    if (ids === undefined) this.#pending.set(topic, (ids = new Set()));
    let dropped = 0;
    for (const metricId of metricIds) {
      if (ids.size < MAX_PENDING_WAKE_UPS) ids.add(metricId);
      else if (!ids.has(metricId)) dropped += 1;
    }
    this.#broker.instruments.droppedWakeUps.inc(dropped);
    if (!this.#sending) void this.#send();
  }

  async close(): Promise<void> {
    this.#pending.clear();
    await this.#channel.close();
  }

  /** Sends what waits, a message at a time. Never rejects. */
  async #send(): Promise<void> {
    this.#sending = true;
    await new Promise((resolve) => setImmediate(resolve));
    for (const [topic, ids] of this.#pending) {
      this.#pending.delete(topic);
      const all = Array.from(ids);
      for (let first = 0; first < all.length; first += MAX_MESSAGE_IDS) {
        await this.#publish(topic, all.slice(first, first + MAX_MESSAGE_IDS));
      }
    }
    this.#sending = false;
  }

  async #publish(topic: WakeTopic, ids: readonly string[]): Promise<void> {
    const channel = this.#broker.ready ? this.#channel.current : null;
    try {
      if (channel === null) throw new Error('there is no connection');
      await channel.basicPublish(
        { exchange: this.#broker.names.wakeUps, routingKey: topic, appId: this.#origin },
        Buffer.from(ids.join('\n')),
      );
    } catch {
      this.#broker.instruments.droppedWakeUps.inc(ids.length);
    }
  }

  #hear(routingKey: string, body: Buffer): void {
    const topic = WAKE_TOPICS.find((known) => known === routingKey);
    if (topic === undefined) return;
    const ids = body.toString().split('\n', MAX_MESSAGE_IDS);
    this.#local.wake(
      topic,
      ids.filter((id) => METRIC_ID.test(id)),
    );
  }
}
