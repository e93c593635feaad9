import { describe, expect, it } from 'vitest';
import { estimateRange, fillResolution, resolutionFor } from './generation.ts';

/** System reference 4.4; model reference 1.3 and 12.3. */
describe('range and resolution', () => {
  it('pads an observed range by a fifth on each side, and spans 1 for a constant metric', () => {
    expect(estimateRange(5000, 7000)).toEqual({ min: 4600, max: 7400 });
    expect(estimateRange(3, 3)).toEqual({ min: 2.8, max: 4.2 });
  });

  it('divides the range by 130, with a floor', () => {
    expect(resolutionFor(estimateRange(5000, 7000), null)).toBeCloseTo(2800 / 130, 12);
    expect(resolutionFor({ min: 5000, max: 10_000 }, null)).toBe(5000 / 130);
    expect(resolutionFor({ min: 0, max: 1 }, 0.5)).toBe(0.5);
    expect(resolutionFor({ min: 0, max: 0.01 }, null)).toBe(0.001);
    expect(resolutionFor({ min: 4, max: 4 }, null)).toBe(1 / 130);
  });

  it('stays finite for the largest numbers there are', () => {
    const range = estimateRange(-Number.MAX_VALUE, Number.MAX_VALUE);
    expect(range).toEqual({ min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
    expect(resolutionFor(range, null)).toBeCloseTo(Number.MAX_VALUE / 65, -295);
  });

  it('fills the resolution in where the path leads and nowhere else', () => {
    const params = { encoders: { value: { n: 400, resolution: null } }, seed: 1 };
    expect(fillResolution(params, ['encoders', 'value', 'resolution'], 2)).toEqual({
      encoders: { value: { n: 400, resolution: 2 } },
      seed: 1,
    });
    expect(params.encoders.value.resolution).toBeNull();
    expect(
      fillResolution({ encoders: [{ n: 1 }, { resolution: 1 }] }, ['encoders', '1', 'resolution'], 3),
    ).toEqual({
      encoders: [{ n: 1 }, { resolution: 3 }],
    });
    expect(() => fillResolution(params, ['encoders', 'time', 'resolution'], 2)).toThrow(TypeError);
  });
});
