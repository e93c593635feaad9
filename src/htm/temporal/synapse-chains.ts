import type { Arena, ArenaPart } from '../arena.ts';
import { scratch } from './scratch.ts';
import {
  FREE_GRANULE,
  GRANULES_USED,
  MAX_GRANULES,
  SEGMENTS_USED,
  SLOTS as slots,
  SLOT_BITS as slotBits,
  SYNAPSE_COUNT,
  granuleLengths,
  grownLength,
  segmentTables,
} from './segment-tables.ts';
import type { SegmentLimits } from './segment-tables.ts';
import { SourceIndex } from './source-index.ts';
import type { TypedArray } from '../tables.ts';

/**
 * The synapses of a plain memory's segments, and how they learn (model reference, sections 5.3 and 5.6).
 *
 * Synapses live in granules of 16 slots, sources and permanences apart. A segment owns a chain of granules and keeps its
 * synapses in order of creation along it; a destroyed synapse leaves an empty slot (source and permanence 0), which only
 * compaction closes. Sets of slots - living, active, connected - are a 16-bit mask per granule. The index says which
 * synapses listen to a cell, so the active ones are marked once a record, and neither counting nor learning looks at sources.
 *
 * A link is a number plus 1, or 0 for none. A set of cells is a bit per cell number, 32 to a word.
 */
export class SynapseChains {
  /** The connected permanence as the integer with the same bits: for permanences both order alike. */
  readonly #connectedBits: number;
  readonly #index: SourceIndex;
  readonly #part: ArenaPart;
  /** The part of `SegmentTables` that is about synapses, and the permanences once more as the integers with the same bits. */
  #counters!: Uint32Array;
  #sizes!: Uint16Array;
  #firstLinks!: Uint32Array;
  #nextLinks!: Uint32Array;
  #living!: Uint16Array;
  #sources!: Uint16Array;
  #permanences!: Float32Array;
  #permanenceBits!: Int32Array;
  /**
   * Derived per granule: its segment, the slots with a connected synapse, and some of those with a permanence of 1 (so
   * that need not be raised).
   */
  #segments = new Uint32Array(0);
  #connected = new Uint16Array(0);
  #full = new Uint16Array(0);
  /** Per granule the slots whose source was active when last counted; the same as words, of two granules each. */
  #active = new Uint16Array(0);
  #activeWords = new Int32Array(0);

  /** The synapses in a store's sections of `arena`, which must not contradict each other or the limits. */
  constructor(arena: Arena, firstSection: number, limits: SegmentLimits) {
    this.#connectedBits = Math.max(0, new Int32Array(Float32Array.of(limits.connectedPermanence).buffer)[0]);
    this.#part = arena.part(firstSection, (part) => this.#lay(part));
    this.#index = this.#derive(((limits.columnCount << limits.cellShift) + 31) >>> 5);
  }

