import { ForwardIndex } from '../forward-index.ts';
import { SLOT_BITS } from './segment-tables.ts';
import type { TypedArray } from '../tables.ts';

/**
 * Where a plain memory's synapses from a cell are: derived state, rebuilt when a model is loaded. Finding a record's active
 * synapses reads the entries of its active cells, two bytes each and side by side, and nothing of the segments themselves.
 *
 * An entry is the synapse's place within its bank of 65,536 places.
 */
export class SourceIndex {
  readonly #groupCount: number;
  readonly #banks: ForwardIndex[] = [];

  /** An empty index over `groupCount` groups of 32 source cells. */
  constructor(groupCount: number) {
    this.#groupCount = groupCount;
  }

  /** The index over `groupCount` groups of the synapses of which number i is from cell `sources[i]` and at `places[i]`. */
  static of(groupCount: number, sources: Uint16Array, places: Uint32Array): SourceIndex {
    const index = new SourceIndex(groupCount);
    for (let bank = 0, left = places.length; left > 0; bank++) {
      const cells = new Uint16Array(left);
      const entries = new Uint16Array(left);
      let n = 0;
      for (let i = 0; i < places.length && n < left; i++) {
        cells[n] = sources[i];
        entries[n] = places[i];
        n += places[i] >>> BANK_BITS === bank ? 1 : 0;
      }
      index.#banks.push(ForwardIndex.ofEntries(groupCount, cells.subarray(0, n), entries.subarray(0, n)));
      left -= n;
    }
    return index;
  }

  /** The tables it consists of. */
  tables(): TypedArray[] {
    return this.#banks.flatMap((bank) => bank.tables());
  }

  /** Notes a new synapse from cell `source` at `place`. */
  add(source: number, place: number): void {
    while (this.#banks.length <= place >>> BANK_BITS) this.#banks.push(new ForwardIndex(this.#groupCount));
    this.#banks[place >>> BANK_BITS].add(source, place & BANK_MASK);
  }

  /** Forgets the synapse from cell `source` at `place`. */
  remove(source: number, place: number): void {
    this.#banks[place >>> BANK_BITS].remove(source, place & BANK_MASK);
  }

  /** Notes that the synapse from cell `source` at `from` is at `to` now. */
  move(source: number, from: number, to: number): void {
    this.remove(source, from);
    this.add(source, to);
  }

  /**
   * Adds the places of all synapses from the cell set `active` to the set `marks`: the lower half of a word are the slots of
   * one granule, the upper half those of the next. `groups[0..groupCount)` are the words of `active` that are not 0.
   */
  mark(active: Uint32Array, groups: Uint16Array, groupCount: number, marks: Int32Array): void {
    for (let bank = 0; bank < this.#banks.length; bank++)
      this.#banks[bank].mark(groups, groupCount, active, marks, bank << (BANK_BITS - WORD_BITS));
  }
}

/** Of the 2^5 places of a word of marks. */
const WORD_BITS = SLOT_BITS + 1;
const BANK_BITS = 16;
const BANK_MASK = (1 << BANK_BITS) - 1;
