import type { Counter } from 'prom-client';
import type { Logger } from 'pino';
import type { WakeTopic } from './bus.ts';

/** Ids of one topic that wait for their delivery at the most; wake-ups may be lost, so more are left to the sweeps. */
export const MAX_PENDING_WAKE_UPS = 100_000;

type WakeHandler = (metricIds: readonly string[]) => void;

/**
 * Wake-ups inside one process: those of one turn of the event loop are delivered together after it, each id once,
 * in the order in which the ids came.
 */
export class WakeUps {
  readonly #log: Logger;
  readonly #dropped: Counter;
  readonly #pending = new Map<WakeTopic, Set<string>>();
  readonly #subscriptions = new Map<WakeTopic, Set<{ readonly handler: WakeHandler }>>();
  #delivery: NodeJS.Immediate | null = null;

  constructor(log: Logger, dropped: Counter) {
    this.#log = log;
    this.#dropped = dropped;
  }

  wake(topic: WakeTopic, metricIds: readonly string[]): void {
    if ((this.#subscriptions.get(topic)?.size ?? 0) === 0 || metricIds.length === 0) return;
    let ids = this.#pending.get(topic);
    if (ids === undefined) this.#pending.set(topic, (ids = new Set()));
    let dropped = 0;
    for (const metricId of metricIds) {
      if (ids.size < MAX_PENDING_WAKE_UPS) ids.add(metricId);
      else if (!ids.has(metricId)) dropped++;
    }
    this.#dropped.inc(dropped);
    this.#delivery ??= setImmediate(() => this.#deliver());
  }

  /** @returns a function that ends the subscription. */
  subscribe(topic: WakeTopic, handler: WakeHandler): () => void {
    let subscriptions = this.#subscriptions.get(topic);
    if (subscriptions === undefined) this.#subscriptions.set(topic, (subscriptions = new Set()));
    const subscription = { handler };
    subscriptions.add(subscription);
    return () => subscriptions.delete(subscription);
  }

  /** Forgets what is not delivered yet and everybody who waits for it. */
  close(): void {
    if (this.#delivery !== null) clearImmediate(this.#delivery);
    this.#pending.clear();
    this.#subscriptions.clear();
  }

  #deliver(): void {
    this.#delivery = null;
    const deliveries = Array.from(this.#pending, ([topic, ids]) => ({ topic, metricIds: Array.from(ids) }));
    this.#pending.clear();
    for (const { topic, metricIds } of deliveries) {
      // A copy: a handler may subscribe or unsubscribe.
      for (const subscription of Array.from(this.#subscriptions.get(topic) ?? [])) {
        if (this.#subscriptions.get(topic)?.has(subscription) !== true) continue;
        try {
          subscription.handler(metricIds);
        } catch (error) {
          this.#log.error(
            { event: 'bus.wake_handler_failed', topic, err: error },
            'whoever was woken failed; the sweeps make up for it',
          );
        }
      }
    }
  }
}
