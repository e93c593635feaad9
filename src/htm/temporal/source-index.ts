/**
 * Which synapses listen to a cell: per group of 32 source cells (one word of a cell set) a list of entries, each
 * naming a synapse's place and its source within the group. Marking a record's active synapses walks only the lists
 * of groups that have active cells and touches no synapse.
 *
 * A place is `granule * 16 + slot` (see `SegmentStore`), 27 bits. The index is derived state, rebuilt when a model is loaded; the
 * order of a list follows from its history and never matters, because marking is commutative.
 *
 * A list is a chain of blocks of 16 entries (one cache line). Only its first block is partly filled, so adding and
 * taking out work at the front.
 */
export class SourceIndex {
  readonly #heads: Uint32Array;
  readonly #lengths: Uint32Array;
  #entries = new Int32Array(INITIAL_BLOCKS * BLOCK);
  #next = new Uint32Array(INITIAL_BLOCKS);
  #blocksUsed = 0;
  #freeBlocks = 0;
  #freeHead = 0;

  /** An empty index over `groupCount` groups of 32 source cells. */
  constructor(groupCount: number) {
    this.#heads = new Uint32Array(groupCount);
    this.#lengths = new Uint32Array(groupCount);
  }

  /** Bytes held. */
  get byteLength(): number {
    return (
      this.#heads.byteLength + this.#lengths.byteLength + this.#entries.byteLength + this.#next.byteLength
    );
  }

  /** Notes a new synapse at `place` from cell `source`. */
  add(source: number, place: number): void {
    const group = source >>> 5;
    const filled = this.#lengths[group]++ % BLOCK;
    if (filled === 0) {
      const block = this.#takeBlock();
      this.#next[block] = this.#heads[group];
      this.#heads[group] = block;
    }
    this.#entries[this.#heads[group] * BLOCK + filled] = entryOf(source, place);
  }

  /** Forgets the synapse at `place` from cell `source`. */
  remove(source: number, place: number): void {
    const group = source >>> 5;
    const position = this.#find(source, place);
    const head = this.#heads[group];
    const filled = --this.#lengths[group] % BLOCK;
    this.#entries[position] = this.#entries[head * BLOCK + filled];
    if (filled === 0) {
      this.#heads[group] = this.#next[head];
      this.#next[head] = this.#freeHead;
      this.#freeHead = head;
      this.#freeBlocks++;
    }
  }

  /** The synapse from cell `source` has moved from place `from` to place `to`. */
  move(source: number, from: number, to: number): void {
    this.#entries[this.#find(source, from)] = entryOf(source, to);
  }

  /**
   * Sets bit `slot` of `marks[granule]` for every synapse whose source is in the cell set `active`.
   * `groups[0..groupCount)` are the words of `active` that are not 0.
   */
  mark(active: Uint32Array, groups: Uint16Array, groupCount: number, marks: Uint16Array): void {
    const entries = this.#entries;
    const next = this.#next;
    for (let g = 0; g < groupCount; g++) {
      const group = groups[g];
      const cells = active[group];
      let length = this.#lengths[group];
      let block = this.#heads[group];
      let inBlock = length % BLOCK || BLOCK;
      while (length > 0) {
        const start = block * BLOCK;
        for (let i = start; i < start + inBlock; i++) {
          const entry = entries[i];
          // A shift count is taken modulo 32, and the source within its group is in the entry's lowest 5 bits.
          marks[entry >>> 9] |= ((cells >>> entry) & 1) << ((entry >>> 5) & 15);
        }
        length -= inBlock;
        inBlock = BLOCK;
        block = next[block];
      }
    }
  }

  #find(source: number, place: number): number {
    const entries = this.#entries;
    const group = source >>> 5;
    const entry = entryOf(source, place);
    let length = this.#lengths[group];
    let block = this.#heads[group];
    let inBlock = length % BLOCK || BLOCK;
    while (length > 0) {
      const start = block * BLOCK;
      for (let i = start; i < start + inBlock; i++) if (entries[i] === entry) return i;
      length -= inBlock;
      inBlock = BLOCK;
      block = this.#next[block];
    }
    throw new Error(`the source index has no synapse at place ${place} from cell ${source}`);
  }

  #takeBlock(): number {
    if (this.#freeBlocks > 0) {
      const block = this.#freeHead;
      this.#freeHead = this.#next[block];
      this.#freeBlocks--;
      return block;
    }
    if (this.#blocksUsed === this.#next.length) {
      const blocks = grownLength(this.#next.length);
      const entries = new Int32Array(blocks * BLOCK);
      entries.set(this.#entries);
      this.#entries = entries;
      const next = new Uint32Array(blocks);
      next.set(this.#next);
      this.#next = next;
    }
    return this.#blocksUsed++;
  }
}

/** The next capacity of a table that is full: a quarter more. */
export function grownLength(length: number): number {
  return length + Math.max(8, length >>> 2);
}

/** Bits of an entry: 0-4 the source within its group, 5-8 the slot, 9-31 the granule. */
function entryOf(source: number, place: number): number {
  return (place << 5) | (source & 31);
}

const BLOCK = 16;
const INITIAL_BLOCKS = 64;
