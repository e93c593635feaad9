import type { Bus, WakeTopic } from '../../../src/bus/bus.ts';

/** The wake-ups of a bus: records those that are sent, delivers those that a test asks for. */
export class TestBus implements Pick<Bus, 'wake' | 'onWake'> {
  readonly woken: { topic: WakeTopic; metricId: string }[] = [];
  readonly #handlers = new Set<{ topic: WakeTopic; handler: (metricIds: readonly string[]) => void }>();

  wake(topic: WakeTopic, metricIds: readonly string[]): void {
    for (const metricId of metricIds) this.woken.push({ topic, metricId });
  }

  onWake(topic: WakeTopic, handler: (metricIds: readonly string[]) => void): () => void {
    const subscription = { topic, handler };
    this.#handlers.add(subscription);
    return () => this.#handlers.delete(subscription);
  }

  deliver(topic: WakeTopic, metricIds: readonly string[]): void {
    for (const subscription of this.#handlers) {
      if (subscription.topic === topic) subscription.handler(metricIds);
    }
  }
}
