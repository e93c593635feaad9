import type { PermanenceConstants } from './pooler-base.ts';

/**
 * Many decrements of a permanence at once, with the same result as one after the other in binary32.
 *
 * Why this is possible: permanences are positive, so their bit patterns order as the numbers do, and within one
 * binade (one value of the exponent field) they are the whole multiples of one unit in the last place. Subtracting a
 * constant and rounding then always takes the same number of units, so n decrements take n times as many. It holds as
 * long as the result stays above the lower end of the binade and the constant is not exactly between two multiples.
 * Permanences are 0 or at least 2^-126, and so is the constant; the former have the exponent field 0 to themselves.
 * The last step out of a binade, and all steps where rules besides subtraction apply, are done one by one.
 */
export class PermanenceDecay {
  /** Per exponent field: units in the last place that one decrement takes. */
  readonly steps = new Int32Array(EXPONENTS);
  /** Per exponent field: a result of whole `steps` is right if its bit pattern is above this. */
  readonly floors = new Int32Array(EXPONENTS).fill(NEVER);

  readonly #constants: PermanenceConstants;
  readonly #value = new Float32Array(1);
  readonly #bits = new Int32Array(this.#value.buffer);

  constructor(constants: PermanenceConstants) {
    this.#constants = constants;
    this.floors[0] = -1; // A permanence of 0 stays 0.
    for (let exponent = 1; exponent < EXPONENTS; exponent++) {
      const lowerEnd = 2 ** (exponent - BIAS);
      const units = constants.decrement / (lowerEnd * UNIT);
      const isBetweenUnits = units % 1 === 0.5;
      if (constants.decrement >= lowerEnd || isBetweenUnits || lowerEnd < constants.trimBelow) continue;
      this.steps[exponent] = Math.round(units);
      this.floors[exponent] = exponent << MANTISSA_BITS;
    }
    // Of its binade only 1 itself occurs, which is also the upper end of the binade below.
    this.steps[BIAS] = this.steps[BIAS - 1];
    this.floors[BIAS] = this.floors[BIAS - 1];
  }

  /** The bit pattern of a permanence (0..1, given as its bit pattern) after `times` decrements. */
  apply(bits: number, times: number): number {
    if (this.#constants.decrement === 0) return bits;
    let current = bits;
    let left = times;
    while (left > 0 && current !== 0) {
      const exponent = current >>> MANTISSA_BITS;
      const step = this.steps[exponent];
      if (step > 0) {
        const inBinade = Math.max(0, Math.floor((current - this.floors[exponent] - 1) / step));
        const taken = Math.min(left, inBinade);
        current -= taken * step;
        left -= taken;
      }
      if (left > 0) {
        current = this.#once(current);
        left--;
      }
    }
    return current;
  }

  /** How many decrements a permanence takes at least until it is below `limit`; `permanence >= limit`. At least 1. */
  leastStepsBelow(permanence: number, limit: number): number {
    const largestStep = this.#constants.decrement + UNIT;
    return Math.floor((permanence - limit) / largestStep) + 1;
  }

  #once(bits: number): number {
    this.#bits[0] = bits;
    const lower = Math.fround(this.#value[0] - this.#constants.decrement);
    this.#value[0] = lower < this.#constants.trimBelow || lower < 0 ? 0 : lower;
    return this.#bits[0];
  }
}

const EXPONENTS = 256;
const BIAS = 127;
const MANTISSA_BITS = 23;
/** Unit in the last place of 1, and no permanence has a larger one. */
const UNIT = 2 ** -MANTISSA_BITS;
const NEVER = 0x7fffffff;
