/** Rows of 32-bit words in pieces of some rows each, so that no row moves when there are more of them. */
export class WordRows {
  readonly #rowWords: number;
  readonly #pieces: Int32Array[] = [];
  #count = 0;

  /** @param rowWords words of a row */
  constructor(rowWords: number) {
    this.#rowWords = rowWords;
  }

  tables(): readonly Int32Array[] {
    return this.#pieces;
  }

  /** One more row, of zeros. @returns its number */
  add(): number {
    if (this.#count === this.#pieces.length * PIECE_ROWS)
      this.#pieces.push(new Int32Array(PIECE_ROWS * this.#rowWords));
    return this.#count++;
  }

  /** The piece that a row is in, and where in it the row begins. */
  pieceOf(row: number): Int32Array {
    return this.#pieces[row >>> PIECE_SHIFT];
  }

  startOf(row: number): number {
    return (row & PIECE_MASK) * this.#rowWords;
  }
}

const PIECE_SHIFT = 5;
const PIECE_ROWS = 1 << PIECE_SHIFT;
const PIECE_MASK = PIECE_ROWS - 1;