  /** The tables it holds outside the arena, and not shared. */
  tables(): TypedArray[] {
    return [this.#segments, this.#connected, this.#full, this.#activeWords, ...this.#index.tables()];
  }

  /** Synapses of `segment`. */
  size(segment: number): number {
    return this.#sizes[segment];
  }

  /**
   * Finds the active synapses: those whose source is in the cell set `active`, of which `groups[0..groupCount)` are the
   * words that are not 0. Counts them per segment number into `counts[0..bound)`: all in the lower 16 bits, the
   * connected ones in the upper. `bound` is above every segment's number.
   */
  findActive(
    active: Uint32Array,
    groups: Uint16Array,
    groupCount: number,
    counts: Uint32Array,
    bound: number,
  ): void {
    const used = this.#counters[GRANULES_USED];
    this.#activeWords.fill(0, 0, (used + 1) >>> 1);
    this.#index.mark(active, groups, groupCount, this.#activeWords);
    counts.fill(0, 0, bound);
    const segments = this.#segments;
    const marks = this.#active;
    const connected = this.#connected;
    for (let granule = 0; granule < used; granule++) {
      const mark = marks[granule];
      // The bits of both sets are counted at once, in the halves of a word.
      let bits = mark | ((mark & connected[granule]) << 16);
      bits -= (bits >>> 1) & 0x55555555;
      bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
      bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
      counts[segments[granule]] += (bits + (bits >>> 8)) & 0x001f001f;
    }
  }

  /**
   * Reads the permanences of `chosen[0..count)`, which are about to learn. Following one chain after the other, a memory that is
   * not in the caches would be waited for at every granule; these reads depend on nothing and overlap.
   */
  prefetch(chosen: Uint32Array, count: number): void {
    const used = this.#counters[GRANULES_USED];
    const isChosen = scratch.marksOfSegments(this.#counters[SEGMENTS_USED]);
    const segments = this.#segments;
    const bits = this.#permanenceBits;
    for (let k = 0; k < count; k++) isChosen[chosen[k]] = 1;
    let read = 0;
    for (let granule = 0; granule < used; granule++) {
      const place = (granule << SLOT_BITS) * isChosen[segments[granule]];
      read |= bits[place] | bits[place + SLOTS - 1];
    }
    for (let k = 0; k < count; k++) isChosen[chosen[k]] = 0;
    // The reads must have a use, or they would be left out.
    scratch.read = read;
  }

  /**
   * Raises each permanence of `segment` by `up` where the synapse is active, and lowers it by `down` elsewhere (5.3).
   * Synapses that fall to 0 are destroyed.
   * @returns whether the segment has a synapse left.
   */
  reinforce(segment: number, up: number, down: number): boolean {
    let link = this.#firstLinks[segment];
    while (link !== 0) {
      const granule = link - 1;
      link = this.#nextLinks[granule];
      const raise = this.#active[granule];
      // Most active synapses of a settled memory have reached 1 and stay there.
      const raised = this.#raise(granule, raise & ~this.#full[granule], up);
      const lowered = this.#lower(granule, this.#living[granule] & ~raise, down);
      if ((raised | lowered) < 0) this.#review(segment, granule);
    }
    return this.#sizes[segment] > 0;
  }

  /** Lowers the permanences of the active synapses of `segment`, else as `reinforce`. */
  punish(segment: number, down: number): boolean {
    let link = this.#firstLinks[segment];
    while (link !== 0) {
      const granule = link - 1;
      link = this.#nextLinks[granule];
      if (this.#lower(granule, this.#active[granule], down) < 0) this.#review(segment, granule);
    }
    return this.#sizes[segment] > 0;
  }

  /** Adds the sources of the active synapses of `segment` to the cell set `set`. */
  addActiveSources(segment: number, set: Uint32Array): void {
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
      for (let left = this.#active[link - 1]; left !== 0; left &= left - 1) {
        const source = this.#sources[placeOf(link - 1, left)];
        set[source >>> 5] |= 1 << source;
      }
    }
  }

  /** Adds a synapse from `source`, which the segment must not have yet. It is not active before they are found again. */
  append(segment: number, source: number, permanence: number): void {
    const place = this.#takePlace(segment);
    this.#sources[place] = source;
    this.#permanences[place] = permanence;
    this.#living[place >>> SLOT_BITS] |= 1 << (place & SLOT_MASK);
    this.#noteThresholds(place);
    this.#sizes[segment]++;
    this.#counters[SYNAPSE_COUNT]++;
    this.#index.add(source, place);
  }

  /**
   * Destroys the weakest synapse whose source is not in the cell set `kept`: the first in order of creation that
   * no later one undercuts by more than 1e-6, as the original compares (5.6, rule 3).
   * @returns false if every source is in `kept`.
   */
  removeWeakest(segment: number, kept: Uint32Array): boolean {
    let weakest = -1;
    let least = Infinity;
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
      for (let left = this.#living[link - 1]; left !== 0; left &= left - 1) {
        const place = placeOf(link - 1, left);
        const source = this.#sources[place];
        const permanence = this.#permanences[place];
        if (((kept[source >>> 5] >>> source) & 1) === 0 && permanence < Math.fround(least - MARGIN)) {
          weakest = place;
          least = permanence;
        }
      }
    }
    if (weakest < 0) return false;
    this.#destroy(segment, weakest >>> SLOT_BITS, 1 << (weakest & SLOT_MASK));
    return true;
  }

  /** Destroys all synapses of a segment. */
  clear(segment: number): void {
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#firstLinks[segment]) {
      this.#destroy(segment, link - 1, this.#living[link - 1]);
    }
  }

  /** Sources and permanences of a segment in order of creation, copied out; for tests and inspection. */
  read(segment: number): { sources: number[]; permanences: number[] } {
    const sources: number[] = [];
    const permanences: number[] = [];
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
      for (let left = this.#living[link - 1]; left !== 0; left &= left - 1) {
        sources.push(this.#sources[placeOf(link - 1, left)]);
        permanences.push(this.#permanences[placeOf(link - 1, left)]);
      }
    }
    return { sources, permanences };
  }

  /** Raises the permanences in the slots of `mask`, to 1 at most; negative if one of them has become connected. */
  #raise(granule: number, mask: number, up: number): number {
    const bits = this.#permanenceBits;
    const permanences = this.#permanences;
    const belowConnected = this.#connectedBits - 1;
    // Told to be a number, it is not looked at again in each round.
    const by = Math.fround(up);
    let notable = 0;
    let full = 0;
    for (let left = mask; left !== 0; left &= left - 1) {
      const bit = left & -left;
      const place = placeOf(granule, left);
      const before = bits[place];
      permanences[place] += by;
      if (bits[place] >= ONE_BITS) {
        bits[place] = ONE_BITS;
        full |= bit;
      }
      notable |= (belowConnected - bits[place]) ^ (belowConnected - before);
    }
    this.#full[granule] |= full;
    return notable;
  }

