import { PackedReader, PackedWriter } from './packing.ts';
import type { PoolerPacking } from './pooler-packing.ts';
import { Scratch } from './scratch.ts';
import type { TypedArray } from './tables.ts';

/**
 * The packed rows of a pooler, of which each can be unpacked alone: a model that comes back for a few records needs few.
 *
 * The bytes: columns (16 bits each), times learned (32 bits), a symbol per permanence, and what else there is to know of
 * some; see `PoolerPacking`.
 */
export class PackedRows {
  readonly columns: Uint16Array;
  readonly timesLearned: Uint32Array;
  readonly #packing: PoolerPacking;
  readonly #poolSize: number;
  readonly #symbols: Uint8Array;
  readonly #extras: PackedReader;
  /** Per row where its extras begin, as far as rows have been gone through. */
  readonly #extrasFrom: Uint32Array;
  readonly #extraBytes: Uint8Array;

  /** @throws ArenaFormatError when `packed`, which is copied, are too few bytes for `rowCount` rows. */
  constructor(packed: Uint8Array, rowCount: number, poolSize: number, packing: PoolerPacking) {
    const reader = new PackedReader(packed);
    this.columns = reader.u16(rowCount);
    this.timesLearned = reader.u32(rowCount);
    this.#symbols = reader.u8(rowCount * poolSize).slice();
    this.#extraBytes = reader.u8(packed.length - reader.position).slice();
    this.#extras = new PackedReader(this.#extraBytes);
    this.#extrasFrom = new Uint32Array(rowCount + 1);
    this.#packing = packing;
    this.#poolSize = poolSize;
  }

  tables(): TypedArray[] {
    return [this.columns, this.timesLearned, this.#symbols, this.#extraBytes, this.#extrasFrom];
  }

  /**
   * Goes through a row as `PoolerPacking.changedConnections`: through all of them in their order, and then `end`, before
   * anything else. The row's column must exist.
   * @throws ArenaFormatError
   */
  changedConnections(row: number, changed: Uint16Array): number {
    const count = this.#packing.changedConnections(
      this.columns[row],
      this.timesLearned[row],
      this.#symbols,
      row * this.#poolSize,
      this.#extras,
      changed,
    );
    this.#extrasFrom[row + 1] = this.#extras.position;
    return count;
  }

  /** @throws ArenaFormatError if there are more bytes than those of all rows */
  end(): void {
    this.#extras.end();
  }

  /** Puts the patterns of a row's permanences into `patterns`. */
  unpack(row: number, patterns: Int32Array): void {
    this.#extras.position = this.#extrasFrom[row];
    const from = row * this.#poolSize;
    const { columns, timesLearned } = this;
    this.#packing.unpack(columns[row], timesLearned[row], patterns, this.#symbols, from, this.#extras);
  }

  /** Writes a row as it is. */
  copy(row: number, writer: RowsWriter): void {
    const symbols = this.#symbols.subarray(row * this.#poolSize, (row + 1) * this.#poolSize);
    writer.copy(symbols, this.#extraBytes.subarray(this.#extrasFrom[row], this.#extrasFrom[row + 1]));
  }
}

/** Packs rows, one after the other. One at a time: writers share their memory. */
export class RowsWriter {
  readonly #packing: PoolerPacking;
  readonly #poolSize: number;
  readonly #symbols: Uint8Array;
  #written = 0;

  constructor(rowCount: number, poolSize: number, packing: PoolerPacking) {
    this.#symbols = symbolsScratch.zeroed(rowCount * poolSize);
    this.#packing = packing;
    this.#poolSize = poolSize;
    extras.begin();
  }

  /** The next row, as `PoolerPacking.pack`. */
  pack(column: number, times: number, patterns: Int32Array): void {
    this.#packing.pack(column, times, patterns, this.#symbols, this.#written, extras);
    this.#written += this.#poolSize;
  }

  /** The next row, packed before. */
  copy(symbols: Uint8Array, itsExtras: Uint8Array): void {
    this.#symbols.set(symbols, this.#written);
    extras.array(itsExtras);
    this.#written += this.#poolSize;
  }

  /** All rows: the bytes that `PackedRows` reads. */
  finish(columns: Uint16Array, timesLearned: Uint32Array): Uint8Array {
    const extra = extras.finish();
    const packed = new PackedWriter(6 * columns.length + this.#symbols.length + extra.length);
    packed.array(columns);
    packed.array(timesLearned);
    packed.array(this.#symbols);
    packed.array(extra);
    return packed.finish();
  }
}

const symbolsScratch = new Scratch((length) => new Uint8Array(length));
const extras = new PackedWriter();
