import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NOT_POOLED, PermanenceCodes, patternOf } from './permanence-codes.ts';
import { ONE_BITS, PermanenceSteps } from './permanence-steps.ts';
import { PermanenceConstants } from './pooler-base.ts';

function codesOf(increment: number, decrement: number): [PermanenceCodes, PermanenceSteps] {
  const constants = new PermanenceConstants({
    synPermActiveInc: increment,
    synPermInactiveDec: decrement,
    synPermConnected: 0.2,
  });
  const steps = new PermanenceSteps(constants);
  return [new PermanenceCodes(constants, steps), steps];
}

/** From none, where permanences may be as small as a number can, to the whole range. */
const increments = fc.constantFrom(0, 1e-38, 1e-9, 1e-5, 0.003, 0.05, 0.5, 1);

it('has a code below the counts for every permanence, ordered as they are, and another for what is not pooled', () => {
  const share = fc.float({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(increments, share, share, (increment, a, b) => {
      const [codes] = codesOf(increment, 0.0005);
      const least = Math.fround(increment / 2);
      const [low, high] = [a, b].map((p) => (p < least ? 0 : patternOf(p))).sort((x, y) => x - y);
      for (const pattern of [low, high, ONE_BITS]) {
        const code = codes.codeOf(pattern);
        expect(code & codes.mask).toBe(code);
        expect(code).not.toBe(NOT_POOLED);
        expect(codes.patternOf(code)).toBe(pattern);
        expect((code | (codes.maxTimes << codes.shift)) >>> codes.shift).toBe(codes.maxTimes);
      }
      expect(Math.sign(codes.codeOf(high) - codes.codeOf(low))).toBe(Math.sign(high - low));
    }),
    { numRuns: 2000 },
  );
});

it('has the steps of the patterns, and none for what is not pooled', () => {
  fc.assert(
    fc.property(increments, fc.float({ min: Math.fround(1e-30), max: 1, noNaN: true }), (increment, p) => {
      const [codes, steps] = codesOf(increment, 0.0005);
      const pattern = p < Math.fround(increment / 2) ? 0 : patternOf(p);
      const code = codes.codeOf(pattern);
      expect(codes.falls[(code - 1) >>> 23]).toBe(steps.falls[(pattern - 1) >>> 23]);
      expect(codes.rises[(code - 1) >>> 23]).toBe(steps.rises[(pattern - 1) >>> 23]);
      expect([codes.falls[(NOT_POOLED - 1) >>> 23], codes.rises[(NOT_POOLED - 1) >>> 23]]).toEqual([0, 0]);
    }),
  );
});

it('gives the production parameters room for 31 decrements', () => {
  expect(codesOf(0.003, 0.0005)[0].maxTimes).toBe(31);
});
