import type { Counter } from 'prom-client';
import type { Logger } from 'pino';
import { backoffDelayMs, isWorthTelling, retry, STORE_BACKOFF } from '../backoff.ts';
import { hasCode, HtmEngineError } from '../errors.ts';
import type { Clock } from '../clock.ts';

/** After so many failures a read gives up; the sweep finds the work again. */
const READ_ATTEMPTS = 4;

/** How the scheduler waits for a store that is away for a while: as `retryStore`, and counted; ended by `signal`. */
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

  /** Tries until it succeeds, however long the store is away. @throws what is not `store_unavailable`, or `stopped` */
  async insist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return await this.#retry(what, attempt, Number.POSITIVE_INFINITY);
  }

  /** Waits before trial number `trial` (1, 2, ...) is repeated. @throws HtmEngineError `stopped` */
  async wait(trial: number): Promise<void> {
    await this.#clock.sleep(backoffDelayMs(trial, STORE_BACKOFF), this.#signal).catch(() => {
      throw new HtmEngineError('stopped', 'given up while stopping');
    });
  }

  async #retry<T>(what: string, attempt: () => Promise<T>, attempts: number): Promise<T> {
    let failures = 0;
    return await retry(attempt, {
      ...STORE_BACKOFF,
      signal: this.#signal,
      clock: this.#clock,
      isRetriable: (error) => {
        if (!hasCode(error, 'store_unavailable')) return false;
        this.#faults.inc();
        return ++failures < attempts;
      },
      onRetry: (error) => {
        if (isWorthTelling(failures)) {
          this.#log.warn({ event: 'store.unavailable', failures, err: error }, `cannot ${what} yet`);
        }
      },
    });
  }
}
