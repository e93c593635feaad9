/**
 * Memory of models over all workers: what is held, what is being given back, whether one more fits. A single model
 * is allowed whatever its size.
 */
export class MemoryBudget {
  readonly #limitBytes: number;
  readonly #typicalModelBytes: number;
  #heldBytes = 0;
  #leavingBytes = 0;
  #largestBytes = 0;

  /** @param typicalModelBytes what a model is taken to need before the first one has told its size. */
  constructor(limitBytes: number, typicalModelBytes: number) {
    this.#limitBytes = limitBytes;
    this.#typicalModelBytes = typicalModelBytes;
  }

  /** Held by warm models and reserved for those being loaded. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Of that, what is not being given back. */
  get keptBytes(): number {
    return this.#heldBytes - this.#leavingBytes;
  }

  /** What a model is taken to need until it is loaded and tells: as much as the largest so far. */
  get reservedBytes(): number {
    return this.#largestBytes === 0 ? this.#typicalModelBytes : this.#largestBytes;
  }

  /** One more model fits now. */
  get hasRoom(): boolean {
    return this.#fits(this.#heldBytes);
  }

  /** One more model will fit when those that leave have left. */
  get willHaveRoom(): boolean {
    return this.#fits(this.keptBytes);
  }

  /** More is kept than allowed. */
  get exceeded(): boolean {
    return this.keptBytes > this.#limitBytes;
  }

  /** A model that took `before` bytes takes `after`. */
  hold(before: number, after: number): void {
    this.#heldBytes += after - before;
  }

  /** A model has told its size. */
  learn(bytes: number): void {
    this.#largestBytes = Math.max(this.#largestBytes, bytes);
  }

  /** A model that takes `bytes` begins to leave. */
  leave(bytes: number): void {
    this.#leavingBytes += bytes;
  }

  /** It has left. */
  left(bytes: number): void {
    this.#leavingBytes -= bytes;
    this.#heldBytes -= bytes;
  }

  #fits(bytes: number): boolean {
    return bytes === 0 || bytes + this.reservedBytes <= this.#limitBytes;
  }
}
