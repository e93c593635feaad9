import { describe, expect, it } from 'vitest';
import { Arena, ArenaFormatError } from './arena.ts';
import type { ArenaPart, SectionSpec } from './arena.ts';

const SCHEMA: SectionSpec[] = [
  { name: 'text', type: 'u8', length: 3, maxLength: 10 },
  { name: 'rows', type: 'f32', length: 1, maxLength: 100 },
  { name: 'count', type: 'u32', length: 1 },
];

/** An arena with something in every section, and the part that holds them. */
function filled(): { arena: Arena; part: ArenaPart } {
  const arena = Arena.create(7, SCHEMA);
  const part = arena.part(0, () => undefined);
  part.view<Uint8Array>(0).set([1, 2, 3]);
  part.view<Float32Array>(1).set([0.5]);
  part.view<Uint32Array>(2).set([42]);
  return { arena, part };
}

function contents(arena: Arena): number[][] {
  const part = arena.part(0, () => undefined);
  return [0, 1, 2].map((index) => [...part.view(index)]);
}

describe('Arena', () => {
  it('is laid over saved bytes as it was', () => {
    const { arena } = filled();
    expect(contents(Arena.from(arena.bytes(), 7, SCHEMA))).toEqual([[1, 2, 3], [0.5], [42]]);
  });

  it('takes bytes from anywhere in a buffer, and copies them', () => {
    const { arena } = filled();
    const inside = new Uint8Array(arena.byteLength + 3).subarray(3);
    inside.set(arena.bytes());
    const loaded = Arena.from(inside, 7, SCHEMA);
    inside.fill(0);
    expect(contents(loaded)).toEqual([[1, 2, 3], [0.5], [42]]);
    expect(Arena.firstSection(arena.bytes(), 7, SCHEMA[0])).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('keeps all contents when a section grows, and tells every part', () => {
    const { arena, part } = filled();
    let laid = 0;
    arena.part(2, () => laid++);
    part.resize([[1, 50]]);
    expect(laid).toBe(2);
    expect(contents(arena)).toEqual([[1, 2, 3], [0.5, ...Array<number>(49).fill(0)], [42]]);
    expect(contents(Arena.from(arena.bytes(), 7, SCHEMA))).toEqual(contents(arena));
  });

  it('saves packed sections as their part packs them, and leaves them to it to unpack', () => {
    const schema: SectionSpec[] = [
      { name: 'plain', type: 'u16', length: 1 },
      { name: 'packed', type: 'f32', length: 1, maxLength: 9, saved: 'packed' },
      { name: 'packedWithIt', type: 'u32', length: 2, maxLength: 9, saved: 'elsewhere' },
      { name: 'after', type: 'u8', length: 1 },
    ];
    const arena = Arena.create(7, schema);
    arena.part(3, (part) => part.view<Uint8Array>(0).set([8]));
    const part = arena.part(
      1,
      () => undefined,
      () => new Map([[0, Uint8Array.of(1, 2, 3)]]),
    );
    expect(part.packed(0)).toHaveLength(0);
    part.resize([
      [0, 5],
      [1, 7],
    ]);
    const loaded = Arena.from(arena.bytes(), 7, schema).part(0, () => undefined);
    expect([...loaded.view(3)]).toEqual([8]);
    expect([loaded.view(1).length, loaded.view(2).length]).toEqual([1, 2]);
    expect([...loaded.packed(1)]).toEqual([1, 2, 3]);
    expect(loaded.packed(1)).toHaveLength(0);
  });

  const refused: [string, (bytes: Uint8Array) => Uint8Array, RegExp][] = [
    ['nothing', () => new Uint8Array(0), /0 bytes are fewer than the 16 of the header/],
    ['a cut section table', (bytes) => bytes.slice(0, 40), /cannot hold the table of 3 sections/],
    ['a cut section', (bytes) => bytes.slice(0, -1), /bytes, but the sections take/],
    ['surplus bytes', (bytes) => new Uint8Array([...bytes, 0]), /bytes, but the sections take/],
    ['another magic', (bytes) => bytes.with(0, 1), /do not begin with "HTMA"/],
    ['another format version', (bytes) => bytes.with(4, 9), /format version 9 is not 2/],
    ['another kind', (bytes) => bytes.with(8, 8), /kind 8 is not 7/],
    ['fewer sections', (bytes) => bytes.with(12, 2), /2 sections, expected 3/],
    ['another type', (bytes) => bytes.with(16, 3), /section text has another type/],
    ['too long a section', (bytes) => bytes.with(20, 11), /section text has 11 elements, not 3\.\.10/],
    ['too short a section', (bytes) => bytes.with(20, 2), /section text has 2 elements, not 3\.\.10/],
    ['a section elsewhere', (bytes) => bytes.with(24, 0), /offsets do not follow/],
  ];

  it.each(refused)('refuses %s', (_, damage, message) => {
    const damaged = damage(filled().arena.bytes());
    expect(() => Arena.from(damaged, 7, SCHEMA)).toThrow(ArenaFormatError);
    expect(() => Arena.from(damaged, 7, SCHEMA)).toThrow(message);
  });

  it('refuses a first section that ends behind the last byte, or is missing', () => {
    const bytes = filled().arena.bytes();
    const read = (damaged: Uint8Array) => () => Arena.firstSection(damaged, 7, SCHEMA[0]);
    expect(read(bytes.with(25, 0xff))).toThrow(/ends behind the last byte/);
    expect(read(bytes.with(12, 0))).toThrow(/a section is missing/);
    expect(read(bytes.with(8, 8))).toThrow(/kind 8 is not 7/);
  });
});
