import { PackedReader, PackedWriter } from './packing.ts';
import { ONE_BITS } from './permanence-steps.ts';
import type { PermanenceSteps } from './permanence-steps.ts';
import type { PoolerBase } from './pooler-base.ts';
import { Scratch } from './scratch.ts';

/** The rows of a pooler's columns that have learned. */
export interface PoolerRows {
  readonly columns: Uint16Array;
  /** Per row how often it has learned. Says nothing but what to expect of the permanences. */
  readonly timesLearned: Uint32Array;
  /** Bit patterns of the permanences, `poolSize` per row. */
  readonly permanenceBits: Int32Array;
}

/**
 * The packed form of a pooler's rows: exact, and small because nearly every permanence follows from the one it began
 * with, the number of times its column has learned and the number of times its input was on, so that only the last
 * needs to be said.
 *
 * The bytes: columns, times learned, a symbol per permanence, and, for those whose symbol says so, what else there is
 * to know. What is predicted is chosen by the writer and only improves the size; any bytes of the right length are some rows.
 */
export class PoolerPacking {
  readonly #base: PoolerBase;
  readonly #steps: PermanenceSteps;
  readonly #gridUnit: number;
  readonly #value = new Float32Array(1);
  readonly #bits = new Int32Array(this.#value.buffer);

  constructor(base: PoolerBase, steps: PermanenceSteps) {
    this.#base = base;
    this.#steps = steps;
    this.#gridUnit = Math.max(base.constants.decrement, LEAST_GRID_UNIT);
  }

