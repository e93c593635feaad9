import type { TypedArray } from './tables.ts';

/**
 * Memory of the thread for tables that live within one call: to load or save a model takes as much of it as the model
 * itself, and memory that was asked for anew each time made the collector stop the thread at every third load.
 */
export class Scratch<T extends TypedArray> {
  readonly #make: (length: number) => T;
  #array: T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.#array = make(0);
  }

  /** So many elements, whatever they hold; to be used until the next call and never kept. */
  take(length: number): T {
    if (this.#array.length < length) this.#array = this.#make(Math.ceil(length * GROWTH));
    return this.#array.subarray(0, length) as T;
  }

  /** As `take`, all 0. */
  zeroed(length: number): T {
    return this.take(length).fill(0) as T;
  }
}

/** The next model that needs more mostly needs only a little more. */
const GROWTH = 1.25;
