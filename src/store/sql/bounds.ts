/** What a caller may ask for at once. Beyond these it is a programmer's error and thrown as one. */

export const MAX_ROWS = 10_000;
export const MAX_DATA_ROWS = 100_000;
/** Metrics, and rows of each, whose newest scores are asked for at once. */
export const MAX_RECENT = 1000;
/** Samples of one entry of `appendSamples`. */
export const MAX_SAMPLES = 10_000;
/** Samples of one call of `appendSamples`, over all its entries. */
export const MAX_CALL_SAMPLES = 100_000;
/** Rowids are stored, and handled in typed arrays, as 32-bit integers. */
export const MAX_ROWID = 2 ** 31 - 1;

/** @throws RangeError unless `value` is a whole number in [low, high]. */
export function checkInteger(what: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new RangeError(`${what} must be a whole number from ${low} to ${high}, not ${value}`);
  }
}

/** @throws RangeError unless `limit` is a whole number in [1, highest]. */
export function checkLimit(limit: number, highest: number = MAX_ROWS): void {
  checkInteger('limit', limit, 1, highest);
}

/** @throws RangeError unless all of these arrays are as long as `length`. */
export function checkLengths(
  length: number,
  arrays: Readonly<Record<string, { readonly length: number }>>,
): void {
  for (const [name, array] of Object.entries(arrays)) {
    if (array.length !== length)
      throw new RangeError(`${name} has ${array.length} elements instead of ${length}`);
  }
}

/** @throws RangeError if a number is not finite: NaN would be stored as "no value". */
export function checkFinite(what: string, values: Iterable<number>): void {
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`${what} must be finite, not ${value}`);
  }
}
