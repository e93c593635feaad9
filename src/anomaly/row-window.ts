import type { LikelihoodHistory } from '../htm/streaming-likelihood.ts';

/** Rows that have raw scores, oldest first; the arrays have the same length. */
export interface ScoredByModel {
  readonly rowids: Int32Array;
  readonly values: Float64Array;
  readonly rawScores: Float64Array;
}

const INITIAL_CAPACITY = 1024;

/**
 * The newest rows that went past, as many as a fit of the likelihood looks back over, so that fits that follow each
 * other read no row twice. Holds at most twice that many.
 */
export class RowWindow {
  readonly #size: number;
  #values = new Float64Array(INITIAL_CAPACITY);
  #rawScores = new Float64Array(INITIAL_CAPACITY);
  #length = 0;

  /** @param size rows that `last` may be asked for, 1 or more. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Rows it holds; never fewer than the smaller of `size` and the rows that were put in. */
  get length(): number {
    return this.#length;
  }

  append(value: number, rawScore: number): void {
    if (this.#length === this.#values.length) this.#makeRoom();
    this.#values[this.#length] = value;
    this.#rawScores[this.#length] = rawScore;
    this.#length += 1;
  }

  /** Puts rows before all it holds. */
  prepend(older: ScoredByModel): void {
    const added = older.values.length;
    const length = added + this.#length;
    const values = new Float64Array(Math.max(INITIAL_CAPACITY, length));
    const rawScores = new Float64Array(values.length);
    values.set(older.values);
    rawScores.set(older.rawScores);
    values.set(this.#values.subarray(0, this.#length), added);
    rawScores.set(this.#rawScores.subarray(0, this.#length), added);
    this.#values = values;
    this.#rawScores = rawScores;
    this.#length = length;
  }

  /** The newest `length` rows; valid until the next change. @throws RangeError if it holds fewer. */
  last(length: number): LikelihoodHistory {
    if (length > this.#length) throw new RangeError(`the window holds ${this.#length} rows, not ${length}`);
    return { values: this.#values, rawScores: this.#rawScores, offset: this.#length - length, length };
  }

  /** Keeps the newest `size` rows, in arrays with room for as many again. */
  #makeRoom(): void {
    const from = Math.max(0, this.#length - this.#size);
    const kept = this.#length - from;
    const values = new Float64Array(2 * kept);
    const rawScores = new Float64Array(2 * kept);
    values.set(this.#values.subarray(from, this.#length));
    rawScores.set(this.#rawScores.subarray(from, this.#length));
    this.#values = values;
    this.#rawScores = rawScores;
    this.#length = kept;
  }
}