  /** Lowers the permanences in the slots of `mask`; negative if one has ceased to be connected or has fallen to 0. */
  #lower(granule: number, mask: number, down: number): number {
    const bits = this.#permanenceBits;
    const permanences = this.#permanences;
    const belowConnected = this.#connectedBits - 1;
    const by = Math.fround(down);
    let notable = 0;
    for (let left = mask; left !== 0; left &= left - 1) {
      const place = placeOf(granule, left);
      const before = bits[place];
      permanences[place] -= by;
      const after = bits[place];
      // Signs of differences, instead of branches that cannot be predicted.
      notable |=
        ((belowConnected - after) ^ (belowConnected - before)) | after | (after - LEAST_PERMANENCE_BITS);
    }
    this.#full[granule] &= ~mask;
    return notable;
  }

  /** Finds the granule's connected synapses again and destroys those whose permanence has fallen to 0. */
  #review(segment: number, granule: number): void {
    let connected = 0;
    let dead = 0;
    for (let left = this.#living[granule]; left !== 0; left &= left - 1) {
      const bit = left & -left;
      const bits = this.#permanenceBits[placeOf(granule, left)];
      if (bits >= this.#connectedBits) connected |= bit;
      if (bits < LEAST_PERMANENCE_BITS) dead |= bit;
    }
    this.#connected[granule] = connected;
    if (dead !== 0) this.#destroy(segment, granule, dead);
  }

  /** Destroys the synapses in the slots of `mask`; a granule without synapses leaves the chain. */
  #destroy(segment: number, granule: number, mask: number): void {
    for (let left = mask; left !== 0; left &= left - 1) {
      const place = placeOf(granule, left);
      this.#index.remove(this.#sources[place], place);
      this.#sources[place] = 0;
      this.#permanences[place] = 0;
      this.#sizes[segment]--;
      this.#counters[SYNAPSE_COUNT]--;
    }
    for (const set of [this.#living, this.#active, this.#connected, this.#full]) set[granule] &= ~mask;
    if (this.#living[granule] === 0) this.#unlink(segment, granule);
  }

  #unlink(segment: number, granule: number): void {
    if (this.#firstLinks[segment] === granule + 1) {
      this.#firstLinks[segment] = this.#nextLinks[granule];
    } else {
      let before = this.#firstLinks[segment] - 1;
      while (this.#nextLinks[before] !== granule + 1) before = this.#nextLinks[before] - 1;
      this.#nextLinks[before] = this.#nextLinks[granule];
    }
    this.#nextLinks[granule] = this.#counters[FREE_GRANULE];
    this.#counters[FREE_GRANULE] = granule + 1;
  }

  /** The place of the segment's next synapse: after all it has. */
  #takePlace(segment: number): number {
    let granules = 0;
    let last = -1;
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
      last = link - 1;
      granules++;
    }
    if (last >= 0) {
      const slot = 32 - Math.clz32(this.#living[last]);
      if (slot < SLOTS) return last * SLOTS + slot;
      if (granules * SLOTS - this.#sizes[segment] >= SLOTS) {
        this.#compact(segment);
        return this.#takePlace(segment);
      }
    }
    const granule = this.#takeGranule(segment);
    if (last < 0) this.#firstLinks[segment] = granule + 1;
    else this.#nextLinks[last] = granule + 1;
    this.#nextLinks[granule] = 0;
    return granule * SLOTS;
  }

  /** Notes whether the synapse at `place` is connected, and whether its permanence is 1. */
  #noteThresholds(place: number): void {
    const bit = 1 << (place & SLOT_MASK);
    if (this.#permanenceBits[place] >= this.#connectedBits) this.#connected[place >>> SLOT_BITS] |= bit;
    if (this.#permanenceBits[place] === ONE_BITS) this.#full[place >>> SLOT_BITS] |= bit;
  }

  /** Closes the gaps between the segment's synapses. */
  #compact(segment: number): void {
    let target = this.#firstLinks[segment] - 1;
    let slot = 0;
    let link = this.#firstLinks[segment];
    while (link !== 0) {
      const granule = link - 1;
      link = this.#nextLinks[granule];
      for (let left = this.#living[granule]; left !== 0; left &= left - 1) {
        if (slot === SLOTS) {
          target = this.#nextLinks[target] - 1;
          slot = 0;
        }
        this.#moveSynapse(placeOf(granule, left), target * SLOTS + slot);
        slot++;
      }
      if (this.#living[granule] === 0) this.#unlink(segment, granule);
    }
  }

  #moveSynapse(from: number, to: number): void {
    if (from === to) return;
    this.#index.move(this.#sources[from], from, to);
    this.#sources[to] = this.#sources[from];
    this.#permanences[to] = this.#permanences[from];
    this.#sources[from] = 0;
    this.#permanences[from] = 0;
    for (const mask of [this.#living, this.#active, this.#connected, this.#full]) {
      const bit = (mask[from >>> SLOT_BITS] >>> (from & SLOT_MASK)) & 1;
      mask[from >>> SLOT_BITS] &= ~(1 << (from & SLOT_MASK));
      mask[to >>> SLOT_BITS] |= bit << (to & SLOT_MASK);
    }
  }

  #takeGranule(segment: number): number {
    const granule = this.#freeGranule();
    this.#segments[granule] = segment;
    return granule;
  }

  #freeGranule(): number {
    const free = this.#counters[FREE_GRANULE];
    if (free > 0) {
      this.#counters[FREE_GRANULE] = this.#nextLinks[free - 1];
      return free - 1;
    }
    const granule = this.#counters[GRANULES_USED];
    if (granule === this.#nextLinks.length) {
      const length = Math.min(grownLength(granule), MAX_GRANULES);
      if (length === granule) throw new RangeError(`the memory is full: ${granule * SLOTS} synapses`);
      this.#part.resize(granuleLengths(length));
    }
    this.#counters[GRANULES_USED] = granule + 1;
    return granule;
  }

  #lay(part: ArenaPart): void {
    const tables = segmentTables(part);
    this.#counters = tables.counters;
    this.#sizes = tables.sizes;
    this.#firstLinks = tables.firstLinks;
    this.#nextLinks = tables.nextLinks;
    this.#living = tables.living;
    this.#sources = tables.sources;
    this.#permanences = tables.permanences;
    const { buffer, byteOffset, length } = this.#permanences;
    this.#permanenceBits = new Int32Array(buffer, byteOffset, length);
    this.#fitDerived(this.#nextLinks.length);
  }

  /** Gives the derived tables room for so many granules, keeping what they hold. */
  #fitDerived(granules: number): void {
    if (this.#connected.length === granules) return;
    const { length } = this.#connected;
    const words = new Int32Array((granules + 1) >>> 1);
    words.set(this.#activeWords);
    this.#activeWords = words;
    this.#active = new Uint16Array(words.buffer);
    const old = [this.#segments, this.#connected, this.#full] as const;
    this.#segments = new Uint32Array(granules);
    this.#connected = new Uint16Array(granules);
    this.#full = new Uint16Array(granules);
    if (length === 0) return;
    this.#segments.set(old[0]);
    this.#connected.set(old[1]);
    this.#full.set(old[2]);
  }

  /** Fills the derived tables of a store that is new or just loaded, whose numbers are all in use; returns the index over so many groups of cells. */
  #derive(groupCount: number): SourceIndex {
    const count = this.#counters[SYNAPSE_COUNT];
    const sources = new Uint16Array(count);
    const places = new Uint32Array(count);
    let n = 0;
    for (let segment = 0; segment < this.#counters[SEGMENTS_USED]; segment++) {
      for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
        this.#segments[link - 1] = segment;
        for (let left = this.#living[link - 1]; left !== 0; left &= left - 1) {
          const place = placeOf(link - 1, left);
          this.#noteThresholds(place);
          sources[n] = this.#sources[place];
          places[n++] = place;
        }
      }
    }
    return SourceIndex.of(groupCount, sources, places);
  }
}

/** The place of the lowest slot of a set that is not empty. */
function placeOf(granule: number, slots: number): number {
  return (granule << SLOT_BITS) + (31 - Math.clz32(slots & -slots));
}

// Of exported constants the compiler looks up the value at each use; these are part of the compiled code.
const SLOT_BITS = slotBits;
const SLOTS = slots;
const SLOT_MASK = SLOTS - 1;
/** Below 1e-6 a synapse is destroyed; as the integer with the bits of that binary32 value. */
const LEAST_PERMANENCE_BITS = new Int32Array(Float32Array.of(1e-6).buffer)[0];
const ONE_BITS = new Int32Array(Float32Array.of(1).buffer)[0];
/** By how much a permanence must undercut another to count as weaker, binary32. */
const MARGIN = Math.fround(1e-6);
