import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PermanenceSteps } from './permanence-steps.ts';
import { PermanenceConstants } from './pooler-base.ts';

const value = new Float32Array(1);
const bits = new Int32Array(value.buffer);

function bitsOf(permanence: number): number {
  value[0] = permanence;
  return bits[0];
}

function constantsOf(increment: number, decrement: number): PermanenceConstants {
  return new PermanenceConstants({
    synPermActiveInc: increment,
    synPermInactiveDec: decrement,
    synPermConnected: 0.2,
  });
}

/** The rule of the reference, section 3.5 and 3.6, one decrement at a time. */
function oneByOne(permanence: number, times: number, constants: PermanenceConstants): number {
  let p = permanence;
  for (let i = 0; i < times; i++) {
    p = Math.fround(p - constants.decrement);
    if (p < constants.trimBelow || p < 0) p = 0;
  }
  return p;
}

const binary32 = (max: number) => fc.float({ min: Math.fround(1e-9), max: Math.fround(max), noNaN: true });
/** Among them constants that lie exactly between two units in the last place, or on one. */
const decrements = fc.oneof(
  binary32(1),
  binary32(0.001),
  fc.integer({ min: 0, max: 30 }).map((k) => 2 ** -k),
  fc.integer({ min: 1, max: 2 ** 24 }).map((k) => k * 2 ** -26),
  fc.constant(0),
);

it('gives what the decrements give one after the other', () => {
  fc.assert(
    fc.property(
      fc.oneof(binary32(1), fc.constant(0)),
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0, 0.003, 0.05),
      decrements,
      (start, times, increment, decrement) => {
        const constants = constantsOf(increment, decrement);
        const permanence = start < constants.trimBelow ? 0 : start;
        const decay = new PermanenceSteps(constants);
        const expected = bitsOf(oneByOne(permanence, times, constants));
        const stored = bitsOf(permanence);
        expect(decay.apply(stored, times)).toBe(expected);
        const exponent = stored >>> 23;
        const wholeSteps = stored - times * decay.steps[exponent];
        if (wholeSteps > decay.floors[exponent]) expect(wholeSteps).toBe(expected);
      },
    ),
    { numRuns: 5000 },
  );
});

it('never expects a permanence to stay above a limit for longer than it does', () => {
  fc.assert(
    fc.property(fc.float({ min: Math.fround(0.2), max: 1, noNaN: true }), decrements, (start, decrement) => {
      const constants = constantsOf(0.003, decrement);
      const limit = constants.connectedFrom;
      const least = Math.min(new PermanenceSteps(constants).leastStepsBelow(start, limit), 255);
      expect(least).toBeGreaterThanOrEqual(1);
      expect(oneByOne(start, least - 1, constants)).toBeGreaterThanOrEqual(limit);
    }),
    { numRuns: 5000 },
  );
});
