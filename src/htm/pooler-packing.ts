import { ArenaFormatError } from './arena.ts';
import type { PackedReader, PackedWriter } from './packing.ts';
import { patternOf } from './permanence-codes.ts';
import { ONE_BITS } from './permanence-steps.ts';
import type { PermanenceSteps } from './permanence-steps.ts';
import type { PoolerBase } from './pooler-base.ts';

/**
 * The packed form of the row of a pooler's column that has learned: exact, and small because nearly every permanence
 * follows from the one it began with, the number of times its column has learned and the number of times its input was on,
 * so that only the last needs to be said: a symbol per permanence, and, for those whose symbol says so, what else there is
 * to know.
 *
 * What is predicted is chosen by the writer and only improves the size; any bytes of the right length are some row.
 */
export class PoolerPacking {
  readonly #base: PoolerBase;
  readonly #steps: PermanenceSteps;
  readonly #gridUnit: number;
  /** The least permanence above 0, and the least connected one. */
  readonly #leastPattern: number;
  readonly #connectedPattern: number;
  readonly #value = new Float32Array(1);
  readonly #bits = new Int32Array(this.#value.buffer);

  constructor(base: PoolerBase, steps: PermanenceSteps) {
    this.#base = base;
    this.#steps = steps;
    this.#gridUnit = Math.max(base.constants.decrement, LEAST_GRID_UNIT);
    this.#leastPattern = patternOf(base.constants.trimBelow);
    this.#connectedPattern = patternOf(base.constants.connectedFrom);
  }

