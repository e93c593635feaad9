import { BANK_ROWS } from '../forward-index.ts';
import { CELL_SHIFT, MAX_COLUMNS } from './parameters.ts';

/**
 * Scratch memory of one computation, shared by all backtracking memories of a thread: nothing in it outlives a
 * `compute`, so a thousand models need it once.
 */
export class Workspace {
  /** Active synapses per segment row. */
  counts = new Uint8Array(0);
  /** The same bytes, four at a time. */
  countWords = new Int32Array(0);
  /** The part of the counts that belongs to each bank of rows. */
  countsOfBank: Uint8Array[] = [];
  /** Rows found by a scan of the counts. */
  rows = new Uint32Array(0);

  /** Makes room for `rowCount` rows. */
  reserve(rowCount: number): void {
    if (this.rows.length >= rowCount) return;
    const room = Math.ceil((rowCount * 1.25) / 16) * 16;
    this.counts = new Uint8Array(room);
    this.countWords = new Int32Array(this.counts.buffer);
    this.countsOfBank = [];
    for (let first = 0; first < room; first += BANK_ROWS)
      this.countsOfBank.push(this.counts.subarray(first, first + BANK_ROWS));
    this.rows = new Uint32Array(room);
  }
}

/** The thread's workspace. */
export const workspace = new Workspace();

/**
 * Writes the indexes of the bytes that are at least `threshold` (1..127) among the first `length` to `out`, ascending.
 * `words` are the bytes read four at a time (little-endian), each at most 127, with zero bytes up to a whole word.
 * @returns how many were found.
 */
export function indexesAtLeast(
  words: Int32Array,
  length: number,
  threshold: number,
  out: Uint32Array | Uint16Array,
): number {
  // Adding 128 - threshold to each byte sets its top bit exactly where the byte reaches the threshold.
  const bias = Math.imul(0x80 - threshold, 0x01010101);
  const wordCount = (length + 3) >>> 2;
  let found = 0;
  let w = 0;
  while (w < wordCount) {
    // Most words have nothing: eight are looked at together.
    if (w + 8 <= wordCount) {
      const any =
        (words[w] + bias) |
        (words[w + 1] + bias) |
        (words[w + 2] + bias) |
        (words[w + 3] + bias) |
        (words[w + 4] + bias) |
        (words[w + 5] + bias) |
        (words[w + 6] + bias) |
        (words[w + 7] + bias);
      if ((any & TOP_BITS) === 0) {
        w += 8;
        continue;
      }
    }
    for (const end = Math.min(w + 8, wordCount); w < end; w++) {
      for (let bits = (words[w] + bias) & TOP_BITS; bits !== 0; bits &= bits - 1)
        out[found++] = (w << 2) + ((31 - Math.clz32(bits & -bits)) >>> 3);
    }
  }
  return found;
}

const TOP_BITS = 0x80808080 | 0;

/** A set of cells with at most one of a column, in the three forms that updates need. */
export class CellSet {
  /** The cells, ascending; the first `length` count. */
  readonly cells = new Uint16Array(MAX_COLUMNS);
  length = 0;
  /** The cells as one word per column. */
  readonly words = new Uint32Array(MAX_COLUMNS);
  /** By column: where its cell is in the list (meaningful for columns that have one). */
  readonly positions = new Uint16Array(MAX_COLUMNS);

  /** Takes over the first `length` of `cells`. */
  set(cells: Uint16Array, length: number): void {
    for (let i = 0; i < this.length; i++) this.words[this.cells[i] >>> CELL_SHIFT] = 0;
    for (let i = 0; i < length; i++) {
      const cell = cells[i];
      const column = cell >>> CELL_SHIFT;
      this.cells[i] = cell;
      this.words[column] = 1 << cell;
      this.positions[column] = i;
    }
    this.length = length;
  }
}
