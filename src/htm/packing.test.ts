import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArenaFormatError } from './arena.ts';
import { PackedReader, PackedWriter } from './packing.ts';

const unsigned = fc.oneof(fc.nat(300), fc.nat(0xffffffff), fc.constant(0xffffffff));
const signed = fc.oneof(
  fc.integer({ min: -100, max: 100 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

describe('packed bytes', () => {
  it('give back what was written, wherever they lie in a buffer', () => {
    fc.assert(
      fc.property(
        fc.array(unsigned),
        fc.array(signed),
        fc.array(fc.nat(65_535)),
        (numbers, signs, halves) => {
          const writer = new PackedWriter(0);
          for (const number of numbers) writer.number(number);
          writer.array(Uint16Array.from(halves));
          for (const number of signs) writer.signed(number);
          writer.array(Float32Array.of(0.1));
          const packed = Buffer.from(Uint8Array.from([9, ...writer.finish()])).subarray(1);
          const reader = new PackedReader(packed);
          expect(numbers.map(() => reader.number())).toEqual(numbers);
          expect([...reader.u16(halves.length)]).toEqual(halves);
          expect(signs.map(() => reader.signed())).toEqual(signs);
          expect([...reader.f32(1)]).toEqual([Math.fround(0.1)]);
          reader.end();
        },
      ),
    );
  });

  it('hold small numbers of either sign in one byte', () => {
    const writer = new PackedWriter();
    writer.number(127);
    writer.signed(-64);
    writer.number(128);
    expect([...writer.finish()]).toEqual([127, 127, 128, 1]);
  });

  it.each<[string, number[], (reader: PackedReader) => unknown]>([
    ['an array that is longer', [1, 2, 3], (reader) => reader.u32(1)],
    ['an array beyond all bounds', [1, 2, 3], (reader) => reader.u8(2 ** 40)],
    ['a number without an end', [0x80, 0x80], (reader) => reader.number()],
    ['a number of six bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 1], (reader) => reader.number()],
    ['a number above 32 bits', [0xff, 0xff, 0xff, 0xff, 0x1f], (reader) => reader.number()],
    ['a number that is longer than it need be', [0x81, 0], (reader) => reader.number()],
    ['bytes that are left over', [1, 2], (reader) => reader.end()],
  ])('refuse %s', (_, bytes, read) => {
    expect(() => read(new PackedReader(Uint8Array.from(bytes)))).toThrow(ArenaFormatError);
  });
});
