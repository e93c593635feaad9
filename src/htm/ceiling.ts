/**
 * The most that a temporal memory may hold when a record ends. The original has no such limit: on a series that never
 * repeats it grows for ever. A memory above its ceiling gives up the segments used longest ago, an eighth of all at
 * a time, so that the work of finding them is spread over the many records that it takes to grow back.
 */
export interface Ceiling {
  /** 1..16,777,216. */
  readonly maxSegments: number;
  /** 1..134,217,728. */
  readonly maxSynapses: number;
}

/** @throws RangeError naming the parameter, its value and the rule. */
export function checkCeiling(ceiling: Ceiling | undefined): void {
  if (!ceiling) return;
  for (const [name, most] of [
    ['maxSegments', MOST_SEGMENTS],
    ['maxSynapses', MOST_SYNAPSES],
  ] as const) {
    const value = ceiling[name];
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new RangeError(`ceiling.${name} must be a whole number from 1 to ${most}, not ${value}`);
  }
}

/** What the ceiling must see of a memory's segments. */
export interface LimitedSegments {
  readonly segmentCount: number;
  readonly synapseCount: number;
  /** Gives up the `count` segments that were used longest ago. */
  evict(count: number): void;
}

/** Makes the memory give up segments until it holds no more than its ceiling allows; without one, nothing. */
export function keepBelow(ceiling: Ceiling | undefined, segments: LimitedSegments): void {
  if (!ceiling) return;
  while (segments.segmentCount > ceiling.maxSegments || segments.synapseCount > ceiling.maxSynapses)
    segments.evict(Math.ceil(segments.segmentCount / BATCHES));
}

/**
 * Picks, of many segments, those used longest ago; among equals the first. Whoever asks adds the last use of every
 * segment, chooses, and asks again for each in the same order. It is scratch, so all memories of the thread share one.
 */
export class LeastRecentlyUsed {
  #uses = new Uint32Array(0);
  readonly #counts = new Uint32Array(65_536);
  #added = 0;
  /** The latest use that is chosen, and how many of the segments with exactly this one are still to be. */
  #latest = 0;
  #leftOfLatest = 0;

  /** Forgets what was added before. @param most that will be added. */
  begin(most: number): void {
    this.#added = 0;
    if (this.#uses.length < most) this.#uses = new Uint32Array(most + (most >>> 2));
  }

  /** Adds the next segment. */
  add(lastUse: number): void {
    this.#uses[this.#added++] = lastUse;
  }

  /** Chooses `count` of those added, 1 to all. Does not sort: it counts the upper halves of the uses, then the lower ones of the one it takes. */
  choose(count: number): void {
    const uses = this.#uses.subarray(0, this.#added);
    this.#counts.fill(0);
    for (const use of uses) this.#counts[use >>> 16]++;
    const [upper, above] = this.#find(count);
    this.#counts.fill(0);
    for (const use of uses) if (use >>> 16 === upper) this.#counts[use & 0xffff]++;
    const [lower, left] = this.#find(above);
    this.#latest = upper * 65_536 + lower;
    this.#leftOfLatest = left;
  }

  /** Whether the next segment, which was added with this last use, is chosen. */
  takes(lastUse: number): boolean {
    if (lastUse !== this.#latest) return lastUse < this.#latest;
    return this.#leftOfLatest-- > 0;
  }

  /** The half with the `ordinal`-th of what is counted, from 1, and which one of that half it is. */
  #find(ordinal: number): [half: number, ordinal: number] {
    let half = 0;
    let left = ordinal;
    while (left > this.#counts[half]) left -= this.#counts[half++];
    return [half, left];
  }
}

/** The thread's. */
export const leastRecentlyUsed = new LeastRecentlyUsed();

/** A memory above its ceiling gives up one part in so many. */
const BATCHES = 8;
const MOST_SEGMENTS = 2 ** 24;
const MOST_SYNAPSES = 2 ** 27;
