import { type ReadonlySignal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { inWords } from '../api/api-error.ts';

/** A reading that takes long is made less often: after this many times as long as it took. */
const READING_SHARE = 20;

export interface PolledState<T> {
  /** What was read last; null until the first reading has succeeded. */
  readonly value: T | null;
  /** Why the last reading failed, in words. */
  readonly problem: string | null;
}

/** Something the engine tells that is read again and again while somebody looks at it. */
export class Polled<T> {
  readonly #read: () => Promise<T>;
  readonly #everyMs: number;
  readonly #state = signal<PolledState<T>>({ value: null, problem: null });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  /** Counts the readings: what an earlier one answers after a later one has begun is old. */
  #asked = 0;

  constructor(read: () => Promise<T>, everyMs: number) {
    this.#read = read;
    this.#everyMs = everyMs;
  }

  get state(): ReadonlySignal<PolledState<T>> {
    return this.#state;
  }

  start(): void {
    this.#running = true;
    document.addEventListener('visibilitychange', this.#onVisibility);
    void this.reread();
  }

  stop(): void {
    this.#running = false;
    this.#asked++;
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#onVisibility);
  }

  /** Reads at once: after a change that the page made. */
  async reread(): Promise<void> {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    const started = performance.now();
    const state = await this.#attempt();
    if (asked !== this.#asked) return;
    this.#state.value = state;
    if (!this.#running || document.hidden) return;
    const waitMs = Math.max(this.#everyMs, READING_SHARE * (performance.now() - started));
    this.#timer = setTimeout(() => void this.reread(), waitMs);
  }

  async #attempt(): Promise<PolledState<T>> {
    try {
      return { value: await this.#read(), problem: null };
    } catch (error) {
      return { value: this.#state.value.value, problem: inWords(error) };
    }
  }

  readonly #onVisibility = (): void => {
    if (!document.hidden) void this.reread();
  };
}

/** Reads while the component is shown; begins anew, with nothing, when `key` changes. */
export function usePolled<T>(read: () => Promise<T>, key: string, everyMs: number): Polled<T> {
  // The key says when another thing is to be read.
  const polled = useMemo(() => new Polled(read, everyMs), [key, everyMs]);
  useEffect(() => {
    polled.start();
    return () => polled.stop();
  }, [polled]);
  return polled;
}
