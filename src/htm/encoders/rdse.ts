import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart, SectionSpec } from '../arena.ts';
import { Random } from '../random.ts';
import type { ValueEncoder } from './encoder.ts';

/** Constants of a random distributed scalar encoder. */
export interface RdseParameters {
  /** Width of a bucket, in units of the value; positive. */
  readonly resolution: number;
  /** On bits: odd, positive. */
  readonly w: number;
  /** Bits: more than 6 w. */
  readonly n: number;
  /** Of the generator: a positive integer. */
  readonly seed: number;
  /** The value at the middle of the middle bucket; null takes the first value seen. */
  readonly offset: number | null;
}

/** No bit is left that would keep a new bucket's pattern far enough from all others: `n` is too small for `w`. */
export class EncoderCapacityError extends Error {
  override readonly name = 'EncoderCapacityError';
}

/**
 * The random distributed scalar encoder: neighbouring buckets share all but one of their `w` on bits, buckets at
 * least `w` apart share at most two. Model reference, section 2.1.
 *
 * Patterns are made when first needed, outward from bucket 500. Bucket j's pattern differs from its inner
 * neighbour's only in slot j mod w, so one new bit per bucket is all there is to keep.
 */
export class RandomDistributedScalarEncoder implements ValueEncoder {
  /** Buckets there are at most; they are numbered from 0. */
  static readonly BUCKET_COUNT = 1000;

  /** Sections this component owns in the arena. */
  static schema(): SectionSpec[] {
    return [
      { name: 'rdseRandom', type: 'u32', length: Random.STATE_WORDS },
      { name: 'rdseOffset', type: 'f64', length: 1 },
      { name: 'rdseExtent', type: 'u16', length: 2 },
      { name: 'rdseNewBits', type: 'u16', length: BUCKETS },
    ];
  }

  /** A new encoder over the zeroed sections `firstSection`, ... of `arena`. */
  static create(
    arena: Arena,
    firstSection: number,
    parameters: RdseParameters,
  ): RandomDistributedScalarEncoder {
    const encoder = new RandomDistributedScalarEncoder(arena, firstSection, parameters);
    encoder.#randomState.set(encoder.#startState);
    encoder.#offset[0] = parameters.offset ?? NaN;
    encoder.#extent.fill(MIDDLE);
    return encoder;
  }

  /**
   * The encoder whose state is in the sections `firstSection`, ... of a loaded `arena`.
   * @throws ArenaFormatError when it is not a state this encoder can have.
   */
  static attach(
    arena: Arena,
    firstSection: number,
    parameters: RdseParameters,
  ): RandomDistributedScalarEncoder {
    const encoder = new RandomDistributedScalarEncoder(arena, firstSection, parameters);
    encoder.#checkState();
    return encoder;
  }

  readonly width: number;
  readonly maxOnBits: number;

  readonly #parameters: RdseParameters;
  /** Bucket 500's pattern, in slots. */
  readonly #middlePattern: Uint16Array;
  /** The generator's state once the middle pattern is drawn. */
  readonly #startState: Uint32Array;
  /** Scratch: the new bucket's pattern, in slots and as a set. */
  readonly #candidate: Uint16Array;
  readonly #isInCandidate: Uint8Array;
  #randomState!: Uint32Array;
  #random!: Random;
  #offset!: Float64Array;
  /** Lowest and highest bucket that exist. */
  #extent!: Uint16Array;
  #newBits!: Uint16Array;
  #bucket = -1;
  #rejectedDraws = 0;

