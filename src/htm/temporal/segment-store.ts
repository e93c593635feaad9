import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart, SectionSpec } from '../arena.ts';
import { SourceIndex, grownLength } from './source-index.ts';

/** What a segment store must know of the memory it serves. Permanences are binary32 values. */
export interface SegmentLimits {
  readonly columnCount: number;
  readonly cellsPerColumn: number;
  /** Cell `i` of column `c` is numbered `(c << cellShift) + i`; numbers stay below 65,536. */
  readonly cellShift: number;
  readonly maxSegmentsPerCell: number;
  /** 1 .. 32,767. */
  readonly maxSynapsesPerSegment: number;
  /** A synapse is connected from this permanence on. */
  readonly connectedPermanence: number;
}

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
 * compaction closes. Sets of slots - living, connected, active - are a 16-bit mask per granule, so that counting a
 * segment's active synapses and adapting them never ask a source whether it is active.
 *
 * A link is a number plus 1, or 0 for none. A set of cells is a bit per cell number, 32 to a word.
 */
export class SegmentStore {
  /** Sections this component owns in the arena. */
  static schema(limits: SegmentLimits): SectionSpec[] {
    const segments = { length: INITIAL_SEGMENTS, maxLength: maxNumbers(limits) };
    const granules = { length: INITIAL_GRANULES, maxLength: SourceIndex.MAX_GRANULES };
    const slots = { length: INITIAL_GRANULES * SLOTS, maxLength: SourceIndex.MAX_GRANULES * SLOTS };
    return [
      { name: 'segmentCounters', type: 'u32', length: COUNTERS },
      { name: 'segmentOwners', type: 'u16', ...segments },
      { name: 'segmentSizes', type: 'u16', ...segments },
      { name: 'segmentGranules', type: 'u32', ...segments },
      { name: 'segmentLastUsed', type: 'u32', ...segments },
      { name: 'segmentOrder', type: 'u32', ...segments },
      { name: 'granuleNext', type: 'u32', ...granules },
      { name: 'granuleLiving', type: 'u16', ...granules },
      { name: 'synapseSources', type: 'u16', ...slots },
      { name: 'synapsePermanences', type: 'f32', ...slots },
    ];
  }

  /** Owner cell per segment number. This and the next two move when a segment is created. */
  owners!: Uint16Array;
  /** Per segment number the record count at which it was last active, or created. */
  lastUsed!: Uint32Array;
  /** The settled segments' numbers, by owner cell, then by age: `order[0..segmentCount)`. */
  order!: Uint32Array;

  readonly #limits: SegmentLimits;
  /** The connected permanence as the integer with the same bits: for permanences both order alike. */
  readonly #connectedBits: number;
  readonly #index: SourceIndex;
  readonly #part: ArenaPart;
  #counters!: Uint32Array;
  /** Synapses per segment number; 0 marks a number that is free, or destroyed and not yet settled. */
  #sizes!: Uint16Array;
  /** Link to the first granule per segment number; of a free number, link to the next free one. */
  #firstLinks!: Uint32Array;
  /** Link to the granule that follows in its chain; of a free granule, to the next free one. */
  #nextLinks!: Uint32Array;
  #living!: Uint16Array;
  #sources!: Uint16Array;
  #permanences!: Float32Array;
  #permanenceBits!: Int32Array;
  /** Derived per granule: slots with a connected synapse, slots with an active source as of `countActive`, the segment. */
  #connected = new Uint16Array(0);
  #active = new Uint16Array(0);
  #segments = new Uint32Array(0);
  /** Numbers of the segments created since the last `settle`, owners ascending. */
  readonly #created: number[] = [];
  #destroyedCount = 0;
  /** What `adapt` adds to a permanence: without and with an active source. */
  readonly #steps = new Float64Array(2);

