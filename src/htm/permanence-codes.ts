import { ONE_BITS } from './permanence-steps.ts';
import type { PermanenceSteps } from './permanence-steps.ts';
import type { PermanenceConstants } from './pooler-base.ts';

/**
 * A permanence and a small count in one 32-bit word, for a pooler that makes up for decrements later.
 *
 * The lower `shift` bits are the permanence's code: its binary32 pattern less that of a power of two so chosen that the
 * least permanence there can be has a code in the second binade, and 0 for 0. So codes order as permanences do, and what
 * `PermanenceSteps` says of patterns holds of codes with the `falls` and `rises` of this class. The first binade is free: its
 * lowest code, `NOT_POOLED`, stands for an input outside the pool, and no step changes it. The other bits hold the count.
 */
export class PermanenceCodes {
  readonly shift: number;
  readonly mask: number;
  /** The highest count that a word holds: 1 to 255. */
  readonly maxTimes: number;
  /** The code of 1. */
  readonly one: number;
  /** The least code that is connected. */
  readonly connectedFrom: number;
  /** As those of `PermanenceSteps`, by binade of the code. */
  readonly falls: Int32Array;
  readonly rises: Int32Array;

  readonly #steps: PermanenceSteps;
  readonly #origin: number;

  constructor(constants: PermanenceConstants, steps: PermanenceSteps) {
    const lowestBinade = Math.max(patternOf(constants.trimBelow) - 1, 0) >>> MANTISSA_BITS;
    this.#steps = steps;
    this.#origin = (lowestBinade - 1) * 2 ** MANTISSA_BITS;
    this.one = ONE_BITS - this.#origin;
    this.connectedFrom = this.codeOf(patternOf(constants.connectedFrom));
    this.shift = Math.max(32 - Math.clz32(this.one), LEAST_SHIFT);
    this.mask = 2 ** this.shift - 1;
    this.maxTimes = 2 ** (32 - this.shift) - 1;
    this.falls = new Int32Array(BINADES);
    this.rises = new Int32Array(BINADES);
    for (let binade = 1; binade < BINADES && binade + lowestBinade - 1 < BINADES; binade++) {
      this.falls[binade] = steps.falls[binade + lowestBinade - 1];
      this.rises[binade] = steps.rises[binade + lowestBinade - 1];
    }
    this.falls[BINADE_OF_0] = steps.falls[BINADE_OF_0];
    this.rises[BINADE_OF_0] = steps.rises[BINADE_OF_0];
  }

  /** The code of a permanence's pattern. */
  codeOf(pattern: number): number {
    return pattern === 0 ? 0 : pattern - this.#origin;
  }

  /** The pattern of a permanence's code. */
  patternOf(code: number): number {
    return code === 0 ? 0 : code + this.#origin;
  }

  /** As `PermanenceSteps.afterDecrements`. */
  afterDecrements(code: number, times: number): number {
    return this.codeOf(this.#steps.afterDecrements(this.patternOf(code), times));
  }

  /** As `PermanenceSteps.afterIncrement`. */
  afterIncrement(code: number): number {
    return this.codeOf(this.#steps.afterIncrement(this.patternOf(code)));
  }

  /** How many decrements it takes at least until a connected permanence is not; `maxTimes` for more. */
  timesUntilLoss(code: number): number {
    const limit = this.patternOf(this.connectedFrom);
    return Math.min(this.#steps.leastTimesUntilBelow(this.patternOf(code), limit), this.maxTimes);
  }
}

/** The binary32 pattern of a number. */
export function patternOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0];
}

/** The code of an input outside the pool. */
export const NOT_POOLED = 1;

const MANTISSA_BITS = 23;
const BINADES = 512;
const BINADE_OF_0 = 511;
const LEAST_SHIFT = 24;
