import type { Counter } from 'prom-client';
import type { Logger } from 'pino';
import { isWorthTelling } from '../backoff.ts';
import { hasCode } from '../errors.ts';
import type { Clock } from '../clock.ts';

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5_000;
/** After so many failures a read gives up; the sweep finds the work again. */
const READ_ATTEMPTS = 4;

/** How the scheduler waits for a store that is away for a while: back-off from 50 ms doubling to 5 s, ended by `signal`. */
export class Patience {
  readonly #log: Logger;
  readonly #faults: Counter;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(log: Logger, faults: Counter, clock: Clock, signal: AbortSignal) {
    this.#log = log;
    this.#faults = faults;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Tries a read a few times, so that one file or table that cannot be read does not keep a worker from others. */
  async read<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return await this.#retry(what, attempt, READ_ATTEMPTS);
  }

  /** Tries until it succeeds, however long the store is away. @throws what is not `store_unavailable`, or `AbortError` */
  async insist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return await this.#retry(what, attempt, Number.POSITIVE_INFINITY);
  }

  /** Waits before trial number `trial` (1, 2, ...) is repeated. @throws AbortError */
  async wait(trial: number): Promise<void> {
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(trial - 1, 10));
    await this.#clock.sleep(delay, this.#signal);
  }

  async #retry<T>(what: string, attempt: () => Promise<T>, attempts: number): Promise<T> {
    for (let trial = 1; ; trial++) {
      try {
        return await attempt();
      } catch (error) {
        if (!hasCode(error, 'store_unavailable')) throw error;
        this.#faults.inc();
        if (trial >= attempts) throw error;
        if (isWorthTelling(trial)) {
          this.#log.warn({ event: 'store.unavailable', failures: trial, err: error }, `cannot ${what} yet`);
        }
        await this.wait(trial);
      }
    }
  }
}
