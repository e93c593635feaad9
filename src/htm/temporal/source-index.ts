import { ForwardIndex } from '../forward-index.ts';

/**
 * Which segments of a plain memory listen to a cell, and whether by a connected synapse: derived state, rebuilt when
 * a model is loaded. Counting a record's active synapses reads the entries of its active cells, two bytes each and side by
 * side, and nothing of the segments themselves.
 *
 * An entry is the segment's number within its bank and a bit for connected.
 */
export class SourceIndex {
  readonly #groupCount: number;
  readonly #banks: ForwardIndex[] = [];

  /** An empty index over `groupCount` groups of 32 source cells. */
  constructor(groupCount: number) {
    this.#groupCount = groupCount;
  }

  /**
   * The index over `groupCount` groups of the synapses of which number i is from cell `sources[i]`; `uses[i]` is twice its
   * segment, plus 1 if it is connected.
   */
  static of(groupCount: number, sources: Uint16Array, uses: Uint32Array): SourceIndex {
    const index = new SourceIndex(groupCount);
    for (let bank = 0, left = uses.length; left > 0; bank++) {
      const cells = new Uint16Array(left);
      const entries = new Uint16Array(left);
      let n = 0;
      for (let i = 0; i < uses.length; i++) {
        cells[n] = sources[i];
        entries[n] = uses[i];
        n += uses[i] >>> ENTRY_BITS === bank ? 1 : 0;
      }
      index.#banks.push(ForwardIndex.ofEntries(groupCount, cells.subarray(0, n), entries.subarray(0, n)));
      left -= n;
    }
    return index;
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#banks.reduce((bytes, bank) => bytes + bank.byteLength, 0);
  }

  /** Notes a new synapse of `segment` from cell `source`; `connected` is 0 or 1. */
  add(source: number, segment: number, connected: number): void {
    while (this.#banks.length <= segment >>> BANK_SHIFT) this.#banks.push(new ForwardIndex(this.#groupCount));
    this.#banks[segment >>> BANK_SHIFT].add(source, entryOf(segment, connected));
  }

  /** Forgets the synapse of `segment` from cell `source`; `connected` as noted last. */
  remove(source: number, segment: number, connected: number): void {
    this.#banks[segment >>> BANK_SHIFT].remove(source, entryOf(segment, connected));
  }

  /** Notes that the synapse of `segment` from cell `source` is connected now (1), or no more (0). */
  setConnected(source: number, segment: number, connected: number): void {
    const before = entryOf(segment, connected ^ 1);
    this.#banks[segment >>> BANK_SHIFT].replace(source, before, entryOf(segment, connected));
  }

  /**
   * Adds, per segment number, its synapses from the cell set `active` to the lower 16 bits of `counts`, the connected
   * ones to the upper. `groups[0..groupCount)` are the words of `active` that are not 0.
   */
  count(active: Uint32Array, groups: Uint16Array, groupCount: number, counts: Uint32Array): void {
    for (let bank = 0; bank < this.#banks.length; bank++)
      this.#banks[bank].countTwoKinds(groups, groupCount, active, counts, bank << BANK_SHIFT);
  }
}

function entryOf(segment: number, connected: number): number {
  return ((segment & BANK_MASK) << 1) | connected;
}

const ENTRY_BITS = 16;
const BANK_SHIFT = ENTRY_BITS - 1;
const BANK_MASK = (1 << BANK_SHIFT) - 1;