  private constructor(arena: Arena, firstSection: number, parameters: RdseParameters) {
    const { n, w, seed } = parameters;
    this.#parameters = parameters;
    this.width = n;
    this.maxOnBits = w;
    this.#startState = new Uint32Array(Random.STATE_WORDS);
    const all = Uint16Array.from({ length: n }, (_, i) => i);
    Random.seeded(seed, this.#startState).shuffle(all);
    this.#middlePattern = all.slice(0, w);
    this.#candidate = new Uint16Array(w);
    this.#isInCandidate = new Uint8Array(n);
    arena.part(firstSection, (part: ArenaPart) => {
      this.#randomState = part.view(0);
      this.#random = new Random(this.#randomState);
      this.#offset = part.view(1);
      this.#extent = part.view(2);
      this.#newBits = part.view(3);
    });
  }

  get bucket(): number {
    return this.#bucket;
  }

  /** Draws that were rejected while this object made patterns; a diagnostic. */
  get rejectedDraws(): number {
    return this.#rejectedDraws;
  }

  /** Lowest and highest bucket that has a pattern. */
  get extent(): readonly [number, number] {
    return [this.#extent[0], this.#extent[1]];
  }

  /** @throws EncoderCapacityError if a bucket cannot be given a pattern. */
  encode(value: number, offset: number, out: Uint16Array, from: number): number {
    const bucket = this.bucketOf(value);
    this.#bucket = bucket;
    if (bucket < 0) return from;
    this.#createUpTo(bucket);
    const { w } = this.#parameters;
    for (let slot = 0; slot < w; slot++) out[from + slot] = offset + this.#bitOf(bucket, slot);
    return from + w;
  }

  /** The bucket of a value, 0..999, or -1 for NaN. The first value asked for becomes the offset if there is none. */
  bucketOf(value: number): number {
    if (Number.isNaN(value)) return -1;
    if (Number.isNaN(this.#offset[0])) this.#offset[0] = value;
    const quotient = (value - this.#offset[0]) / this.#parameters.resolution;
    return Math.min(Math.max(MIDDLE + roundHalfAway(quotient), 0), BUCKETS - 1);
  }

  /** The pattern of a bucket that exists, in slots: a copy, for tests and inspection. */
  pattern(bucket: number): number[] {
    return Array.from({ length: this.#parameters.w }, (_, slot) => this.#bitOf(bucket, slot));
  }

  /** The bit in `slot` of a bucket: that of the outermost bucket between the middle and it which renewed this slot. */
  #bitOf(bucket: number, slot: number): number {
    const { w } = this.#parameters;
    if (bucket >= MIDDLE) {
      const renewed = bucket - ((((bucket - slot) % w) + w) % w);
      return renewed > MIDDLE ? this.#newBits[renewed] : this.#middlePattern[slot];
    }
    const renewed = bucket + ((((slot - bucket) % w) + w) % w);
    return renewed < MIDDLE ? this.#newBits[renewed] : this.#middlePattern[slot];
  }

  #createUpTo(bucket: number): void {
    while (this.#extent[1] < bucket) this.#createBucket(this.#extent[1] + 1, this.#extent[1]);
    while (this.#extent[0] > bucket) this.#createBucket(this.#extent[0] - 1, this.#extent[0]);
  }

  #createBucket(bucket: number, neighbour: number): void {
    const { w, n } = this.#parameters;
    const slot = bucket % w;
    this.#isInCandidate.fill(0);
    for (let s = 0; s < w; s++) {
      this.#candidate[s] = this.#bitOf(neighbour, s);
      this.#isInCandidate[this.#candidate[s]] = 1;
    }
    const replaced = this.#candidate[slot];
    let rejected = 0;
    let bit = this.#random.below(n);
    while (!this.#isAcceptable(bit, bucket, replaced)) {
      rejected++;
      if (rejected === n) this.#requireAcceptableBit(bucket, replaced);
      bit = this.#random.below(n);
    }
    this.#rejectedDraws += rejected;
    this.#newBits[bucket] = bit;
    this.#extent[bucket > MIDDLE ? 1 : 0] = bucket;
  }

  /** Whether `bit`, put in the place of `replaced`, keeps the candidate for `bucket` at the right distance from all others. */
  #isAcceptable(bit: number, bucket: number, replaced: number): boolean {
    const members = this.#isInCandidate;
    if (members[bit] === 1) return false;
    members[replaced] = 0;
    members[bit] = 1;
    const accepted = this.#overlapsFit(bucket);
    members[bit] = 0;
    members[replaced] = 1;
    return accepted;
  }

  /** Walks outward from the middle on both sides; each step changes one slot, so the overlap is carried along. */
  #overlapsFit(bucket: number): boolean {
    const members = this.#isInCandidate;
    let middleOverlap = 0;
    for (const bit of this.#middlePattern) middleOverlap += members[bit];
    if (!this.#overlapFits(middleOverlap, Math.abs(bucket - MIDDLE))) return false;
    const lowest = this.#extent[0];
    const highest = this.#extent[1];
    const { w } = this.#parameters;
    let overlap = middleOverlap;
    for (let other = MIDDLE + 1; other <= highest; other++) {
      overlap += members[this.#newBits[other]] - members[this.#bitOf(other - 1, other % w)];
      if (!this.#overlapFits(overlap, Math.abs(bucket - other))) return false;
    }
    overlap = middleOverlap;
    for (let other = MIDDLE - 1; other >= lowest; other--) {
      overlap += members[this.#newBits[other]] - members[this.#bitOf(other + 1, other % w)];
      if (!this.#overlapFits(overlap, Math.abs(bucket - other))) return false;
    }
    return true;
  }

  #overlapFits(overlap: number, distance: number): boolean {
    const { w } = this.#parameters;
    return distance < w ? overlap === w - distance : overlap <= MAX_OVERLAP;
  }

  /** After very many rejections: makes sure that drawing on can come to an end. */
  #requireAcceptableBit(bucket: number, replaced: number): void {
    const { n, w } = this.#parameters;
    for (let bit = 0; bit < n; bit++) if (this.#isAcceptable(bit, bucket, replaced)) return;
    throw new EncoderCapacityError(
      `n = ${n} bits with w = ${w} on cannot tell bucket ${bucket} from those that exist; use a larger n`,
    );
  }

  #checkState(): void {
    const [lowest, highest] = this.#extent;
    if (lowest > MIDDLE || highest < MIDDLE || highest >= BUCKETS)
      throw new ArenaFormatError(`encoder: buckets ${lowest}..${highest}`);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const exists = bucket >= lowest && bucket <= highest && bucket !== MIDDLE;
      if (this.#newBits[bucket] >= (exists ? this.#parameters.n : 1))
        throw new ArenaFormatError(`encoder: bit ${this.#newBits[bucket]} of bucket ${bucket}`);
    }
    if (Math.abs(this.#offset[0]) === Infinity) throw new ArenaFormatError('encoder: infinite offset');
    checkGenerator(this.#randomState);
  }
}

/** A generator's saved state: words below its modulus, indices within, at their constant distance. */
function checkGenerator(state: Uint32Array): void {
  const words = Random.STATE_WORDS - 2;
  for (let i = 0; i < words; i++)
    if (state[i] >= 2 ** 32 - 1) throw new ArenaFormatError('encoder: generator word');
  const front = state[words];
  const rear = state[words + 1];
  if (front >= words || rear >= words || (front + words - rear) % words !== 3)
    throw new ArenaFormatError('encoder: generator index');
}

/** To the nearest integer, halves away from zero (`Math.round` takes negative halves towards zero). */
function roundHalfAway(x: number): number {
  const nearest = Math.floor(Math.abs(x));
  const rounded = Math.abs(x) - nearest >= 0.5 ? nearest + 1 : nearest;
  return x < 0 ? -rounded : rounded;
}

const BUCKETS = RandomDistributedScalarEncoder.BUCKET_COUNT;
const MIDDLE = 500;
const MAX_OVERLAP = 2;
