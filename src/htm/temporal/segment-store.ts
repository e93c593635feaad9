import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart } from '../arena.ts';
import { leastRecentlyUsed } from '../ceiling.ts';
import { scratch } from './scratch.ts';
import { checkSegments } from './segment-check.ts';
import { fillTables, granulesOf, packSegments, plainSegments, unpackSegments } from './segment-packing.ts';
import {
  FREE_GRANULE,
  FREE_SEGMENT,
  GRANULES_USED,
  MAX_GRANULES,
  SEGMENTS_USED,
  SEGMENT_COUNT,
  SLOTS,
  SYNAPSE_COUNT,
  granuleLengths,
  grownLength,
  maxSegmentNumbers,
  segmentLengths,
  segmentTables,
} from './segment-tables.ts';
import type { SegmentLimits } from './segment-tables.ts';
import { SourceIndex } from './source-index.ts';

/** One segment as a reader sees it. Cells are numbered as in `SegmentLimits`; synapses are in order of creation. */
export interface SegmentView {
  readonly owner: number;
  readonly lastUsed: number;
  readonly sources: readonly number[];
  readonly permanences: readonly number[];
}

/**
 * The distal segments of the plain temporal memory with their synapses, in a model's arena (model reference,
 * sections 5.1, 5.3, 5.5 and 5.6).
 *
 * A segment has a number (a slot of the tables, recycled) and a position in the order: by owner cell, then by age. Only
 * the order ever decides anything, so recycled numbers cannot influence results. Segments created or destroyed while
 * a record is learned enter and leave the order at `settle`.
 *
 * Synapses live in granules of 16 slots, sources and permanences apart. A segment owns a chain of granules and keeps its
 * synapses in order of creation along it; a destroyed synapse leaves an empty slot (source and permanence 0), which only
 * compaction closes. Sets of slots - living, connected - are a 16-bit mask per granule. Active synapses are counted in the index by
 * source alone; which ones they are is only found out where a segment learns.
 *
 * A link is a number plus 1, or 0 for none. A set of cells is a bit per cell number, 32 to a word.
 */
export class SegmentStore {
  /** As in `SegmentTables`; these three move when a segment is created. */
  owners!: Uint16Array;
  lastUsed!: Uint32Array;
  order!: Uint32Array;

  readonly #limits: SegmentLimits;
  /** The connected permanence as the integer with the same bits: for permanences both order alike. */
  readonly #connectedBits: number;
  readonly #index: SourceIndex;
  readonly #part: ArenaPart;
  /** The rest of `SegmentTables`, and the permanences once more as the integers with the same bits. */
  #counters!: Uint32Array;
  #sizes!: Uint16Array;
  #firstLinks!: Uint32Array;
  #nextLinks!: Uint32Array;
  #living!: Uint16Array;
  #sources!: Uint16Array;
  #permanences!: Float32Array;
  #permanenceBits!: Int32Array;
  /**
   * Derived per granule: the slots with a connected synapse, and some of those with a permanence of 1 (so that need not
   * be raised).
   */
  #connected = new Uint16Array(0);
  #full = new Uint16Array(0);
  /** Numbers of the segments created since the last `settle`, owners ascending. */
  readonly #created: number[] = [];
  #destroyedCount = 0;

