export type TypedArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Bytes of tables. */
export function tableBytes(tables: readonly TypedArray[]): number {
  return tables.reduce((bytes, table) => bytes + table.byteLength, 0);
}

/** Gives the memory of a table back that has a buffer of its own, without waiting for the collector. It has no elements then. */
export function freeTable({ buffer }: TypedArray): void {
  if (buffer instanceof ArrayBuffer) freeBuffer(buffer);
}

/** As `freeTable`. What is freed this way does not count as garbage, so the collector runs more seldom. */
export function freeBuffer(buffer: ArrayBuffer): void {
  if (!buffer.detached) buffer.transfer(0);
}
