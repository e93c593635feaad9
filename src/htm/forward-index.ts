import { Scratch } from './scratch.ts';
import type { TypedArray } from './tables.ts';

/**
 * Which segments a cell feeds, for one bank of segment rows, so that an entry takes two bytes: the row within its
 * bank, or what the owner makes of it. Cells are numbered 32 to a column (a column of a memory or not): one word of a
 * set of cells.
 *
 * The entries of all cells of a column lie next to each other, grouped by cell: a bursting column is one run, a
 * single cell a part of it. Order within a cell means nothing; adding or removing an entry therefore moves one
 * entry of each later cell of the column and no more. It is derived state, rebuilt from the segments on loading.
 */
export class ForwardIndex {
  /** Per column: 1 + number of its head, 0 as long as no segment has a source there. */
  readonly #headOf: Uint16Array;
  /** Per head: start of the column's block in the entries, room of the block, and for every cell the end of its group within the block. */
  #heads = new Uint32Array(0);
  #headCount = 0;
  #entries = new Uint16Array(0);
  /** Entries handed out to blocks; blocks that moved leave holes until the next repacking. */
  #used = 0;
  #live = 0;

  constructor(columnCount: number) {
    this.#headOf = new Uint16Array(columnCount);
  }

  /** The tables it consists of. */
  tables(): TypedArray[] {
    return [this.#headOf, this.#heads, this.#entries];
  }

  /** The index of the bank that begins at row `first` and ends before row `end`. */
  static of(columnCount: number, rows: SourceRows, first: number, end: number): ForwardIndex {
    const { sources, sourceStride } = rows;
    const index = new ForwardIndex(columnCount);
    // Per cell its entries, then the place of the next one.
    const places = placesScratch.zeroed(columnCount * CELL_STRIDE);
    for (let row = first; row < end; row++) {
      const from = row * sourceStride;
      const to = from + rows.size(row);
      for (let i = from; i < to; i++) places[sources[i]]++;
    }
    index.#layOut(places);
    const entries = index.#entries;
    for (let row = first; row < end; row++) {
      const from = row * sourceStride;
      const to = from + rows.size(row);
      for (let i = from; i < to; i++) entries[places[sources[i]]++] = row - first;
    }
    return index;
  }

  /** The index of the synapses of which number i is from `cells[i]` and has the entry `entries[i]`. */
  static ofEntries(columnCount: number, cells: Uint16Array, entries: Uint16Array): ForwardIndex {
    const index = new ForwardIndex(columnCount);
    const places = placesScratch.zeroed(columnCount * CELL_STRIDE);
    for (let i = 0; i < cells.length; i++) places[cells[i]]++;
    index.#layOut(places);
    const placed = index.#entries;
    for (let i = 0; i < cells.length; i++) placed[places[cells[i]]++] = entries[i];
    return index;
  }

  /** Notes that `row` has a synapse from `cell`. */
  add(cell: number, row: number): void {
    const head = this.#headFor(cell >>> CELL_SHIFT);
    const last = head + LAST_END;
    if (this.#heads[last] === this.#heads[head + ROOM]) this.#widen(head);
    const heads = this.#heads;
    const entries = this.#entries;
    const start = heads[head];
    const group = head + FIRST_END + (cell & CELL_MASK);
    for (let g = last; g > group; g--) {
      const end = heads[g];
      // The group's first entry goes behind its last one, which frees the place before it.
      entries[start + end] = entries[start + heads[g - 1]];
      heads[g] = end + 1;
    }
    entries[start + heads[group]++] = row;
    this.#live++;
  }

  /** Forgets that `row` has a synapse from `cell`; it must have one. */
  remove(cell: number, row: number): void {
    const head = (this.#headOf[cell >>> CELL_SHIFT] - 1) * HEAD_WORDS;
    const heads = this.#heads;
    const entries = this.#entries;
    const start = heads[head];
    let at = this.#placeOf(cell, head, row);
    const last = head + LAST_END;
    for (let g = head + FIRST_END + (cell & CELL_MASK); g <= last; g++) {
      // The group's last entry fills the hole, which leaves a hole before the next group.
      const end = start + --heads[g];
      entries[at] = entries[end];
      at = end;
    }
    this.#live--;
  }

  /** Adds 1 to `counts[row]` for every synapse from a cell of `words` (one word per column) in the `n` columns. */
  countColumns(
    columns: Uint16Array,
    n: number,
    words: Uint32Array,
    allCells: number,
    counts: Uint8Array,
  ): void {
    const headOf = this.#headOf;
    const heads = this.#heads;
    const entries = this.#entries;
    for (let i = 0; i < n; i++) {
      const column = columns[i];
      if (headOf[column] === 0) continue;
      const head = (headOf[column] - 1) * HEAD_WORDS;
      const start = heads[head];
      const word = words[column];
      if (word === allCells) {
        const end = start + heads[head + LAST_END];
        for (let e = start; e < end; e++) counts[entries[e]]++;
        continue;
      }
      for (let rest = word | 0; rest !== 0; rest &= rest - 1) {
        const cell = 31 - Math.clz32(rest & -rest);
        const group = head + FIRST_END + cell;
        const end = start + heads[group];
        for (let e = start + (cell === 0 ? 0 : heads[group - 1]); e < end; e++) counts[entries[e]]++;
      }
    }
  }

  /**
   * For entries that are bit numbers: adds those of all synapses from a cell of `words` (one word per column) in the `n`
   * columns to the set that begins at `marks[firstWord]`.
   */
  mark(columns: Uint16Array, n: number, words: Uint32Array, marks: Int32Array, firstWord: number): void {
    const headOf = this.#headOf;
    const heads = this.#heads;
    const entries = this.#entries;
    for (let i = 0; i < n; i++) {
      const column = columns[i];
      if (headOf[column] === 0) continue;
      const head = (headOf[column] - 1) * HEAD_WORDS;
      const start = heads[head];
      for (let rest = words[column] | 0; rest !== 0; rest &= rest - 1) {
        const cell = 31 - Math.clz32(rest & -rest);
        const group = head + FIRST_END + cell;
        const end = start + heads[group];
        for (let e = start + (cell === 0 ? 0 : heads[group - 1]); e < end; e++) {
          const entry = entries[e];
          marks[firstWord + (entry >>> 5)] |= 1 << entry;
        }
      }
    }
  }

  /** Adds 1 to `counts[row]` for every synapse from one of the `n` cells. */
  countCells(cells: Uint16Array, n: number, counts: Uint8Array): void {
    const headOf = this.#headOf;
    const heads = this.#heads;
    const entries = this.#entries;
    for (let i = 0; i < n; i++) {
      const cell = cells[i];
      const number = headOf[cell >>> CELL_SHIFT];
      if (number === 0) continue;
      const head = (number - 1) * HEAD_WORDS;
      const start = heads[head];
      const c = cell & CELL_MASK;
      const end = start + heads[head + FIRST_END + c];
      for (let e = start + (c === 0 ? 0 : heads[head + FIRST_END + c - 1]); e < end; e++)
        counts[entries[e]]++;
    }
  }

  /** Makes the blocks for so many entries per cell, and turns the numbers into the places of the cells' groups. */
  #layOut(places: Uint32Array): void {
    let used = 0;
    for (let column = 0; column < this.#headOf.length; column++) {
      const first = column << CELL_SHIFT;
      let any = 0;
      for (let cell = first; cell < first + CELL_STRIDE; cell++) any |= places[cell];
      if (any === 0) continue;
      const head = this.#headFor(column);
      let end = 0;
      for (let c = 0; c < CELL_STRIDE; c++) {
        const start = end;
        end += places[first + c];
        this.#heads[head + FIRST_END + c] = end;
        places[first + c] = used + start;
      }
      this.#heads[head] = used;
      this.#heads[head + ROOM] = roomFor(end);
      used += roomFor(end);
      this.#live += end;
    }
    this.#used = used;
    this.#entries = new Uint16Array(used + spare(this.#live));
  }

  /** Where the entry of a synapse from `cell`, whose column has the head `head`, is. */
  #placeOf(cell: number, head: number, entry: number): number {
    const heads = this.#heads;
    const entries = this.#entries;
    const start = heads[head];
    const c = cell & CELL_MASK;
    const group = head + FIRST_END + c;
    const behind = start + heads[group];
    let at = start + (c === 0 ? 0 : heads[group - 1]);
    while (at < behind && entries[at] !== entry) at++;
    if (at >= behind) throw new Error(`the index has no synapse from cell ${cell} to row ${entry}`);
    return at;
  }

  #headFor(column: number): number {
    if (this.#headOf[column] === 0) {
      if ((this.#headCount + 1) * HEAD_WORDS > this.#heads.length) {
        const heads = new Uint32Array(Math.ceil(this.#headCount * 1.25 + 16) * HEAD_WORDS);
        heads.set(this.#heads);
        this.#heads = heads;
      }
      this.#headOf[column] = ++this.#headCount;
    }
    return (this.#headOf[column] - 1) * HEAD_WORDS;
  }

  /** Gives a full block more room at the end of the entries. */
  #widen(head: number): void {
    const length = this.#heads[head + LAST_END];
    const room = roomFor(length + 1);
    if (this.#used + room > this.#entries.length) {
      this.#repack(head);
      return;
    }
    const start = this.#heads[head];
    this.#entries.copyWithin(this.#used, start, start + length);
    this.#heads[head] = this.#used;
    this.#heads[head + ROOM] = room;
    this.#used += room;
  }

  /** Moves all blocks to a new buffer without holes, with some room at its end and room in block `widened`. */
  #repack(widened: number): void {
    const heads = this.#heads;
    let needed = 0;
    for (let head = 0; head < this.#headCount * HEAD_WORDS; head += HEAD_WORDS) {
      heads[head + ROOM] = roomFor(heads[head + LAST_END] + (head === widened ? 1 : 0));
      needed += heads[head + ROOM];
    }
    const entries = new Uint16Array(needed + spare(this.#live));
    let used = 0;
    for (let head = 0; head < this.#headCount * HEAD_WORDS; head += HEAD_WORDS) {
      const start = heads[head];
      entries.set(this.#entries.subarray(start, start + heads[head + LAST_END]), used);
      heads[head] = used;
      used += heads[head + ROOM];
    }
    this.#entries = entries;
    this.#used = used;
  }
}

/** Rows of source cells: those of row r are the `size(r)` ones from `r * sourceStride` on. */
export interface SourceRows {
  readonly sources: Uint16Array;
  readonly sourceStride: number;
  size(row: number): number;
}

const placesScratch = new Scratch((length) => new Uint32Array(length));

/** Free entries behind the last block, for blocks that need to move. */
function spare(live: number): number {
  return (live >>> 3) + 1024;
}

/** Room of a block of `length` entries. */
function roomFor(length: number): number {
  return length + (length >>> 4) + 4;
}

/** Rows of a bank, their binary logarithm, and the mask that takes the row within its bank. */
export const BANK_ROWS = 65_536;
export const BANK_SHIFT = 16;
export const BANK_MASK = BANK_ROWS - 1;

const CELL_STRIDE = 32;
const CELL_SHIFT = 5;
const CELL_MASK = CELL_STRIDE - 1;
const ROOM = 1;
const FIRST_END = 2;
const LAST_END = FIRST_END + CELL_STRIDE - 1;
const HEAD_WORDS = FIRST_END + CELL_STRIDE;
