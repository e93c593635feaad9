import { describe, expect, it } from 'vitest';
import { Arena, ArenaFormatError } from '../arena.ts';
import { EncoderCapacityError, RandomDistributedScalarEncoder } from './rdse.ts';
import type { RdseParameters } from './rdse.ts';

const PARAMETERS: RdseParameters = { resolution: 1, w: 21, n: 400, seed: 42, offset: null };
const schema = RandomDistributedScalarEncoder.schema();

function make(parameters: Partial<RdseParameters> = {}): RandomDistributedScalarEncoder {
  return RandomDistributedScalarEncoder.create(Arena.create(1, schema), 0, { ...PARAMETERS, ...parameters });
}

/** Makes the buckets up to `bucket` in an encoder whose offset is 0. */
function reach(encoder: RandomDistributedScalarEncoder, bucket: number): void {
  encoder.encode(bucket - 500, 0, new Uint16Array(encoder.maxOnBits), 0);
}

function overlap(encoder: RandomDistributedScalarEncoder, a: number, b: number): number {
  const bits = new Set(encoder.pattern(a));
  return encoder.pattern(b).filter((bit) => bits.has(bit)).length;
}

const MIDDLE_PATTERN = [
  300, 333, 282, 346, 265, 100, 94, 316, 312, 331, 80, 66, 218, 120, 171, 235, 149, 361, 314, 41, 119,
];

describe('RandomDistributedScalarEncoder: reference 12.2', () => {
  it('makes patterns outward from the middle', () => {
    const encoder = make({ offset: 0 });
    expect(encoder.pattern(500)).toEqual(MIDDLE_PATTERN);
    reach(encoder, 501);
    expect(encoder.pattern(501)).toEqual(MIDDLE_PATTERN.with(18, 69));
    expect(encoder.rejectedDraws).toBe(1);
    reach(encoder, 499);
    expect(encoder.pattern(499)).toEqual(MIDDLE_PATTERN.with(16, 288));
    expect(encoder.rejectedDraws).toBe(1);
    reach(encoder, 530);
    expect(encoder.rejectedDraws).toBe(3);
    expect(overlap(encoder, 530, 521)).toBe(12);
    expect(overlap(encoder, 530, 520)).toBe(11);
    expect(overlap(encoder, 530, 505)).toBe(0);
    expect(overlap(encoder, 530, 500)).toBe(0);
  });

  it('keeps all thousand buckets at their distances', () => {
    const encoder = make({ offset: 0 });
    reach(encoder, 999);
    reach(encoder, 0);
    expect(encoder.rejectedDraws).toBe(1212);
    expect(encoder.extent).toEqual([0, 999]);
    const patterns = Array.from({ length: 1000 }, (_, bucket) => new Set(encoder.pattern(bucket)));
    let wrong = 0;
    for (let a = 0; a < 1000; a++) {
      for (let b = a; b < 1000; b++) {
        const shared = patterns[a].intersection(patterns[b]).size;
        if (b - a < 21 ? shared !== 21 - (b - a) : shared > 2) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  it('rounds halves away from zero and keeps to the thousand buckets', () => {
    const encoder = make();
    const buckets = [23, 23.49, 23.5, 22.5, 22.51, 1e9, -1e9, NaN].map((x) => encoder.bucketOf(x));
    expect(buckets).toEqual([500, 500, 501, 499, 500, 999, 0, -1]);
  });

  it('has no bits for a missing value, which does not become the offset either', () => {
    const encoder = make();
    expect(encoder.encode(NaN, 0, new Uint16Array(21), 0)).toBe(0);
    expect(encoder.bucket).toBe(-1);
    expect(encoder.bucketOf(7)).toBe(500);
  });
});

describe('RandomDistributedScalarEncoder', () => {
  it('shifts its bits by the offset of its slice', () => {
    const encoder = make();
    const out = new Uint16Array(30);
    expect(encoder.encode(5, 54, out, 9)).toBe(30);
    expect([...out.subarray(9)]).toEqual(MIDDLE_PATTERN.map((bit) => bit + 54));
  });

  it('gives up where no pattern is far enough from the others', () => {
    expect(() => reach(make({ n: 127, offset: 0 }), 700)).toThrow(EncoderCapacityError);
  });

  it('goes on from its sections as if never interrupted', () => {
    const whole = make({ offset: 0 });
    const arena = Arena.create(1, schema);
    const first = RandomDistributedScalarEncoder.create(arena, 0, { ...PARAMETERS, offset: 0 });
    for (const encoder of [whole, first]) {
      reach(encoder, 520);
      reach(encoder, 470);
    }
    const second = RandomDistributedScalarEncoder.attach(Arena.from(arena.bytes(), 1, schema), 0, PARAMETERS);
    for (const encoder of [whole, second]) {
      reach(encoder, 460);
      reach(encoder, 560);
    }
    for (let bucket = 460; bucket <= 560; bucket++) {
      expect(second.pattern(bucket)).toEqual(whole.pattern(bucket));
    }
  });

  it.each([
    ['a bucket beyond the last', 2, 1, 1000],
    ['a lowest bucket above the middle', 2, 0, 501],
    ['a bit that is none', 3, 501, 400],
    ['a bit of a bucket that does not exist', 3, 600, 3],
    ['an infinite offset', 1, 0, Infinity],
    ['a generator index that is none', 0, 31, 31],
    ['a generator word that is none', 0, 5, 0xffffffff],
  ])('refuses sections with %s', (_, section, index, value) => {
    const arena = Arena.create(1, schema);
    const encoder = RandomDistributedScalarEncoder.create(arena, 0, { ...PARAMETERS, offset: 0 });
    reach(encoder, 510);
    arena.part(0, (part) => {
      part.view(section)[index] = value;
    });
    expect(() =>
      RandomDistributedScalarEncoder.attach(Arena.from(arena.bytes(), 1, schema), 0, PARAMETERS),
    ).toThrow(ArenaFormatError);
  });
});