  /**
   * Lays the store over its sections of `arena`, fresh (all 0) or loaded.
   * @throws ArenaFormatError when the sections contradict each other or the limits.
   */
  constructor(arena: Arena, firstSection: number, limits: SegmentLimits) {
    this.#limits = limits;
    this.#connectedBits = Math.max(0, new Int32Array(Float32Array.of(limits.connectedPermanence).buffer)[0]);
    this.#part = arena.part(firstSection, (part) => {
      this.#counters = part.view(0);
      this.owners = part.view(1);
      this.#sizes = part.view(2);
      this.#firstLinks = part.view(3);
      this.lastUsed = part.view(4);
      this.order = part.view(5);
      this.#nextLinks = part.view(6);
      this.#living = part.view(7);
      this.#sources = part.view(8);
      this.#permanences = part.view(9);
      const { buffer, byteOffset, length } = this.#permanences;
      this.#permanenceBits = new Int32Array(buffer, byteOffset, length);
    });
    this.#check();
    this.#index = new SourceIndex(((limits.columnCount << limits.cellShift) + 31) >>> 5);
    this.#derive();
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
    const masks = this.#connected.byteLength + this.#active.byteLength + this.#segments.byteLength;
    return masks + this.#index.byteLength;
  }

  /** Synapses of `segment`. */
  size(segment: number): number {
    return this.#sizes[segment];
  }

  /**
   * Marks the synapses whose source is in the cell set `active`, of which `groups[0..groupCount)` are the words that are
   * not 0, and counts them per segment number into `counts[0..numberBound)`: all in the lower 16 bits, the connected ones in the upper.
   */
  countActive(active: Uint32Array, groups: Uint16Array, groupCount: number, counts: Uint32Array): void {
    const granules = this.#counters[GRANULES_USED];
    const marks = this.#active;
    const connected = this.#connected;
    const segments = this.#segments;
    marks.fill(0, 0, granules);
    this.#index.mark(active, groups, groupCount, marks);
    counts.fill(0, 0, this.numberBound);
    for (let granule = 0; granule < granules; granule++) {
      const marked = marks[granule];
      // Both populations are counted at once, one in each half of the word.
      let bits = marked | ((marked & connected[granule]) << 16);
      bits -= (bits >>> 1) & 0x55555555;
      bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
      bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
      counts[segments[granule]] += (bits + (bits >>> 8)) & 0x001f001f;
    }
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
   * Raises each permanence of `segment` by `up` where the source was active at the last `countActive`, and lowers
   * it by `down` elsewhere (5.3). Synapses that fall to 0 are destroyed, and with its last synapse the segment.
   * @returns whether the segment still lives.
   */
  reinforce(segment: number, up: number, down: number): boolean {
    const permanences = this.#permanences;
    const bits = this.#permanenceBits;
    const belowConnected = this.#connectedBits - 1;
    const steps = this.#steps;
    steps[0] = -down;
    steps[1] = up;
    let link = this.#firstLinks[segment];
    while (link !== 0) {
      const granule = link - 1;
      link = this.#nextLinks[granule];
      let active = this.#active[granule];
      const start = granule * SLOTS;
      const end = start + 32 - Math.clz32(this.#living[granule]);
      let notable = 0;
      for (let i = start; i < end; i++) {
        const before = bits[i];
        permanences[i] += steps[active & 1];
        active >>>= 1;
        // Clamping and noticing by the signs of differences, instead of branches that cannot be predicted.
        const moved = bits[i];
        const after = moved ^ ((moved ^ ONE_BITS) & (((ONE_BITS - moved) & ~moved) >> 31));
        bits[i] = after;
        notable |=
          ((belowConnected - after) ^ (belowConnected - before)) | after | (after - LEAST_PERMANENCE_BITS);
      }
      if (notable < 0) this.#review(segment, granule);
    }
    return this.#isAlive(segment);
  }

  /** Lowers the permanences of `segment` whose source was active at the last `countActive`, else as `reinforce`. */
  punish(segment: number, down: number): void {
    const permanences = this.#permanences;
    const bits = this.#permanenceBits;
    const belowConnected = this.#connectedBits - 1;
    let link = this.#firstLinks[segment];
    while (link !== 0) {
      const granule = link - 1;
      link = this.#nextLinks[granule];
      let notable = 0;
      for (let left = this.#active[granule]; left !== 0; left &= left - 1) {
        const i = granule * SLOTS + 31 - Math.clz32(left & -left);
        const before = bits[i];
        permanences[i] -= down;
        const after = bits[i];
        notable |=
          ((belowConnected - after) ^ (belowConnected - before)) | after | (after - LEAST_PERMANENCE_BITS);
      }
      if (notable < 0) this.#review(segment, granule);
    }
    this.#isAlive(segment);
  }

  /** Adds the sources of `segment` that were active at the last `countActive` to the cell set `set`. */
  addActiveSources(segment: number, set: Uint32Array): void {
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
      for (let left = this.#active[link - 1]; left !== 0; left &= left - 1) {
        const source = this.#sources[(link - 1) * SLOTS + 31 - Math.clz32(left & -left)];
        set[source >>> 5] |= 1 << source;
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
    if (this.#permanenceBits[place] >= this.#connectedBits) this.#connected[granule] |= bit;
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
    this.#empty(segment, weakest >>> 4, 1 << (weakest & 15));
    return true;
  }

  /** Puts the segments created and destroyed since the last call into and out of the order. */
  settle(): void {
    if (this.#destroyedCount > 0) this.#dropDestroyed();
    if (this.#created.length > 0) this.#mergeCreated();
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
      yield { owner: this.owners[segment], lastUsed: this.lastUsed[segment], sources, permanences };
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
    for (let link = this.#firstLinks[oldest]; link !== 0; link = this.#firstLinks[oldest]) {
      this.#empty(oldest, link - 1, this.#living[link - 1]);
    }
    this.#destroyedCount++;
  }

  /** Finds the granule's connected synapses again and destroys those whose permanence has fallen to 0. */
  #review(segment: number, granule: number): void {
    const used = 32 - Math.clz32(this.#living[granule]);
    let connected = 0;
    let dead = 0;
    for (let slot = 0; slot < used; slot++) {
      const bits = this.#permanenceBits[granule * SLOTS + slot];
      if (bits >= this.#connectedBits) connected |= 1 << slot;
      if (bits < LEAST_PERMANENCE_BITS) dead |= 1 << slot;
    }
    this.#connected[granule] = connected & this.#living[granule];
    if (dead !== 0) this.#empty(segment, granule, dead);
  }

  /** Empties the slots of `mask`, destroying the synapses among them; a granule without synapses leaves the chain. */
  #empty(segment: number, granule: number, mask: number): void {
    const living = this.#living[granule];
    for (let left = mask; left !== 0; left &= left - 1) {
      const bit = left & -left;
      const place = granule * SLOTS + 31 - Math.clz32(bit);
      if ((living & bit) !== 0) {
        this.#index.remove(this.#sources[place], place);
        this.#sizes[segment]--;
        this.#counters[SYNAPSE_COUNT]--;
      }
      this.#sources[place] = 0;
      this.#permanences[place] = EMPTY_PERMANENCE;
    }
    this.#living[granule] &= ~mask;
    this.#connected[granule] &= ~mask;
    this.#active[granule] &= ~mask;
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
    this.#segments[granule] = segment;
    return granule * SLOTS;
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
    this.#index.move(this.#sources[from], from, to);
    this.#sources[to] = this.#sources[from];
    this.#permanences[to] = this.#permanences[from];
    this.#sources[from] = 0;
    this.#permanences[from] = EMPTY_PERMANENCE;
    for (const mask of [this.#living, this.#connected, this.#active]) {
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
      const length = Math.min(grownLength(granule), SourceIndex.MAX_GRANULES);
      if (length === granule) throw new RangeError(`the memory is full: ${granule * SLOTS} synapses`);
      for (const section of [6, 7]) this.#part.resize(section, length);
      for (const section of [8, 9]) this.#part.resize(section, length * SLOTS);
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
      const length = Math.min(grownLength(segment), maxNumbers(this.#limits));
      if (length === segment) throw new RangeError(`the memory is full: ${segment} segments`);
      for (const section of [1, 2, 3, 4, 5]) this.#part.resize(section, length);
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
    const [connected, active, segments] = [this.#connected, this.#active, this.#segments];
    this.#connected = new Uint16Array(length);
    this.#connected.set(connected);
    this.#active = new Uint16Array(length);
    this.#active.set(active);
    this.#segments = new Uint32Array(length);
    this.#segments.set(segments);
  }

  #derive(): void {
    this.#fitDerived();
    for (let position = 0; position < this.segmentCount; position++) {
      const segment = this.order[position];
      for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
        const granule = link - 1;
        this.#segments[granule] = segment;
        for (let left = this.#living[granule]; left !== 0; left &= left - 1) {
          const bit = left & -left;
          const place = granule * SLOTS + 31 - Math.clz32(bit);
          this.#index.add(this.#sources[place], place);
          if (this.#permanenceBits[place] >= this.#connectedBits) this.#connected[granule] |= bit;
        }
      }
    }
  }

  /** Refuses sections that this class could not have written, so that nothing later needs to doubt a number. */
  #check(): void {
    const segments = this.owners.length;
    const granules = this.#nextLinks.length;
    const segmentsUsed = this.#counters[SEGMENTS_USED];
    const granulesUsed = this.#counters[GRANULES_USED];
    require([this.#sizes, this.#firstLinks, this.lastUsed, this.order].every(
      (table) => table.length === segments,
    ) &&
      this.#living.length === granules &&
      this.#sources.length === granules * SLOTS &&
      this.#permanences.length === granules * SLOTS, 'tables of unequal length');
    require(segmentsUsed <= segments && granulesUsed <= granules, 'counters beyond the tables');
    require(this.segmentCount <= segmentsUsed, 'more segments than numbers');
    const seenSegments = new Uint8Array(segmentsUsed);
    const seenGranules = new Uint8Array(granulesUsed);
    let synapses = 0;
    for (let position = 0; position < this.segmentCount; position++) {
      this.#checkOwner(position, seenSegments);
      synapses += this.#checkSynapses(this.order[position], seenGranules);
    }
    require(synapses === this.synapseCount, 'another number of synapses than counted');
    checkFreeList(this.#firstLinks, this.#counters[FREE_SEGMENT], seenSegments);
    checkFreeList(this.#nextLinks, this.#counters[FREE_GRANULE], seenGranules);
    const used = new Set(this.order.subarray(0, this.segmentCount));
    require(this.#sizes.every((size, segment) => size === 0 || used.has(segment)), 'synapses of no segment');
    for (let granule = 0; granule < granules; granule++) {
      require(seenGranules[granule] === CHAINED ||
        this.#living[granule] === 0, `synapses in the free granule ${granule}`);
    }
    require(this.#permanences.every(
      (permanence) => permanence >= 0 && permanence <= 1,
    ), 'a permanence outside 0..1');
  }

  #isCell(cell: number): boolean {
    const { cellShift, cellsPerColumn, columnCount } = this.#limits;
    return cell >>> cellShift < columnCount && (cell & ((1 << cellShift) - 1)) < cellsPerColumn;
  }

  #checkOwner(position: number, seenSegments: Uint8Array): void {
    const { maxSegmentsPerCell } = this.#limits;
    const segment = this.order[position];
    require(segment < seenSegments.length && seenSegments[segment] === 0, `segment ${segment} in the order`);
    seenSegments[segment] = CHAINED;
    const owner = this.owners[segment];
    require(this.#isCell(owner), `owner of segment ${segment}`);
    require(position === 0 || this.owners[this.order[position - 1]] <= owner, 'order of the segments');
    const full =
      position >= maxSegmentsPerCell && this.owners[this.order[position - maxSegmentsPerCell]] === owner;
    require(!full, `too many segments on cell ${owner}`);
  }

  /** @returns the segment's synapses. */
  #checkSynapses(segment: number, seenGranules: Uint8Array): number {
    const sources = new Set<number>();
    let synapses = 0;
    for (let link = this.#firstLinks[segment]; link !== 0; link = this.#nextLinks[link - 1]) {
      const granule = link - 1;
      require(granule < seenGranules.length && seenGranules[granule] === 0, `granules of segment ${segment}`);
      seenGranules[granule] = CHAINED;
      require(this.#living[granule] !== 0, `granules of segment ${segment}`);
      for (let left = this.#living[granule]; left !== 0; left &= left - 1) {
        const place = granule * SLOTS + 31 - Math.clz32(left & -left);
        require(this.#isCell(this.#sources[place]), `a source of segment ${segment}`);
        sources.add(this.#sources[place]);
        synapses++;
      }
    }
    const size = this.#sizes[segment];
    require(size >= 1 && size <= this.#limits.maxSynapsesPerSegment, `size of segment ${segment}`);
    require(synapses === size && sources.size === size, `synapses of segment ${segment}`);
    return size;
  }
}

/** Most segment numbers: full cells, and one more per column until `settle` frees those that were destroyed. */
function maxNumbers(limits: SegmentLimits): number {
  const cells = limits.columnCount << limits.cellShift;
  const numbers = cells * limits.maxSegmentsPerCell + limits.columnCount;
  return Math.min(Math.max(INITIAL_SEGMENTS, numbers), MAX_SEGMENTS);
}

/** A free list must hold every number that is not seen, once. */
function checkFreeList(links: Uint32Array, head: number, seen: Uint8Array): void {
  let free = seen.reduce((count, mark) => (mark === 0 ? count + 1 : count), 0);
  for (let link = head; link !== 0; link = links[link - 1]) {
    require(link <= seen.length && seen[link - 1] === 0, 'a free list that is not one');
    seen[link - 1] = FREE;
    free--;
  }
  require(free === 0, 'an incomplete free list');
}

function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ArenaFormatError(`temporal memory: ${what}`);
}

/** Slots of a granule: one cache line of permanences, half a line of sources. */
const SLOTS = 16;
const INITIAL_SEGMENTS = 64;
const INITIAL_GRANULES = 64;
const MAX_SEGMENTS = 2 ** 24;
/** Below 1e-6 a synapse is destroyed; as the integer with the bits of that binary32 value. */
const LEAST_PERMANENCE_BITS = new Int32Array(Float32Array.of(1e-6).buffer)[0];
const ONE_BITS = new Int32Array(Float32Array.of(1).buffer)[0];
/** Of an empty slot between synapses: it takes part in adaptation and should seldom cross a threshold there. */
const EMPTY_PERMANENCE = 1;
/** By how much a permanence must undercut another to count as weaker, binary32. */
const MARGIN = Math.fround(1e-6);
/** Words of the counters; the free ones are links. */
const SEGMENTS_USED = 0;
const FREE_SEGMENT = 1;
const GRANULES_USED = 2;
const FREE_GRANULE = 3;
const SEGMENT_COUNT = 4;
const SYNAPSE_COUNT = 5;
const COUNTERS = 6;
const CHAINED = 1;
const FREE = 2;