  /**
   * Packs the permanences of a column's pool.
   * @param times how often the column has learned; says nothing but what to expect of the permanences.
   * @param patterns of the permanences: binary32, in the order of the pool.
   * @param symbols gets theirs from `from` on; holds zeros there.
   * @param extras gets what else there is to know.
   */
  pack(
    column: number,
    times: number,
    patterns: Int32Array,
    symbols: Uint8Array,
    from: number,
    extras: PackedWriter,
  ): void {
    const { initialPatterns, permanences, poolSize } = this.#base;
    const { increment, decrement } = this.#base.constants;
    const values = new Float32Array(patterns.buffer, patterns.byteOffset, poolSize);
    const perRise = increment + decrement > 0 ? 1 / (increment + decrement) : 0;
    const { falls } = this.#steps;
    const fallen = times * decrement;
    const first = column * poolSize;
    for (let place = 0; place < poolSize; place++) {
      const bits = patterns[place];
      const initial = initialPatterns[first + place];
      // Most inputs were never on: what `#predict` says of them, where it is simple.
      const unmoved = (initial - Math.imul(times, falls[(initial - 1) >>> MANTISSA_BITS])) | 0;
      if (bits === unmoved && ((unmoved - 1) ^ (initial - 1)) >>> MANTISSA_BITS === 0) continue;
      // From the linear course; one that met 0 or 1 is another, and may give what cannot be.
      const estimate = Math.round((values[place] - permanences[first + place] + fallen) * perRise);
      const timesOn = Math.min(Math.max(estimate, 0), times);
      const residual = (bits - this.#predict(initial, timesOn, times - timesOn)) | 0;
      if (residual === 0 && timesOn <= MAX_PLAIN_TIMES) symbols[from + place] = timesOn;
      else if (bits === 0) symbols[from + place] = ZERO;
      else if (bits === ONE_BITS) symbols[from + place] = ONE;
      else if (Math.abs(residual) <= LARGEST_LIKELY_RESIDUAL) {
        symbols[from + place] = PREDICTED;
        extras.number(timesOn);
        extras.signed(residual);
      } else {
        symbols[from + place] = ON_GRID;
        const units = values[place] > 0 ? Math.round(Math.min(values[place], 1) / this.#gridUnit) : 0;
        extras.number(units);
        extras.signed((bits - this.#gridBits(units)) | 0);
      }
    }
  }

  /**
   * The reverse of `pack`: puts the patterns of the permanences of a column that exists into `patterns`.
   * @throws ArenaFormatError when `extras` end too early.
   */
  unpack(
    column: number,
    times: number,
    patterns: Int32Array,
    symbols: Uint8Array,
    from: number,
    extras: PackedReader,
  ): void {
    const { initialPatterns, poolSize } = this.#base;
    const { falls, rises } = this.#steps;
    const first = column * poolSize;
    for (let place = 0; place < poolSize; place++) {
      const initial = initialPatterns[first + place];
      const symbol = symbols[from + place];
      if (symbol <= MAX_PLAIN_TIMES) {
        const binade = (initial - 1) >>> MANTISSA_BITS;
        const moved = (Math.imul(symbol, rises[binade]) - Math.imul(times - symbol, falls[binade])) | 0;
        const bits = (initial + moved) | 0;
        patterns[place] =
          ((bits - 1) ^ (initial - 1)) >>> MANTISSA_BITS === 0
            ? bits
            : this.#predict(initial, symbol, times - symbol);
      } else {
        patterns[place] = this.#unlikely(symbol, initial, times, extras);
      }
    }
  }

  /**
   * Goes through a packed row without unpacking it: checks it, and finds the synapses of which the connection is another
   * than at the beginning.
   * @param changed gets their places in the pool, ascending.
   * @returns how many these are.
   * @throws ArenaFormatError when a permanence is none there can be, or `extras` end too early.
   */
  changedConnections(
    column: number,
    times: number,
    symbols: Uint8Array,
    from: number,
    extras: PackedReader,
    changed: Uint16Array,
  ): number {
    const { permanences, initialPatterns, poolSize } = this.#base;
    const { increment, decrement, connectedFrom, trimBelow } = this.#base.constants;
    const connectedPattern = this.#connectedPattern;
    const perRise = (increment + decrement) * COARSE;
    // What is predicted is so far at the most from the linear course, which is cheap: half a unit a step, and trimming.
    const margin = Math.ceil((times * HALF_UNIT + trimBelow) * COARSE) + 1;
    const lost = Math.min(times * decrement, MUCH) + connectedFrom;
    const first = column * poolSize;
    let count = 0;
    for (let place = 0; place < poolSize; place++) {
      const symbol = symbols[from + place];
      const initial = initialPatterns[first + place];
      // Without branches where they could not be foreseen: the sign tells which is connected.
      let distance = ((permanences[first + place] - lost) * COARSE + symbol * perRise) | 0;
      if (symbol > MAX_PLAIN_TIMES)
        distance = this.#checked(this.#unlikely(symbol, initial, times, extras)) - connectedPattern;
      else if ((distance + margin) >>> 0 <= 2 * margin)
        distance = this.#predict(initial, symbol, times - symbol) - connectedPattern;
      changed[count] = place;
      count += (distance ^ (initial - connectedPattern)) >>> 31;
    }
    return count;
  }

  #checked(pattern: number): number {
    if (pattern === 0 || (pattern >= this.#leastPattern && pattern <= ONE_BITS)) return pattern;
    throw new ArenaFormatError(`spatial pooler: permanence of pattern ${pattern}`);
  }

  /** Of a permanence that is not as predicted. */
  #unlikely(symbol: number, initial: number, times: number, extras: PackedReader): number {
    if (symbol === ZERO) return 0;
    if (symbol === ONE) return ONE_BITS;
    if (symbol === ON_GRID) return this.#gridBits(extras.number()) + extras.signed();
    const timesOn = extras.number();
    return this.#predict(initial, timesOn, times - timesOn) + extras.signed();
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

/** Of the last place of numbers up to 1, which is the most that rounding changes a permanence in a step. */
const HALF_UNIT = 2 ** -25;
/** Units of a rough permanence. */
const COARSE = 2 ** 20;
/** Of permanences: more than one can lose. */
const MUCH = 1024;
const LARGEST_LIKELY_RESIDUAL = 4096;
const LEAST_GRID_UNIT = 2 ** -20;
const MANTISSA_BITS = 23;
const MANTISSA_MASK = 2 ** MANTISSA_BITS - 1;
/** More than a permanence can cross. */
const MAX_BINADES = 128;
