import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { HtmEngineError, hasCode } from './errors.ts';

/** How long to wait between attempts: the delay doubles from the first to the highest and stays there. */
export interface Backoff {
  /** Wait after the first failure, > 0. */
  readonly initialDelayMs: number;
  /** Longest wait, >= `initialDelayMs`. */
  readonly maxDelayMs: number;
}

export interface RetryOptions extends Backoff {
  /** Ends the attempts: a wait is cut short and no further attempt begins. The first is always made, and a running one left to finish. */
  readonly signal: AbortSignal;
  /** Whether another attempt may succeed after this error; any other error is thrown on at once. */
  readonly isRetriable: (error: unknown) => boolean;
  /** Told before each wait; `failures` counts from 1. */
  readonly onRetry?: (error: unknown, failures: number, delayMs: number) => void;
  readonly clock?: Clock;
}

/** The wait after so many failures in a row (1, 2, ...). */
export function backoffDelayMs(failures: number, backoff: Backoff): number {
  return Math.min(backoff.maxDelayMs, backoff.initialDelayMs * 2 ** (failures - 1));
}

/**
 * Runs `operation` until it succeeds, without a limit of attempts: the faults it is for (disk full, database
 * busy) end only when somebody ends them.
 * @throws the operation's error if it is not retriable; HtmEngineError `stopped` if the signal is aborted after a
 * retriable one.
 */
export async function retry<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock = systemClock, signal } = options;
  for (let failures = 1; ; failures += 1) {
    try {
      return await operation();
    } catch (error) {
      if (!options.isRetriable(error)) throw error;
      const delayMs = backoffDelayMs(failures, options);
      if (!signal.aborted) options.onRetry?.(error, failures, delayMs);
      await clock.sleep(delayMs, signal).catch(() => undefined);
      if (signal.aborted) {
        throw new HtmEngineError('stopped', `given up while stopping: ${String(error)}`);
      }
    }
  }
}

/** For a store that is away for a while. */
export const STORE_BACKOFF: Backoff = { initialDelayMs: 50, maxDelayMs: 5_000 };

/** `retry` for one operation of the store: waits out `store_unavailable`, which says that nothing was done. */
export function retryStore<T>(
  signal: AbortSignal,
  log: Logger,
  operation: () => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  return retry(operation, {
    ...STORE_BACKOFF,
    signal,
    clock,
    isRetriable: (error) => hasCode(error, 'store_unavailable'),
    onRetry: (error, failures) => {
      if (isWorthTelling(failures)) {
        log.warn({ event: 'store.unavailable', failures, err: error }, 'the store is not available; waiting');
      }
    },
  });
}

/** Whether to log a failure that is the so-manieth in a row: the 1st, 2nd, 4th, 8th ..., so that a fault that lasts fills no log. */
export function isWorthTelling(failures: number): boolean {
  return Number.isInteger(Math.log2(failures));
}
