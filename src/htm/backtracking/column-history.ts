import { ArenaFormatError } from '../arena.ts';

/**
 * The last active-column sets, oldest first, as bit sets in a section of the arena. Bounded: appending to a full
 * history drops the oldest entry.
 *
 * The section: number of entries, then room for `capacity` bit sets.
 */
export class ColumnHistory {
  readonly #capacity: number;
  readonly #setWords: number;
  readonly #columnCount: number;
  #words!: Uint32Array;

  constructor(capacity: number, columnCount: number) {
    this.#capacity = capacity;
    this.#columnCount = columnCount;
    this.#setWords = bitSetWords(columnCount);
  }

  /** Words of the section. */
  static words(capacity: number, columnCount: number): number {
    return 1 + capacity * bitSetWords(columnCount);
  }

  lay(words: Uint32Array): void {
    this.#words = words;
  }

  get length(): number {
    return this.#words[0];
  }

  append(columns: Uint16Array, n: number): void {
    if (this.length === this.#capacity) this.dropOldest(1);
    const start = 1 + this.length * this.#setWords;
    this.#words.fill(0, start, start + this.#setWords);
    for (let i = 0; i < n; i++) this.#words[start + (columns[i] >>> 5)] |= 1 << (columns[i] & 31);
    this.#words[0]++;
  }

  dropOldest(count: number): void {
    this.#words.copyWithin(1, 1 + count * this.#setWords, 1 + this.length * this.#setWords);
    this.#words[0] -= count;
  }

  clear(): void {
    this.#words[0] = 0;
  }

  /** Writes the columns of an entry to `out`, ascending, and returns their number. */
  read(entry: number, out: Uint16Array): number {
    const start = 1 + entry * this.#setWords;
    let n = 0;
    for (let w = 0; w < this.#setWords; w++) {
      for (let rest = this.#words[start + w] | 0; rest !== 0; rest &= rest - 1)
        out[n++] = (w << 5) + 31 - Math.clz32(rest & -rest);
    }
    return n;
  }

  /** @throws ArenaFormatError when the section is not a history of these columns. */
  check(): void {
    if (this.length > this.#capacity)
      throw new ArenaFormatError(`a history has ${this.length} entries, at most ${this.#capacity} are kept`);
    for (let entry = 0; entry < this.length; entry++) {
      const last = this.#words[(entry + 1) * this.#setWords];
      if ((this.#columnCount & 31) !== 0 && last >>> (this.#columnCount & 31) !== 0)
        throw new ArenaFormatError(`history entry ${entry} has columns from ${this.#columnCount} on`);
    }
  }
}

/** 32-bit words of a set of columns. */
export function bitSetWords(columnCount: number): number {
  return Math.ceil(columnCount / 32);
}
