/**
 * The originals' pseudo-random generator: a lagged additive generator of 31 words, modulus 2^32 - 1, of which
 * each raw output keeps the upper 31 bits. Model reference, section 10.
 *
 * Its whole state is 33 words in a view that the caller owns (a section of the model's arena), so that saving a
 * model saves its generators.
 */
export class Random {
  /** Words of state a generator needs: 31 summands and two indices. */
  static readonly STATE_WORDS = 33;

  readonly #state: Uint32Array;

  /** Continues the generator whose state is in `state` (length 33). */
  constructor(state: Uint32Array) {
    if (state.length !== Random.STATE_WORDS)
      throw new RangeError(`generator state has ${state.length} words, not 33`);
    this.#state = state;
  }

  /** Writes the state that follows from `seed` (an integer in 1..2^53) into `state` and returns the generator. */
  static seeded(seed: number, state: Uint32Array = new Uint32Array(Random.STATE_WORDS)): Random {
    if (!Number.isSafeInteger(seed) || seed < 1)
      throw new RangeError(`seed must be a positive integer, not ${seed}`);
    state[0] = seed % MODULUS;
    for (let i = 1; i < WORDS; i++) {
      const previous = state[i - 1];
      let next = 16807 * (previous % 127773) - 2836 * Math.floor(previous / 127773);
      // The original computes this in signed 32-bit arithmetic; a seed near 2^32 would wrap, and `| 0` wraps alike.
      next |= 0;
      if (next < 0) next += 2147483647;
      state[i] = next % MODULUS;
    }
    state[FRONT] = 3;
    state[REAR] = 0;
    const random = new Random(state);
    for (let i = 0; i < DISCARDED; i++) random.raw();
    return random;
  }

  /** The next raw output, 0 .. 2^31 - 1. */
  raw(): number {
    const s = this.#state;
    const front = s[FRONT];
    const rear = s[REAR];
    let sum = s[front] + s[rear];
    if (sum >= MODULUS) sum -= MODULUS;
    s[front] = sum;
    s[FRONT] = front === WORDS - 1 ? 0 : front + 1;
    s[REAR] = rear === WORDS - 1 ? 0 : rear + 1;
    return sum >>> 1;
  }

  /** A bounded draw, 0 .. n - 1 (n in 1 .. 2^31). Consumes one raw output, also for n = 1; the modulo bias is part of the behaviour. */
  below(n: number): number {
    return this.raw() % n;
  }

  /** A 62-bit draw (bits 31 and 63 are always 0) as the originals' getUInt64. Consumes two raw outputs. */
  uint64(): bigint {
    const low = this.raw();
    const high = this.raw();
    return BigInt(low) + (BigInt(high) << 32n);
  }

  /** A real draw in [0, 1) with 48 random bits. Consumes two raw outputs. */
  real(): number {
    const low = this.raw();
    const high = this.raw();
    return ((high & 0xffff) * 2 ** 32 + low) / 2 ** 48;
  }

  /** Selection sampling: writes `k` members of `from[0..n)` to `out`, in the order of `from`. Draws stop once k are chosen. */
  sample(from: ArrayLike<number>, n: number, k: number, out: { [index: number]: number }): void {
    if (k > n) throw new RangeError(`cannot choose ${k} of ${n}`);
    let chosen = 0;
    for (let i = 0; chosen < k; i++) {
      if (this.below(n - i) < k - chosen) out[chosen++] = from[i];
    }
  }

  /** Shuffles `list` in place with exactly `list.length` draws. */
  shuffle(list: { [index: number]: number; length: number }): void {
    for (let i = 0; i < list.length; i++) {
      const j = i + this.below(list.length - i);
      const kept = list[i];
      list[i] = list[j];
      list[j] = kept;
    }
  }
}

const MODULUS = 2 ** 32 - 1;
const WORDS = 31;
const FRONT = 31;
const REAR = 32;
const DISCARDED = 310;
