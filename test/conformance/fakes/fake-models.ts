import type { Json } from '../../../src/generation.ts';
import type { Model, ModelFactory } from '../../../src/scheduler/models.ts';

/** A row with this value makes every fake model fail. */
export const POISON = 666;
const STATE_BYTES = 12;

/**
 * Models whose score depends on every row before, in order, at the cost of a multiplication: a row left out,
 * repeated or swapped changes all scores after it. Parameters: `{ seed, bytes }`.
 */
export const fakeModels: ModelFactory = {
  create(parameters: Json): Model {
    const { seed, bytes } = parameters as { seed?: unknown; bytes?: unknown };
    if (typeof seed !== 'number' || typeof bytes !== 'number')
      throw new Error('a fake model needs seed and bytes');
    return new FakeModel(Uint32Array.of(seed, 0, bytes));
  },
  restore(state: Uint8Array): Model {
    if (state.byteLength !== STATE_BYTES) throw new Error(`${state.byteLength} bytes are no fake model`);
    return new FakeModel(new Uint32Array(state.slice().buffer));
  },
};

class FakeModel implements Model {
  /** Hash of all rows so far, number of rows, bytes it says to take. */
  readonly #state: Uint32Array;
  #isReleased = false;

  constructor(state: Uint32Array) {
    this.#state = state;
  }

  get byteLength(): number {
    return this.#state[2] ?? 0;
  }

  run(timestamp: number, value: number): number {
    this.#check();
    // Changed before it fails, as a real model might be: whoever goes on with it gets other scores.
    this.#mix(timestamp);
    if (value === POISON) throw new RangeError('poison');
    for (const half of new Uint32Array(Float64Array.of(value).buffer)) this.#mix(half);
    this.#state[1] = (this.#state[1] ?? 0) + 1;
    return (this.#state[0] ?? 0) / 2 ** 32;
  }

  reset(): void {
    this.#mix(1);
  }

  predictions(): string | null {
    return null;
  }

  save(): Uint8Array {
    this.#check();
    return new Uint8Array(this.#state.slice().buffer);
  }

  release(): void {
    this.#check();
    this.#isReleased = true;
  }

  /** Whoever uses a model that was released, or releases it again, has lost count of it. */
  #check(): void {
    if (this.#isReleased) throw new Error('the model was released');
  }

  #mix(word: number): void {
    let hash = (this.#state[0] ?? 0) ^ word;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
    this.#state[0] = hash ^ (hash >>> 15);
  }
}
