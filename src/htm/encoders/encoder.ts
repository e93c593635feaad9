/**
 * Turns one number into on bits. A missing input (NaN) has none.
 *
 * On bits are written as a list, not as a bit vector: the pooler visits only those.
 */
export interface Encoder {
  /** Bits of the encoder's slice of the input. */
  readonly width: number;
  /** The most on bits one input can have. */
  readonly maxOnBits: number;
  /**
   * Writes the on bits of `input`, each plus `offset`, to `out[from]` and following, in no particular order.
   * @returns the index behind the last one written.
   */
  encode(input: number, offset: number, out: Uint16Array, from: number): number;
}

/** An encoder of the metric's value. */
export interface ValueEncoder extends Encoder {
  /** The bucket of the last encoded input, -1 if it was missing. */
  readonly bucket: number;
}
