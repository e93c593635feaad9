import type { Result } from '../metric.ts';
import { resultData } from './result-json.ts';

/** A result in the ring, with the text that every stream sends of it. */
export interface RingEntry {
  /** 1, 2, ... in the order in which results came. */
  readonly sequence: number;
  readonly result: Result;
  /** JSON, made once, when the first stream needs it. */
  readonly data: string;
}

/** The last results of all metrics, so that a stream that was cut off for a while misses none. */
export class ResultRing {
  readonly #entries: (RingEntry | undefined)[];
  #last = 0;

  /** @param capacity results that are kept, 1 or more. */
  constructor(capacity: number) {
    this.#entries = Array.from({ length: capacity });
  }

  /** The number of the newest result; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  push(result: Result): void {
    this.#last += 1;
    this.#entries[this.#last % this.#entries.length] = new LazyEntry(this.#last, result);
  }

  /** What came after number `sequence`, at most `limit`; null if some of it is gone, or that number was never given. */
  after(sequence: number, limit: number): readonly RingEntry[] | null {
    if (sequence > this.#last || this.#last - sequence > this.#entries.length) return null;
    const end = Math.min(this.#last, sequence + limit);
    const found: RingEntry[] = [];
    for (let next = sequence + 1; next <= end; next += 1) {
      const entry = this.#entries[next % this.#entries.length];
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }
}

class LazyEntry implements RingEntry {
  readonly sequence: number;
  readonly result: Result;
  #data: string | undefined;

  constructor(sequence: number, result: Result) {
    this.sequence = sequence;
    this.result = result;
  }

  get data(): string {
    this.#data ??= resultData(this.result);
    return this.#data;
  }
}