  pack({ columns, timesLearned, permanenceBits }: PoolerRows): Uint8Array {
    const { poolSize, permanences } = this.#base;
    const { increment, decrement } = this.#base.constants;
    const initialBits = new Int32Array(permanences.buffer);
    const values = new Float32Array(permanenceBits.buffer, permanenceBits.byteOffset, permanenceBits.length);
    const perRise = increment + decrement > 0 ? 1 / (increment + decrement) : 0;
    const { falls } = this.#steps;
    const symbols = symbolsScratch.zeroed(permanenceBits.length);
    extras.begin();
    for (let row = 0; row < columns.length; row++) {
      const times = timesLearned[row];
      const fallen = times * decrement;
      const toInitial = (columns[row] - row) * poolSize;
      for (let i = row * poolSize; i < (row + 1) * poolSize; i++) {
        const bits = permanenceBits[i];
        const initial = initialBits[toInitial + i];
        // Most inputs were never on: what `#predict` says of them, where it is simple.
        const unmoved = (initial - Math.imul(times, falls[(initial - 1) >>> MANTISSA_BITS])) | 0;
        if (bits === unmoved && ((unmoved - 1) ^ (initial - 1)) >>> MANTISSA_BITS === 0) continue;
        // From the linear course; one that met 0 or 1 is another, and may give what cannot be.
        const estimate = Math.round((values[i] - permanences[toInitial + i] + fallen) * perRise);
        const timesOn = Math.min(Math.max(estimate, 0), times);
        const residual = (bits - this.#predict(initial, timesOn, times - timesOn)) | 0;
        if (residual === 0 && timesOn <= MAX_PLAIN_TIMES) symbols[i] = timesOn;
        else if (bits === 0) symbols[i] = ZERO;
        else if (bits === ONE_BITS) symbols[i] = ONE;
        else if (Math.abs(residual) <= LARGEST_LIKELY_RESIDUAL) {
          symbols[i] = PREDICTED;
          extras.number(timesOn);
          extras.signed(residual);
        } else {
          symbols[i] = ON_GRID;
          const units = values[i] > 0 ? Math.round(Math.min(values[i], 1) / this.#gridUnit) : 0;
          extras.number(units);
          extras.signed((bits - this.#gridBits(units)) | 0);
        }
      }
    }
    const extra = extras.finish();
    const packed = new PackedWriter(6 * columns.length + symbols.length + extra.length);
    packed.array(columns);
    packed.array(timesLearned);
    packed.array(symbols);
    packed.array(extra);
    return packed.finish();
  }

  /**
   * The rows whose permanences are to be used before the next call.
   * @throws ArenaFormatError when `packed` are not the bytes of `rowCount` rows.
   */
  unpack(packed: Uint8Array, rowCount: number): PoolerRows {
    const { poolSize, permanences, columnCount } = this.#base;
    const initialBits = new Int32Array(permanences.buffer);
    const reader = new PackedReader(packed);
    const columns = reader.u16(rowCount);
    const timesLearned = reader.u32(rowCount);
    const symbols = reader.u8(rowCount * poolSize);
    const permanenceBits = bitsScratch.take(symbols.length);
    const { falls, rises } = this.#steps;
    for (let row = 0; row < rowCount; row++) {
      const times = timesLearned[row];
      // A column that does not exist is refused with the rows' other checks.
      const toInitial = (Math.min(columns[row], columnCount - 1) - row) * poolSize;
      for (let i = row * poolSize; i < (row + 1) * poolSize; i++) {
        const initial = initialBits[toInitial + i];
        const symbol = symbols[i];
        if (symbol <= MAX_PLAIN_TIMES) {
          const binade = (initial - 1) >>> MANTISSA_BITS;
          const moved = (Math.imul(symbol, rises[binade]) - Math.imul(times - symbol, falls[binade])) | 0;
          const bits = (initial + moved) | 0;
          permanenceBits[i] =
            ((bits - 1) ^ (initial - 1)) >>> MANTISSA_BITS === 0
              ? bits
              : this.#predict(initial, symbol, times - symbol);
        } else if (symbol === PREDICTED) {
          const timesOn = reader.number();
          permanenceBits[i] = this.#predict(initial, timesOn, times - timesOn) + reader.signed();
        } else if (symbol === ON_GRID) {
          permanenceBits[i] = this.#gridBits(reader.number()) + reader.signed();
        } else permanenceBits[i] = symbol === ZERO ? 0 : ONE_BITS;
      }
    }
    reader.end();
    return { columns, timesLearned, permanenceBits };
  }

  /**
   * The pattern to be expected of a permanence after so many increments and decrements. Exact without increments, and
   * where all was within one binade (see `PermanenceSteps`); else nearly so, unless 0 or 1 was met on the way.
   */
  #predict(initial: number, ups: number, downs: number): number {
    const { falls, rises } = this.#steps;
    const binade = (initial - 1) >>> MANTISSA_BITS;
    // Where this overflows, the prediction is a bad one.
    const bits = (initial - Math.imul(downs, falls[binade]) + Math.imul(ups, rises[binade])) | 0;
    if (((bits - 1) ^ (initial - 1)) >>> MANTISSA_BITS === 0) return bits;
    return ups === 0 ? this.#afterFalls(initial, downs) : this.#afterLine(initial, ups, downs);
  }

  /** As `PermanenceSteps.afterDecrements`, but in a bounded number of steps whatever the constants are. */
  #afterFalls(initial: number, times: number): number {
    const { falls } = this.#steps;
    let current = initial;
    let left = times;
    for (let step = 0; step < MAX_BINADES && left > 0 && current > 0; step++) {
      const fall = falls[(current - 1) >>> MANTISSA_BITS];
      if (fall === 0) return current;
      const inside = Math.floor(((current - 1) & MANTISSA_MASK) / fall);
      const taken = Math.min(left, inside);
      current -= taken * fall;
      left -= taken;
      if (left > 0) {
        current = this.#afterLine(current, 0, 1);
        left--;
      }
    }
    return left > 0 && current > 0 ? this.#afterLine(current, 0, left) : current;
  }

  /** As if in one step. */
  #afterLine(initial: number, ups: number, downs: number): number {
    const { increment, decrement, trimBelow } = this.#base.constants;
    this.#bits[0] = initial;
    const value = Math.fround(this.#value[0] + (ups * increment - downs * decrement));
    this.#value[0] = value < trimBelow || value < 0 ? 0 : Math.min(value, 1);
    return this.#bits[0];
  }

  /** The pattern of a permanence that began anew at 0 or 1: a multiple of the decrement, as the increments mostly are too. */
  #gridBits(units: number): number {
    this.#value[0] = units * this.#gridUnit;
    return this.#bits[0];
  }
}

/** Symbols: the times the input was on, up to `MAX_PLAIN_TIMES`, for a permanence that is as predicted; or one of these. */
const MAX_PLAIN_TIMES = 251;
/** Extra: times on, difference of the pattern from the predicted one. */
const PREDICTED = 252;
/** Extra: multiple of the grid's unit, difference of the pattern from that. */
const ON_GRID = 253;
const ZERO = 254;
const ONE = 255;

const symbolsScratch = new Scratch((length) => new Uint8Array(length));
const bitsScratch = new Scratch((length) => new Int32Array(length));
const extras = new PackedWriter();

const LARGEST_LIKELY_RESIDUAL = 4096;
const LEAST_GRID_UNIT = 2 ** -20;
const MANTISSA_BITS = 23;
const MANTISSA_MASK = 2 ** MANTISSA_BITS - 1;
/** More than a permanence can cross. */
const MAX_BINADES = 128;
