import { describe, expect, it } from 'vitest';
import { ScalarEncoder } from './scalar.ts';
import type { ScalarEncoderParameters } from './scalar.ts';

/** Sorted on bits of one input. */
function bitsOf(encoder: ScalarEncoder, input: number): number[] {
  const out = new Uint16Array(encoder.maxOnBits);
  return [...out.subarray(0, encoder.encode(input, 0, out, 0))].sort((a, b) => a - b);
}

const line: ScalarEncoderParameters = {
  w: 3,
  min: 1,
  max: 8,
  periodic: false,
  sizedBy: 'resolution',
  size: 1,
  clipInput: false,
};

describe('ScalarEncoder', () => {
  it('moves a run of bits by one per resolution along a line', () => {
    // range = 7 + 1, n = ceil(3 * 8 / 3 + 2) = 10; centre of x = trunc((x - 1) + 0.5) + 1.
    const encoder = new ScalarEncoder(line);
    expect(encoder.width).toBe(10);
    expect(bitsOf(encoder, 1)).toEqual([0, 1, 2]);
    expect(bitsOf(encoder, 1.49)).toEqual([0, 1, 2]);
    expect(bitsOf(encoder, 1.5)).toEqual([1, 2, 3]);
    expect(bitsOf(encoder, 8)).toEqual([7, 8, 9]);
    expect(encoder.bucket).toBe(7);
  });

  it('gives equal geometry by resolution, radius and number of bits', () => {
    const byRadius = new ScalarEncoder({ ...line, sizedBy: 'radius', size: 3 });
    const byBits = new ScalarEncoder({ ...line, sizedBy: 'n', size: 10 });
    expect(byRadius.width).toBe(10);
    expect(byBits.width).toBe(10);
    for (const x of [1, 2.2, 4.9, 8]) {
      expect(bitsOf(byRadius, x)).toEqual(bitsOf(new ScalarEncoder(line), x));
      expect(bitsOf(byBits, x)).toEqual(bitsOf(new ScalarEncoder(line), x));
    }
  });

  it('wraps around a circle', () => {
    const encoder = new ScalarEncoder({ ...line, min: 0, max: 8, periodic: true });
    expect(encoder.width).toBe(8);
    expect(bitsOf(encoder, 0)).toEqual([0, 1, 7]);
    expect(encoder.bucket).toBe(0);
    expect(bitsOf(encoder, 7.9)).toEqual([0, 6, 7]);
    expect(encoder.bucket).toBe(7);
  });

  it('refuses inputs outside its range, or clips them if told to', () => {
    expect(() => bitsOf(new ScalarEncoder(line), 8.01)).toThrow(/8\.01 is outside 1 <= input <= 8/);
    expect(() => bitsOf(new ScalarEncoder({ ...line, periodic: true }), 8)).toThrow(/outside/);
    const clipping = new ScalarEncoder({ ...line, clipInput: true });
    expect(bitsOf(clipping, -5)).toEqual([0, 1, 2]);
    expect(bitsOf(clipping, 99)).toEqual([7, 8, 9]);
  });

  it('has no bits and no bucket for a missing input', () => {
    const encoder = new ScalarEncoder(line);
    bitsOf(encoder, 4);
    expect(bitsOf(encoder, NaN)).toEqual([]);
    expect(encoder.bucket).toBe(-1);
  });
});
