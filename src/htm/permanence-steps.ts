import type { PermanenceConstants } from './pooler-base.ts';

/**
 * Increments and decrements of permanences as whole numbers added to their bit patterns, with the same result as
 * binary32 arithmetic; many decrements at once.
 *
 * Why this is possible: permanences are 0 or positive normal numbers, so their bit patterns order as the numbers do,
 * and within one binade (one value of the exponent field) they are the whole multiples of one unit in the last place.
 * Adding a constant and rounding then always changes the pattern by the same number of units, and n decrements change
 * it by n times as many. It holds as long as the result stays inside the binade and the constant is not exactly
 * between two units. Everything else (steps across binades, binades in which permanences are trimmed) is computed one
 * by one.
 *
 * For the exponent field e of a permanence: if `pattern - n * falls[e] > floors[e]`, this is the pattern after n
 * decrements; if besides `that + rises[e] < ceilings[e]`, the smaller of this and `ONE_BITS` is the pattern after one
 * increment more.
 */
export class PermanenceSteps {
  readonly falls = new Int32Array(EXPONENTS);
  readonly floors = new Int32Array(EXPONENTS).fill(NEVER_ABOVE);
  readonly rises = new Int32Array(EXPONENTS);
  readonly ceilings = new Int32Array(EXPONENTS).fill(NEVER_BELOW);

  readonly #constants: PermanenceConstants;
  readonly #value = new Float32Array(1);
  readonly #bits = new Int32Array(this.#value.buffer);

  constructor(constants: PermanenceConstants) {
    this.#constants = constants;
    this.floors[0] = -1; // A permanence of 0 stays 0.
    for (let exponent = 1; exponent < BIAS; exponent++) {
      const lowerEnd = 2 ** (exponent - BIAS);
      const fall = wholeUnits(constants.decrement, lowerEnd);
      if (fall !== null && lowerEnd >= constants.trimBelow) {
        this.falls[exponent] = fall;
        this.floors[exponent] = exponent << MANTISSA_BITS;
      }
      const rise = wholeUnits(constants.increment, lowerEnd);
      if (rise !== null) {
        this.rises[exponent] = rise;
        // Above the last binade all is cut to 1, so it has no ceiling.
        this.ceilings[exponent] = exponent === BIAS - 1 ? NEVER_ABOVE : (exponent + 1) << MANTISSA_BITS;
      }
    }
    // Of its binade only 1 itself occurs, which is also the upper end of the binade below.
    for (const table of [this.falls, this.floors, this.rises, this.ceilings]) table[BIAS] = table[BIAS - 1];
  }

  /** The pattern of a permanence after `times` decrements. */
  afterDecrements(bits: number, times: number): number {
    if (this.#constants.decrement === 0) return bits;
    let current = bits;
    let left = times;
    while (left > 0 && current !== 0) {
      const exponent = current >>> MANTISSA_BITS;
      const fall = this.falls[exponent];
      if (fall > 0) {
        const insideBinade = Math.max(0, Math.floor((current - this.floors[exponent] - 1) / fall));
        const taken = Math.min(left, insideBinade);
        current -= taken * fall;
        left -= taken;
      }
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

const EXPONENTS = 256;
const BIAS = 127;
const MANTISSA_BITS = 23;
/** Unit in the last place of 1, and no permanence has a larger one. */
const UNIT = 2 ** -MANTISSA_BITS;
const NEVER_ABOVE = 0x7fffffff;
const NEVER_BELOW = -0x80000000;
