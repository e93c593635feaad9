import type { PermanenceConstants } from './pooler-base.ts';

/**
 * Increments and decrements of permanences as whole numbers added to their bit patterns, with the same result as
 * binary32 arithmetic; many decrements at once.
 *
 * Why this is possible: permanences are 0 or positive normal numbers, so their bit patterns order as the numbers do,
 * and within one binade (from a power of two to the next) they are the whole multiples of one unit in the last place.
 * Adding a constant and rounding then always changes the pattern by the same number of units, and n decrements change
 * it by n times as many. It holds as long as the result stays inside the binade and the constant is not exactly
 * between two units. Everything else (steps across binades, binades in which permanences are trimmed) is computed one
 * by one.
 *
 * A power of two counts here as the upper end of the binade below it, which makes 1 an end like any other; so the
 * binade of a pattern b is `(b - 1) >>> 23`. For a permanence in binade e, if `b - n * falls[e]` is in the same binade,
 * it is the pattern after n decrements; and if the smaller of `ONE_BITS` and that plus `rises[e]` is in it too, this is
 * the pattern after one increment more.
 */
export class PermanenceSteps {
  readonly falls = new Int32Array(BINADES).fill(WHOLE_BINADE);
  readonly rises = new Int32Array(BINADES).fill(-WHOLE_BINADE);

  readonly #constants: PermanenceConstants;
  readonly #value = new Float32Array(1);
  readonly #bits = new Int32Array(this.#value.buffer);

  constructor(constants: PermanenceConstants) {
    this.#constants = constants;
    this.falls[BINADE_OF_0] = 0;
    for (let binade = 1; binade <= HIGHEST_BINADE; binade++) {
      const lowerEnd = 2 ** (binade - BIAS);
      // Where there is no such number, one that leads out of the binade downward.
      if (lowerEnd >= constants.trimBelow)
        this.falls[binade] = wholeUnits(constants.decrement, lowerEnd) ?? WHOLE_BINADE;
      this.rises[binade] = wholeUnits(constants.increment, lowerEnd) ?? -WHOLE_BINADE;
    }
  }

  /** The pattern of a permanence after `times` decrements. */
  afterDecrements(bits: number, times: number): number {
    if (this.#constants.decrement === 0) return bits;
    let current = bits;
    let left = times;
    while (left > 0 && current !== 0) {
      const binade = (current - 1) >>> MANTISSA_BITS;
      const fall = this.falls[binade];
      // Less than half a unit: the permanence never changes.
      if (fall === 0) return current;
      const inside = Math.floor((current - (binade << MANTISSA_BITS) - 1) / fall);
      const taken = Math.min(left, inside);
      current -= taken * fall;
      left -= taken;
      if (left > 0) {
        current = this.#afterDecrement(current);
        left--;
      }
    }
    return current;
  }

  /** The pattern of a permanence after an increment. */
  afterIncrement(bits: number): number {
    this.#bits[0] = bits;
    this.#value[0] = Math.min(Math.fround(this.#value[0] + this.#constants.increment), 1);
    return this.#bits[0];
  }

  /**
   * How many decrements it takes at least until a permanence is below `limit`, which it is not; both as patterns. At
   * least 1.
   */
  leastTimesUntilBelow(bits: number, limitBits: number): number {
    const largestStep = this.#constants.decrement + UNIT;
    return Math.floor((this.#valueOf(bits) - this.#valueOf(limitBits)) / largestStep) + 1;
  }

  #afterDecrement(bits: number): number {
    const lower = Math.fround(this.#valueOf(bits) - this.#constants.decrement);
    this.#value[0] = lower < this.#constants.trimBelow || lower < 0 ? 0 : lower;
    return this.#bits[0];
  }

  #valueOf(bits: number): number {
    this.#bits[0] = bits;
    return this.#value[0];
  }
}

/** The bit pattern of 1, the highest permanence. */
export const ONE_BITS = 0x3f800000;

/** A constant in units of the binade from `lowerEnd` up, rounded; null if it is larger than the binade or between two units. */
function wholeUnits(constant: number, lowerEnd: number): number | null {
  const units = constant / (lowerEnd * UNIT);
  return constant < lowerEnd && units % 1 !== 0.5 ? Math.round(units) : null;
}

const MANTISSA_BITS = 23;
const BIAS = 127;
/** That of (1/2, 1]. */
const HIGHEST_BINADE = BIAS - 1;
const BINADES = 512;
const BINADE_OF_0 = 511;
/** Unit in the last place of 1, and no permanence has a larger one. */
const UNIT = 2 ** -MANTISSA_BITS;
/** In units of any binade. */
const WHOLE_BINADE = 2 ** MANTISSA_BITS;
