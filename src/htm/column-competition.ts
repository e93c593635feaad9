/**
 * Overlaps of all columns at once, as bit planes: plane p holds bit p of every column's overlap, one bit per column.
 * Connected inputs are added by carry-save adders, so 32 columns are counted per operation; the best columns are
 * found on the planes from the highest down, without a list or a sort. Model reference, sections 3.3 and 3.4.
 *
 * Holds nothing from one record to the next, so that all models of a process may share one.
 */
export class ColumnCompetition {
  readonly #columnCount: number;
  readonly #words: number;
  #planeCount = 0;
  readonly #planes: Int32Array;
  readonly #candidates: Int32Array;
  readonly #winners: Int32Array;
  readonly #scores: Float32Array;
  readonly #scoreBits: Int32Array;

  /** For overlaps up to `inputCount`. */
  constructor(columnCount: number, inputCount: number) {
    this.#columnCount = columnCount;
    this.#words = (columnCount + 31) >>> 5;
    this.#planes = new Int32Array(planesFor(inputCount) * this.#words);
    this.#candidates = new Int32Array(this.#words);
    this.#winners = new Int32Array(this.#words);
    this.#scores = new Float32Array(columnCount);
    this.#scoreBits = new Int32Array(this.#scores.buffer);
  }

  /** Counts for each column how many of `onInputs[0..count)` are connected. The last row of `connected` is zero. */
  countOverlaps(connected: Int32Array, onInputs: Uint16Array, count: number): void {
    const words = this.#words;
    const zeros = connected.length - words;
    const row = (k: number) => (k < count ? onInputs[k] * words : zeros);
    this.#planeCount = planesFor(count);
    this.#planes.fill(0, 0, this.#planeCount * words);
    for (let k = 0; k < count; k += 8) {
      this.#addRows(
        connected,
        row(k),
        row(k + 1),
        row(k + 2),
        row(k + 3),
        row(k + 4),
        row(k + 5),
        row(k + 6),
        row(k + 7),
      );
    }
  }

  /** Adds eight rows of `connected`, given by their offsets. */
  #addRows(
    connected: Int32Array,
    ra: number,
    rb: number,
    rc: number,
    rd: number,
    re: number,
    rf: number,
    rg: number,
    rh: number,
  ): void {
    const words = this.#words;
    const planes = this.#planes;
    const end = this.#planeCount * words;
    for (let w = 0; w < words; w++) {
      let ones = planes[w];
      let twos = planes[words + w];
      let fours = planes[2 * words + w];
      let x = connected[ra + w];
      let y = connected[rb + w];
      let half = ones ^ x;
      let twosA = (ones & x) | (half & y);
      ones = half ^ y;
      x = connected[rc + w];
      y = connected[rd + w];
      half = ones ^ x;
      let twosB = (ones & x) | (half & y);
      ones = half ^ y;
      half = twos ^ twosA;
      const foursA = (twos & twosA) | (half & twosB);
      twos = half ^ twosB;
      x = connected[re + w];
      y = connected[rf + w];
      half = ones ^ x;
      twosA = (ones & x) | (half & y);
      ones = half ^ y;
      x = connected[rg + w];
      y = connected[rh + w];
      half = ones ^ x;
      twosB = (ones & x) | (half & y);
      planes[w] = half ^ y;
      half = twos ^ twosA;
      const foursB = (twos & twosA) | (half & twosB);
      planes[words + w] = half ^ twosB;
      half = fours ^ foursA;
      let carry = (fours & foursA) | (half & foursB);
      fours = half ^ foursB;
      planes[2 * words + w] = fours;
      for (let plane = 3 * words + w; plane < end; plane += words) {
        const before = planes[plane];
        planes[plane] = before ^ carry;
        carry &= before;
      }
    }
  }

  /** Of word `w` of the columns, those with an overlap above 0. */
  overlapping(w: number): number {
    let any = 0;
    const end = this.#planeCount * this.#words;
    for (let i = w; i < end; i += this.#words) any |= this.#planes[i];
    return any;
  }

  /** The overlap of one column. */
  overlap(column: number): number {
    let overlap = 0;
    for (let plane = 0; plane < this.#planeCount; plane++) {
      overlap |= ((this.#planes[plane * this.#words + (column >>> 5)] >>> column) & 1) << plane;
    }
    return overlap;
  }

  /**
   * Writes the `count` columns of highest overlap, the higher index first among equals, to `out`, ascending, leaving
   * out those with an overlap below `threshold`.
   * @returns how many were written.
   */
  best(count: number, threshold: number, out: Uint16Array): number {
    const words = this.#words;
    const planes = this.#planes;
    const candidates = this.#candidates;
    const winners = this.#winners;
    candidates.fill(-1);
    if (this.#columnCount % 32 !== 0) candidates[words - 1] = (1 << (this.#columnCount % 32)) - 1;
    winners.fill(0);
    let wanted = count;
    for (let plane = this.#planeCount - 1; plane >= 0 && wanted > 0; plane--) {
      const start = plane * words;
      let having = 0;
      for (let w = 0; w < words; w++) having += bitCount(candidates[w] & planes[start + w]);
      if (having <= wanted) {
        for (let w = 0; w < words; w++) {
          winners[w] |= candidates[w] & planes[start + w];
          candidates[w] &= ~planes[start + w];
        }
        wanted -= having;
      } else {
        for (let w = 0; w < words; w++) candidates[w] &= planes[start + w];
      }
    }
    this.#takeHighest(wanted);
    return this.#list(threshold, out);
  }

  /** As `best`, by overlap times boost factor (in binary32). */
  bestBoosted(count: number, threshold: number, boosts: Float32Array, out: Uint16Array): number {
    for (let column = 0; column < this.#columnCount; column++) {
      this.#scores[column] = this.overlap(column) * boosts[column];
    }
    const least = this.#scoreReachedBy(count);
    this.#winners.fill(0);
    this.#candidates.fill(0);
    let above = 0;
    for (let column = 0; column < this.#columnCount; column++) {
      const score = this.#scoreBits[column];
      if (score > least) {
        this.#winners[column >>> 5] |= 1 << column;
        above++;
      } else if (score === least) {
        this.#candidates[column >>> 5] |= 1 << column;
      }
    }
    this.#takeHighest(count - above);
    let written = 0;
    const listed = this.#list(0, out);
    for (let i = 0; i < listed; i++) {
      if (this.#scores[out[i]] >= threshold) out[written++] = out[i];
    }
    return written;
  }

  /** The highest score, as a bit pattern, that at least `count` columns reach. Scores are not negative, so patterns order as they do. */
  #scoreReachedBy(count: number): number {
    let least = 0;
    for (let bit = 30; bit >= 0; bit--) {
      const tried = least | (1 << bit);
      let reaching = 0;
      for (let column = 0; column < this.#columnCount; column++) {
        if (this.#scoreBits[column] >= tried) reaching++;
      }
      if (reaching >= count) least = tried;
    }
    return least;
  }

  /** Makes the `count` candidates of highest index winners. */
  #takeHighest(count: number): void {
    let wanted = count;
    for (let w = this.#words - 1; w >= 0 && wanted > 0; w--) {
      for (let left = this.#candidates[w]; left !== 0 && wanted > 0; wanted--) {
        const highest = 1 << (31 - Math.clz32(left));
        this.#winners[w] |= highest;
        left ^= highest;
      }
    }
  }

  #list(threshold: number, out: Uint16Array): number {
    let count = 0;
    for (let w = 0; w < this.#words; w++) {
      for (let left = this.#winners[w]; left !== 0; left &= left - 1) {
        const column = (w << 5) + (31 - Math.clz32(left & -left));
        if (threshold === 0 || this.overlap(column) >= threshold) out[count++] = column;
      }
    }
    return count;
  }
}

/** Planes for overlaps up to `maxOverlap`; the adders need those of 1, 2 and 4 in any case. */
function planesFor(maxOverlap: number): number {
  return Math.max(3, 32 - Math.clz32(maxOverlap));
}

function bitCount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
