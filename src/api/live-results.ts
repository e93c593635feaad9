import type { Result } from '../metric.ts';
import { ResultRing } from './result-ring.ts';
import type { LiveSubscribe } from './services.ts';

type Listener = (results: readonly Result[]) => void;

/**
 * What is scored from now on, for everything in the API that wants to know: one subscription and one ring, however
 * many streams there are. It begins when somebody asks for the first time.
 */
export class LiveResults {
  readonly ring: ResultRing;
  readonly #subscribe: LiveSubscribe;
  readonly #listeners = new Set<Listener>();
  #subscription: ReturnType<LiveSubscribe> | null = null;

  /** @param ringResults how many results the ring keeps. */
  constructor(subscribe: LiveSubscribe, ringResults: number) {
    this.#subscribe = subscribe;
    this.ring = new ResultRing(ringResults);
  }

  /** Resolves when everything that is scored from then on comes in. @throws HtmEngineError `overloaded`, `stopped`, `store_unavailable` */
  async open(): Promise<void> {
    this.#subscription ??= this.#subscribe((results) => {
      for (const result of results) this.ring.push(result);
      for (const listener of this.#listeners) listener(results);
      return Promise.resolve();
    });
    try {
      await this.#subscription;
    } catch (error) {
      // The next one tries again.
      this.#subscription = null;
      throw error;
    }
  }

  /** `listener` is told of results, those of one metric at a time; it must not throw. @returns what ends that */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    const subscription = await this.#subscription?.catch(() => undefined);
    await subscription?.unsubscribe();
  }
}
