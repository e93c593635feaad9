import { setTimeout as sleep } from 'node:timers/promises';

/** The time that waiting is measured by: back-off, sweeps, pauses. No score depends on it. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** @throws AbortError when `signal` ends the wait */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms, signal) => await sleep(ms, undefined, { signal }),
};
