import { describe, expect, it } from 'vitest';
import { dutyDecay, dutyRate } from './duty-cycle.ts';

/** Model reference, section 4.2: the rate is that of the highest tier strictly below the iteration. */
describe('dutyRate', () => {
  it.each([
    [101, 0.0032],
    [320, 0.0032],
    [321, 0.001],
    [1000, 0.001],
    [3200, 0.00032],
    [3201, 0.0001],
    [100_000, 0.00001],
    [320_000, 0.0000032],
    [320_001, 0.000001],
    [5_000_000, 0.000001],
  ])('at iteration %d is %d', (iteration, rate) => {
    expect(dutyRate(iteration)).toBe(Math.fround(rate));
  });
});

describe('dutyDecay', () => {
  it.each([
    [150, 0, 0.0032],
    [150, 3, 0.0032],
    [900, 500, 0.001],
    [9000, 5000, 0.0001],
  ])('at iteration %d over %d iterations is the power', (iteration, age, rate) => {
    let product = 1;
    for (let i = 0; i < age; i++) product *= 1 - Math.fround(rate);
    for (const power of [dutyDecay(iteration, age), dutyDecay(iteration, age)])
      expect(Math.abs(power / product - 1)).toBeLessThan(1e-12);
  });
});