  /**
   * Lays the store over its sections of `arena`, fresh (all 0) or loaded.
   * @throws ArenaFormatError when the sections contradict each other or the limits.
   */
  constructor(arena: Arena, firstSection: number, limits: SegmentLimits) {
    this.#limits = limits;
    this.#connectedBits = Math.max(0, new Int32Array(Float32Array.of(limits.connectedPermanence).buffer)[0]);
    const pack = () => new Map([[0, packSegments(plainSegments(segmentTables(this.#part)))]]);
    this.#part = arena.part(firstSection, (part) => this.#lay(part), pack);
    this.#unpack();
    this.#index = this.#derive();
  }

  get segmentCount(): number {
    return this.#counters[SEGMENT_COUNT];
  }

  get synapseCount(): number {
    return this.#counters[SYNAPSE_COUNT];
  }

  /** Every segment number is below this. */
  get numberBound(): number {
    return this.#counters[SEGMENTS_USED];
  }

  /** Bytes held outside the arena. */
  get derivedBytes(): number {
    return this.#connected.byteLength + this.#full.byteLength + this.#index.byteLength;
  }

  /** Synapses of `segment`. */
  size(segment: number): number {
    return this.#sizes[segment];
  }

  /**
   * Counts the synapses whose source is in the cell set `active`, of which `groups[0..groupCount)` are the words that are
   * not 0, per segment number into `counts[0..numberBound)`: all in the lower 16 bits, the connected ones in the upper.
   */
  countActive(active: Uint32Array, groups: Uint16Array, groupCount: number, counts: Uint32Array): void {
    counts.fill(0, 0, this.numberBound);
    this.#index.count(active, groups, groupCount, counts);
  }

  /** The first position in the order whose segment belongs to `cell` or a higher one. */
  positionOf(cell: number): number {
    let low = 0;
    let high = this.segmentCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.owners[this.order[middle]] < cell) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Creates a segment without synapses on `cell`. If the cell is full, its segments that were active longest ago go
   * first, the older among equals (5.5). Within one record segments must be created in ascending order of their
   * cells, at most one per cell, and be given a synapse before `settle`.
   */
  create(cell: number, now: number): number {
    this.#makeRoom(cell);
    const segment = this.#takeNumber();
    this.owners[segment] = cell;
    this.lastUsed[segment] = now;
    this.#created.push(segment);
    return segment;
  }

  /**
   * Raises each permanence of `segment` by `up` where the source is in the cell set `active`, and lowers it by `down`
   * elsewhere (5.3). Synapses that fall to 0 are destroyed, and with its last synapse the segment.
   * @returns whether the segment still lives.
   */
  reinforce(segment: number, active: Uint32Array, up: number, down: number): boolean {
    let link = this.#firstLinks[segment];
    while (link !== 0) {
      const granule = link - 1;
      link = this.#nextLinks[granule];
      const living = this.#living[granule];
      const raise = this.#slotsFrom(granule, active) & living;
      // Most active synapses of a settled memory have reached 1 and stay there.
      const raised = this.#raise(granule, raise & ~this.#full[granule], up);
      const lowered = this.#lower(granule, living & ~raise, down);
      if ((raised | lowered) < 0) this.#review(segment, granule);
    }
    return this.#isAlive(segment);
  }

  /** Lowers the permanences of `segment` whose source is in the cell set `active`, else as `reinforce`. */
  punish(segment: number, active: Uint32Array, down: number): void {
    let link = this.#firstLinks[segment];
    while (link !== 0) {
      const granule = link - 1;
      link = this.#nextLinks[granule];
      const lower = this.#slotsFrom(granule, active) & this.#living[granule];
      if (this.#lower(granule, lower, down) < 0) this.#review(segment, granule);
    }
    this.#isAlive(segment);
  }

  /**
   * Reads what `reinforce` and `punish` will need of `segments[0..count)`. Following one chain after the other, a memory that is
   * not in the caches would be waited for at every link; here all chains advance together, and their reads overlap.
   */
  prefetch(segments: Uint32Array, count: number): void {
    if (scratch.frontier.length < count) scratch.frontier = new Uint32Array(segments.length);
    const granules = scratch.frontier;
    const firstLinks = this.#firstLinks;
    const nextLinks = this.#nextLinks;
    const living = this.#living;
    const full = this.#full;
    const sources = this.#sources;
    const bits = this.#permanenceBits;
    let length = 0;
    for (let k = 0; k < count; k++) granules[length++] = firstLinks[segments[k]] - 1;
    let read = 0;
    while (length > 0) {
      let longer = 0;
      for (let k = 0; k < length; k++) {
        const granule = granules[k];
        const place = granule * SLOTS;
        read |= living[granule] | full[granule] | sources[place] | bits[place] | bits[place + SLOTS - 1];
        const link = nextLinks[granule];
        granules[longer] = link - 1;
        // 1 if there is a link, 0 if not: where a chain ends cannot be foreseen.
        longer += -link >>> 31;
      }
      length = longer;
    }
    // The reads must have a use, or they would be left out.
    scratch.read = read;
  }

  /** Adds the sources of `segment` that are in the cell set `active` to `set`. */
  addActiveSources(segment: number, active: Uint32Array, set: Uint32Array): void {
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
      for (let left = this.#living[link - 1]; left !== 0; left &= left - 1) {
        const source = this.#sources[(link - 1) * SLOTS + 31 - Math.clz32(left & -left)];
        set[source >>> 5] |= active[source >>> 5] & (1 << source);
      }
    }
  }

  /** Adds a synapse from `source`, which the segment must not have yet. */
  append(segment: number, source: number, permanence: number): void {
    const place = this.#takePlace(segment);
    const granule = place >>> 4;
    const bit = 1 << (place & 15);
    this.#sources[place] = source;
    this.#permanences[place] = permanence;
    this.#living[granule] |= bit;
    this.#noteThresholds(place);
    this.#sizes[segment]++;
    this.#counters[SYNAPSE_COUNT]++;
    this.#index.add(source, segment, this.#isConnected(place));
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
        const place = (link - 1) * SLOTS + 31 - Math.clz32(left & -left);
        const source = this.#sources[place];
        const permanence = this.#permanences[place];
        if (((kept[source >>> 5] >>> source) & 1) === 0 && permanence < Math.fround(least - MARGIN)) {
          weakest = place;
          least = permanence;
        }
      }
    }
    if (weakest < 0) return false;
    this.#destroy(segment, weakest >>> 4, 1 << (weakest & 15));
    return true;
  }

  /** Puts the segments created and destroyed since the last call into and out of the order. */
  settle(): void {
    if (this.#destroyedCount > 0) this.#dropDestroyed();
    if (this.#created.length > 0) this.#mergeCreated();
  }

  /** Destroys the `count` segments that were active or made longest ago, the first in order among equals. Only when settled. */
  evict(count: number): void {
    const { lastUsed, order, segmentCount } = this;
    leastRecentlyUsed.begin(segmentCount);
    for (let i = 0; i < segmentCount; i++) leastRecentlyUsed.add(lastUsed[order[i]]);
    leastRecentlyUsed.choose(count);
    for (let i = 0; i < segmentCount; i++)
      if (leastRecentlyUsed.takes(lastUsed[order[i]])) this.#destroySegment(order[i]);
    this.#dropDestroyed();
  }

  /** The living segments in order, copied out; for tests and inspection. */
  *segments(): Generator<SegmentView> {
    for (let position = 0; position < this.segmentCount; position++) {
      const segment = this.order[position];
      const sources: number[] = [];
      const permanences: number[] = [];
      for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
        for (let left = this.#living[link - 1]; left !== 0; left &= left - 1) {
          const place = (link - 1) * SLOTS + 31 - Math.clz32(left & -left);
          sources.push(this.#sources[place]);
          permanences.push(this.#permanences[place]);
        }
      }
      yield {
        owner: this.owners[segment],
        lastUsed: this.lastUsed[segment],
        sources,
        permanences,
      };
    }
  }

  /** Makes sure that `cell` can take one more segment. */
  #makeRoom(cell: number): void {
    const begin = this.positionOf(cell);
    let living = 0;
    let oldest = -1;
    for (let i = begin; i < this.segmentCount; i++) {
      const segment = this.order[i];
      if (this.owners[segment] !== cell) break;
      living++;
      if (oldest < 0 || this.lastUsed[segment] < this.lastUsed[oldest]) oldest = segment;
    }
    if (living < this.#limits.maxSegmentsPerCell) return;
    this.#destroySegment(oldest);
  }

  /** Destroys all synapses of a segment, and so the segment. */
  #destroySegment(segment: number): void {
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#firstLinks[segment]) {
      this.#destroy(segment, link - 1, this.#living[link - 1]);
    }
    this.#destroyedCount++;
  }

  /** The slots of a granule whose source is in the cell set `active`; an empty slot counts as source 0. */
  #slotsFrom(granule: number, active: Uint32Array): number {
    const sources = this.#sources;
    const start = granule * SLOTS;
    let slots = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      const source = sources[start + slot];
      slots |= ((active[source >>> 5] >>> source) & 1) << slot;
    }
    return slots;
  }

  /** Raises the permanences in the slots of `mask`, to 1 at most; negative if one of them has become connected. */
  #raise(granule: number, mask: number, up: number): number {
    const bits = this.#permanenceBits;
    const permanences = this.#permanences;
    const belowConnected = this.#connectedBits - 1;
    let notable = 0;
    let full = 0;
    for (let left = mask; left !== 0; left &= left - 1) {
      const bit = left & -left;
      const place = granule * SLOTS + 31 - Math.clz32(bit);
      const before = bits[place];
      permanences[place] += up;
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
    let notable = 0;
    for (let left = mask; left !== 0; left &= left - 1) {
      const place = granule * SLOTS + 31 - Math.clz32(left & -left);
      const before = bits[place];
      permanences[place] -= down;
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
      const bits = this.#permanenceBits[granule * SLOTS + 31 - Math.clz32(bit)];
      if (bits >= this.#connectedBits) connected |= bit;
      if (bits < LEAST_PERMANENCE_BITS) dead |= bit;
    }
    for (let left = connected ^ this.#connected[granule]; left !== 0; left &= left - 1) {
      const slot = 31 - Math.clz32(left & -left);
      this.#index.setConnected(this.#sources[granule * SLOTS + slot], segment, (connected >>> slot) & 1);
    }
    this.#connected[granule] = connected;
    if (dead !== 0) this.#destroy(segment, granule, dead);
  }

  /** Destroys the synapses in the slots of `mask`; a granule without synapses leaves the chain. */
  #destroy(segment: number, granule: number, mask: number): void {
    for (let left = mask; left !== 0; left &= left - 1) {
      const place = granule * SLOTS + 31 - Math.clz32(left & -left);
      this.#index.remove(this.#sources[place], segment, this.#isConnected(place));
      this.#sources[place] = 0;
      this.#permanences[place] = 0;
      this.#sizes[segment]--;
      this.#counters[SYNAPSE_COUNT]--;
    }
    for (const set of [this.#living, this.#connected, this.#full]) set[granule] &= ~mask;
    if (this.#living[granule] === 0) this.#unlink(segment, granule);
  }

  /** Notes it if the segment has lost its last synapse. */
  #isAlive(segment: number): boolean {
    if (this.#sizes[segment] > 0) return true;
    this.#destroyedCount++;
    return false;
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
    const granule = this.#takeGranule();
    if (last < 0) this.#firstLinks[segment] = granule + 1;
    else this.#nextLinks[last] = granule + 1;
    this.#nextLinks[granule] = 0;
    return granule * SLOTS;
  }

  /** Notes whether the synapse at `place` is connected, and whether its permanence is 1. */
  #noteThresholds(place: number): void {
    const bit = 1 << (place & 15);
    if (this.#permanenceBits[place] >= this.#connectedBits) this.#connected[place >>> 4] |= bit;
    if (this.#permanenceBits[place] === ONE_BITS) this.#full[place >>> 4] |= bit;
  }

  /** Whether the synapse at `place` is noted as connected: 0 or 1. */
  #isConnected(place: number): number {
    return (this.#connected[place >>> 4] >>> (place & 15)) & 1;
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
        this.#moveSynapse(granule * SLOTS + 31 - Math.clz32(left & -left), target * SLOTS + slot);
        slot++;
      }
      if (this.#living[granule] === 0) this.#unlink(segment, granule);
    }
  }

  #moveSynapse(from: number, to: number): void {
    if (from === to) return;
    this.#sources[to] = this.#sources[from];
    this.#permanences[to] = this.#permanences[from];
    this.#sources[from] = 0;
    this.#permanences[from] = 0;
    for (const mask of [this.#living, this.#connected, this.#full]) {
      const bit = (mask[from >>> 4] >>> (from & 15)) & 1;
      mask[from >>> 4] &= ~(1 << (from & 15));
      mask[to >>> 4] |= bit << (to & 15);
    }
  }

  #takeGranule(): number {
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
      this.#fitDerived();
    }
    this.#counters[GRANULES_USED] = granule + 1;
    return granule;
  }

  #takeNumber(): number {
    const free = this.#counters[FREE_SEGMENT];
    if (free > 0) {
      this.#counters[FREE_SEGMENT] = this.#firstLinks[free - 1];
      this.#firstLinks[free - 1] = 0;
      return free - 1;
    }
    const segment = this.#counters[SEGMENTS_USED];
    if (segment === this.owners.length) {
      const length = Math.min(grownLength(segment), maxSegmentNumbers(this.#limits));
      if (length === segment) throw new RangeError(`the memory is full: ${segment} segments`);
      this.#part.resize(segmentLengths(length));
    }
    this.#counters[SEGMENTS_USED] = segment + 1;
    return segment;
  }

  #dropDestroyed(): void {
    const { order, segmentCount } = this;
    let kept = 0;
    for (let position = 0; position < segmentCount; position++) {
      const segment = order[position];
      if (this.#sizes[segment] > 0) {
        order[kept++] = segment;
        continue;
      }
      this.#firstLinks[segment] = this.#counters[FREE_SEGMENT];
      this.#counters[FREE_SEGMENT] = segment + 1;
    }
    order.fill(0, kept, segmentCount);
    this.#counters[SEGMENT_COUNT] = kept;
    this.#destroyedCount = 0;
  }

  /** Merges the created segments into the order from its end; a new segment comes after the older ones of its cell. */
  #mergeCreated(): void {
    const { order, owners } = this;
    const created = this.#created;
    let old = this.segmentCount - 1;
    let position = old + created.length;
    this.#counters[SEGMENT_COUNT] += created.length;
    while (created.length > 0) {
      const newest = created[created.length - 1];
      if (old >= 0 && owners[order[old]] > owners[newest]) {
        order[position--] = order[old--];
      } else {
        order[position--] = newest;
        created.pop();
      }
    }
  }

  /** Gives the derived tables the length of the granule sections, keeping what they hold. */
  #fitDerived(): void {
    const length = this.#nextLinks.length;
    const [connected, full] = [this.#connected, this.#full];
    this.#connected = new Uint16Array(length);
    this.#connected.set(connected);
    this.#full = new Uint16Array(length);
    this.#full.set(full);
  }

  #lay(part: ArenaPart): void {
    const tables = segmentTables(part);
    this.#counters = tables.counters;
    this.owners = tables.owners;
    this.#sizes = tables.sizes;
    this.#firstLinks = tables.firstLinks;
    this.lastUsed = tables.lastUsed;
    this.order = tables.order;
    this.#nextLinks = tables.nextLinks;
    this.#living = tables.living;
    this.#sources = tables.sources;
    this.#permanences = tables.permanences;
    const { buffer, byteOffset, length } = this.#permanences;
    this.#permanenceBits = new Int32Array(buffer, byteOffset, length);
  }

  /** Fills the tables of a loaded arena. */
  #unpack(): void {
    const packed = this.#part.packed(0);
    if (packed.length === 0) return;
    const segments = unpackSegments(packed);
    checkSegments(segments, this.#limits);
    const numbers = segments.owners.length;
    const granules = granulesOf(segments);
    if (numbers > maxSegmentNumbers(this.#limits) || granules > MAX_GRANULES)
      throw new ArenaFormatError(`temporal memory: ${numbers} segments in ${granules} granules`);
    this.#part.resize([
      ...segmentLengths(Math.max(numbers, this.owners.length)),
      ...granuleLengths(Math.max(granules, this.#nextLinks.length)),
    ]);
    fillTables(segmentTables(this.#part), segments);
  }

  /** Fills the derived tables; returns the index. */
  #derive(): SourceIndex {
    const sources = new Uint16Array(this.synapseCount);
    const uses = new Uint32Array(this.synapseCount);
    let n = 0;
    this.#fitDerived();
    for (let position = 0; position < this.segmentCount; position++) {
      const segment = this.order[position];
      for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
        for (let left = this.#living[link - 1]; left !== 0; left &= left - 1) {
          const place = (link - 1) * SLOTS + 31 - Math.clz32(left & -left);
          this.#noteThresholds(place);
          sources[n] = this.#sources[place];
          uses[n++] = segment * 2 + this.#isConnected(place);
        }
      }
    }
    const { columnCount, cellShift } = this.#limits;
    return SourceIndex.of(((columnCount << cellShift) + 31) >>> 5, sources, uses);
  }
}

/** Below 1e-6 a synapse is destroyed; as the integer with the bits of that binary32 value. */
const LEAST_PERMANENCE_BITS = new Int32Array(Float32Array.of(1e-6).buffer)[0];
const ONE_BITS = new Int32Array(Float32Array.of(1).buffer)[0];
/** By how much a permanence must undercut another to count as weaker, binary32. */
const MARGIN = Math.fround(1e-6);
