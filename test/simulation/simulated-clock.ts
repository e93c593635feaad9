import { abortError, type Clock } from '../../src/clock.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time that passes only when nothing else is left to do: hours of waiting take no time, and the same ones each run. */
export class SimulatedClock implements Clock {
  #nowMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortError());
        return;
      }
      const end = (settle: () => void) => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', abort);
        settle();
      };
      const abort = () => end(() => reject(abortError()));
      const sleeper = { dueMs: this.#nowMs + ms, wake: () => end(resolve) };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', abort);
    });
  }

  /** Time leaps, as when a machine was suspended: all who should have woken meanwhile wake late. */
  leap(ms: number): void {
    this.#nowMs += ms;
  }

  /** Runs everything until `done` settles. @throws Error if that is later than `limitMs`, or never */
  async run(done: Promise<void>, limitMs: number): Promise<void> {
    const running = new AbortController();
    const end = done.finally(() => running.abort());
    // Its failure is told below.
    end.catch(() => undefined);
    while (!running.signal.aborted) {
      await nextTurn();
      if (isIdle()) this.#passTime();
      if (this.#nowMs > limitMs) throw new Error(`not over after ${limitMs / 1000} simulated seconds`);
    }
    await end;
  }

  #passTime(): void {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers)
      if (next === undefined || sleeper.dueMs < next.dueMs) next = sleeper;
    if (next === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.wake();
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Whether nobody waits for his turn of the event loop. All that is simulated waits for that or for the clock. */
function isIdle(): boolean {
  return !process.getActiveResourcesInfo().includes('Immediate');
}
