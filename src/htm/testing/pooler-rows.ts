import { PackedRows, RowsWriter } from '../packed-rows.ts';
import type { PoolerPacking } from '../pooler-packing.ts';

/** Rows of a pooler as plain tables. */
export interface PoolerRows {
  readonly columns: Uint16Array;
  readonly timesLearned: Uint32Array;
  /** Bit patterns of the permanences, `poolSize` per row. */
  readonly permanenceBits: Int32Array;
}

export function packRows(rows: PoolerRows, poolSize: number, packing: PoolerPacking): Uint8Array {
  const writer = new RowsWriter(rows.columns.length, poolSize, packing);
  rows.columns.forEach((column, row) =>
    writer.pack(column, rows.timesLearned[row], patternsOf(rows, row, poolSize)),
  );
  return writer.finish(rows.columns, rows.timesLearned);
}

/** @throws ArenaFormatError as `PackedRows` */
export function unpackRows(
  packed: Uint8Array,
  rowCount: number,
  poolSize: number,
  packing: PoolerPacking,
): PoolerRows {
  const read = new PackedRows(packed, rowCount, poolSize, packing);
  const { columns, timesLearned } = read;
  const rows = { columns, timesLearned, permanenceBits: new Int32Array(rowCount * poolSize) };
  const changed = new Uint16Array(poolSize);
  for (let row = 0; row < rowCount; row++) read.changedConnections(row, changed);
  read.end();
  for (let row = 0; row < rowCount; row++) read.unpack(row, patternsOf(rows, row, poolSize));
  return rows;
}

function patternsOf({ permanenceBits }: PoolerRows, row: number, poolSize: number): Int32Array {
  return permanenceBits.subarray(row * poolSize, (row + 1) * poolSize);
}
