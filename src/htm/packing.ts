import { ArenaFormatError } from './arena.ts';
import type { TypedArray } from './tables.ts';

/** Collects the packed form of sections: typed arrays as they are, little-endian, and numbers of variable length. */
export class PackedWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** @param expected bytes; there may be more. */
  constructor(expected = 1024) {
    this.#bytes = new Uint8Array(expected);
  }

  /** Begins anew, in the memory it has: what `finish` gave before is gone. */
  begin(): void {
    this.#length = 0;
  }

  /** Writes the elements of an array, without its length. */
  array(array: TypedArray): void {
    this.#reserve(array.byteLength);
    this.#bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), this.#length);
    this.#length += array.byteLength;
  }

  /** A whole number from 0 to 2^32 - 1, seven bits to a byte, the lowest first; all but the last byte have the top bit set. */
  number(value: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = rest | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A 32-bit signed number; small ones of either sign are short. */
  signed(value: number): void {
    this.number(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** What was written: in the writer's memory. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const longer = new Uint8Array(2 * (this.#length + more));
    longer.set(this.#bytes);
    this.#bytes = longer;
  }
}

/** Reads what a `PackedWriter` wrote. @throws ArenaFormatError, in each method, where the bytes end or are none it could write. */
export class PackedReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // Not a Buffer, whose `slice` would not copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes read so far; set to go on elsewhere, at a place that was one. */
  get position(): number {
    return this.#at;
  }

  set position(position: number) {
    this.#at = position;
  }

  u8(length: number): Uint8Array {
    const from = this.#at;
    if (length > this.#bytes.length - from)
      throw new ArenaFormatError(`packed bytes: ${length} more at ${from} of ${this.#bytes.length}`);
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  u16(length: number): Uint16Array {
    return new Uint16Array(this.u8(2 * length).slice().buffer);
  }

  u32(length: number): Uint32Array {
    return new Uint32Array(this.u8(4 * length).slice().buffer);
  }

  f32(length: number): Float32Array {
    return new Float32Array(this.u8(4 * length).slice().buffer);
  }

  number(): number {
    const only = this.#bytes[this.#at];
    if (only < 0x80) {
      this.#at += 1;
      return only;
    }
    let value = 0;
    for (let scale = 1; scale <= MAX_SCALE; scale *= 128) {
      if (this.#at === this.#bytes.length) break;
      const byte = this.#bytes[this.#at++];
      value += (byte & 0x7f) * scale;
      if (byte > 0x7f) continue;
      if (value > 0xffffffff || (byte === 0 && scale > 1)) break;
      return value;
    }
    throw new ArenaFormatError(`packed bytes: no number ends at ${this.#at}`);
  }

  signed(): number {
    const value = this.number();
    return (value >>> 1) ^ -(value & 1);
  }

  /** All bytes must have been read. */
  end(): void {
    if (this.#at !== this.#bytes.length)
      throw new ArenaFormatError(`packed bytes: ${this.#bytes.length - this.#at} too many`);
  }
}

const MAX_NUMBER_BYTES = 5;
/** Of the fifth byte. */
const MAX_SCALE = 2 ** 28;
