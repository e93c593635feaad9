/** The time that waiting is measured by: back-off, sweeps, pauses. No score depends on it. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** @throws AbortError when `signal` ends the wait */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortError());
        return;
      }
      const abort = () => {
        clearTimeout(timer);
        reject(abortError());
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      }, ms);
      signal.addEventListener('abort', abort, { once: true });
    }),
};

/** What a wait is ended with. */
export function abortError(): Error {
  return new DOMException('the wait was ended', 'AbortError');
}
