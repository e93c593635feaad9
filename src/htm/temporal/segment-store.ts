import { ArenaFormatError } from '../arena.ts';
import type { Arena, ArenaPart } from '../arena.ts';
import { leastRecentlyUsed } from '../ceiling.ts';
import { checkSegments } from './segment-check.ts';
import { fillTables, granulesOf, packSegments, plainSegments, unpackSegments } from './segment-packing.ts';
import {
  FREE_SEGMENT,
  MAX_GRANULES,
  SEGMENTS_USED,
  SEGMENT_COUNT,
  SYNAPSE_COUNT,
  granuleLengths,
  grownLength,
  maxSegmentNumbers,
  segmentLengths,
  segmentTables,
} from './segment-tables.ts';
import type { SegmentLimits } from './segment-tables.ts';
import { SynapseChains } from './synapse-chains.ts';

/** One segment as a reader sees it. Cells are numbered as in `SegmentLimits`; synapses are in order of creation. */
export interface SegmentView {
  readonly owner: number;
  readonly lastUsed: number;
  readonly sources: readonly number[];
  readonly permanences: readonly number[];
}

/**
 * The distal segments of the plain temporal memory, in a model's arena (model reference, sections 5.1 and 5.5). Their
 * synapses are in `synapses`.
 *
 * A segment has a number (a slot of the tables, recycled) and a position in the order: by owner cell, then by age. Only
 * the order ever decides anything, so recycled numbers cannot influence results. Segments created or destroyed while
 * a record is learned enter and leave the order at `settle`.
 */
export class SegmentStore {
  /** As in `SegmentTables`; these three move when a segment is created. */
  owners!: Uint16Array;
  lastUsed!: Uint32Array;
  order!: Uint32Array;
  /** What may destroy a segment's last synapse is only done by the store. */
  readonly synapses: SynapseChains;

  readonly #limits: SegmentLimits;
  readonly #part: ArenaPart;
  #counters!: Uint32Array;
  #sizes!: Uint16Array;
  /** Links of free numbers. */
  #firstLinks!: Uint32Array;
  /** Numbers of the segments created since the last `settle`, owners ascending. */
  readonly #created: number[] = [];
  #destroyedCount = 0;

  /**
   * Lays the store over its sections of `arena`, fresh (all 0) or loaded.
   * @throws ArenaFormatError when the sections contradict each other or the limits.
   */
  constructor(arena: Arena, firstSection: number, limits: SegmentLimits) {
    this.#limits = limits;
    const pack = () => new Map([[0, packSegments(plainSegments(segmentTables(this.#part)))]]);
    this.#part = arena.part(firstSection, (part) => this.#lay(part), pack);
    this.#unpack();
    this.synapses = new SynapseChains(arena, firstSection, limits);
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

  /** As `SynapseChains.reinforce`; without a synapse left the segment is destroyed. */
  reinforce(segment: number, up: number, down: number): boolean {
    return this.#noteLife(this.synapses.reinforce(segment, up, down));
  }

  /** As `SynapseChains.punish`; without a synapse left the segment is destroyed. */
  punish(segment: number, down: number): void {
    this.#noteLife(this.synapses.punish(segment, down));
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
      yield {
        owner: this.owners[segment],
        lastUsed: this.lastUsed[segment],
        ...this.synapses.read(segment),
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

  #destroySegment(segment: number): void {
    this.synapses.clear(segment);
    this.#noteLife(false);
  }

  /** Whether a segment lives, as given; one that does not leaves the order with the next `settle`. */
  #noteLife(isAlive: boolean): boolean {
    if (!isAlive) this.#destroyedCount++;
    return isAlive;
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

  #lay(part: ArenaPart): void {
    const tables = segmentTables(part);
    this.#counters = tables.counters;
    this.owners = tables.owners;
    this.#sizes = tables.sizes;
    this.#firstLinks = tables.firstLinks;
    this.lastUsed = tables.lastUsed;
    this.order = tables.order;
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
      ...granuleLengths(Math.max(granules, segmentTables(this.#part).nextLinks.length)),
    ]);
    fillTables(segmentTables(this.#part), segments);
  }
}
