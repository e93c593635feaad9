import type { ValueEncoder } from './encoder.ts';

/** Constants of a scalar encoder. */
export interface ScalarEncoderParameters {
  /** On bits: odd, positive. */
  readonly w: number;
  /** Range of the input; `min < max`. Periodic encoders take `min <= input < max`. */
  readonly min: number;
  readonly max: number;
  readonly periodic: boolean;
  /** Which of the three ways gives the number of bits; the others follow. */
  readonly sizedBy: 'n' | 'radius' | 'resolution';
  /** The number of bits, the distance from which inputs share no bit, or the distance of one bit. Positive. */
  readonly size: number;
  /** Whether an input outside the range is moved to its end rather than refused. */
  readonly clipInput: boolean;
}

/** A run of `w` on bits whose position follows the input, on a line or a circle. Model reference, section 2.2. */
export class ScalarEncoder implements ValueEncoder {
  readonly width: number;
  readonly maxOnBits: number;

  readonly #parameters: ScalarEncoderParameters;
  readonly #half: number;
  readonly #padding: number;
  readonly #resolution: number;
  readonly #range: number;
  #bucket = -1;

  constructor(parameters: ScalarEncoderParameters) {
    const { w, periodic } = parameters;
    this.#parameters = parameters;
    this.#half = (w - 1) / 2;
    this.#padding = periodic ? 0 : this.#half;
    const { n, resolution, range } = scalarGeometry(parameters);
    this.width = n;
    this.#resolution = resolution;
    this.#range = range;
    this.maxOnBits = w;
  }

  get bucket(): number {
    return this.#bucket;
  }

  /** @throws RangeError if the input is outside the range and not clipped. */
  encode(input: number, offset: number, out: Uint16Array, from: number): number {
    if (Number.isNaN(input)) {
      this.#bucket = -1;
      return from;
    }
    const { w, periodic } = this.#parameters;
    const centre = periodic ? this.#centreOnCircle(input) : this.#centreOnLine(input);
    const first = centre - this.#half;
    this.#bucket = periodic ? centre % this.width : first;
    let next = from;
    for (let bit = first; bit < first + w; bit++) {
      out[next++] = offset + (bit < 0 ? bit + this.width : bit >= this.width ? bit - this.width : bit);
    }
    return next;
  }

  #centreOnCircle(input: number): number {
    const { min, max } = this.#parameters;
    if (!(input >= min && input < max))
      throw new RangeError(`input ${input} is outside ${min} <= input < ${max} of a periodic encoder`);
    return Math.trunc(((input - min) * this.width) / this.#range);
  }

  #centreOnLine(input: number): number {
    const { min, max, clipInput } = this.#parameters;
    if (!clipInput && !(input >= min && input <= max))
      throw new RangeError(`input ${input} is outside ${min} <= input <= ${max}; set clipInput to clip it`);
    const x = Math.min(Math.max(input, min), max);
    return Math.trunc((x - min + this.#resolution / 2) / this.#resolution) + this.#padding;
  }
}

/** Bits, resolution and range that follow from an encoder's constants. */
export function scalarGeometry(p: ScalarEncoderParameters): {
  n: number;
  resolution: number;
  range: number;
} {
  const span = p.max - p.min;
  if (p.sizedBy === 'n') {
    const resolution = p.periodic ? span / p.size : span / (p.size - p.w);
    return { n: p.size, resolution, range: p.periodic ? span : span + resolution };
  }
  const resolution = p.sizedBy === 'radius' ? p.size / p.w : p.size;
  const radius = p.sizedBy === 'radius' ? p.size : p.size * p.w;
  const range = p.periodic ? span : span + resolution;
  const padding = p.periodic ? 0 : (p.w - 1) / 2;
  return { n: Math.ceil(p.w * (range / radius) + 2 * padding), resolution, range };
}
