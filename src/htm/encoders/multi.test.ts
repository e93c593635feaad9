import { describe, expect, it } from 'vitest';
import { Arena } from '../arena.ts';
import { scalarAnomalyParameters } from '../scalar-anomaly-parameters.ts';
import { MultiEncoder } from './multi.ts';
import type { EncoderParameters } from './multi.ts';

function make(encoders: readonly EncoderParameters[]): MultiEncoder {
  return MultiEncoder.create(Arena.create(1, MultiEncoder.schema(encoders)), 0, encoders);
}

/** Sorted on bits of one record. */
function bitsOf(encoder: MultiEncoder, timestampSeconds: number, value: number): number[] {
  const count = encoder.encode(timestampSeconds, value);
  return [...encoder.onBits.subarray(0, count)].sort((a, b) => a - b);
}

describe('MultiEncoder', () => {
  it('puts the time at 0-53 and the value at 54-453: reference 12.3 and 12.10', () => {
    const encoder = make(scalarAnomalyParameters({ resolution: 140 / 130 }).encoders);
    expect(encoder.width).toBe(454);
    const time = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53];
    expect(bitsOf(encoder, 0, 50)).toEqual([
      ...time,
      ...[95, 120, 134, 148, 154, 173, 174, 203, 225, 272, 289, 319, 336, 354, 366, 368, 370, 385, 387],
      ...[400, 415],
    ]);
    expect(encoder.bucket).toBe(500);
    expect(bitsOf(encoder, 0, NaN)).toEqual(time);
    expect(encoder.bucket).toBe(-1);
  });

  it('takes the bucket from the first encoder of the value', () => {
    const scalar: EncoderParameters = {
      type: 'scalar',
      w: 3,
      min: 0,
      max: 7,
      periodic: false,
      sizedBy: 'resolution',
      size: 1,
      clipInput: true,
    };
    const rdse: EncoderParameters = { type: 'rdse', resolution: 1, w: 3, n: 30, seed: 1, offset: 0 };
    const encoder = make([scalar, rdse, { ...rdse, seed: 2 }]);
    expect(encoder.width).toBe(70);
    const bits = bitsOf(encoder, 0, 6);
    expect(encoder.bucket).toBe(6);
    expect(bits.filter((bit) => bit < 10)).toEqual([6, 7, 8]);
    expect(bits.filter((bit) => bit >= 10 && bit < 40)).toHaveLength(3);
    expect(bits.filter((bit) => bit >= 40)).toHaveLength(3);
  });
});
