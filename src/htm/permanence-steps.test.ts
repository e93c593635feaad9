import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ONE_BITS, PermanenceSteps } from './permanence-steps.ts';
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

/** The rule of the reference, sections 3.5 and 3.6, one decrement at a time. */
function fallenOneByOne(permanence: number, times: number, constants: PermanenceConstants): number {
  let p = permanence;
  for (let i = 0; i < times; i++) {
    p = Math.fround(p - constants.decrement);
    if (p < constants.trimBelow || p < 0) p = 0;
  }
  return p;
}

const binary32 = (max: number) => fc.float({ min: Math.fround(1e-9), max: Math.fround(max), noNaN: true });
/** Among them constants that lie exactly between two units in the last place, or on one. */
const changes = fc.oneof(
  binary32(1),
  binary32(0.001),
  fc.integer({ min: 0, max: 29 }).map((k) => 2 ** -k),
  fc.integer({ min: 1, max: 2 ** 24 }).map((k) => k * 2 ** -26),
  fc.constantFrom(0, 0.0005, 0.003),
);
const permanences = fc.oneof(
  binary32(1),
  fc.integer({ min: 0, max: 100_000 }).map((k) => Math.fround(k / 100_000)),
  fc.integer({ min: 0, max: 9 }).map((k) => 2 ** -k),
);
const times = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 3 }));

it('gives what the changes give one after the other', () => {
  fc.assert(
    fc.property(permanences, times, changes, changes, (start, n, increment, decrement) => {
      const constants = constantsOf(increment, decrement);
      const permanence = start < constants.trimBelow ? 0 : start;
      const steps = new PermanenceSteps(constants);
      const stored = bitsOf(permanence);
      const fallen = bitsOf(fallenOneByOne(permanence, n, constants));
      const risen = bitsOf(Math.min(fallenOneByOne(permanence, n, constants) + constants.increment, 1));
      expect(steps.afterDecrements(stored, n)).toBe(fallen);
      expect(steps.afterIncrement(fallen)).toBe(risen);

      const binade = (stored - 1) >>> 23;
      const isInBinade = (pattern: number) => (pattern - 1) >>> 23 === binade;
      const quickFallen = stored - n * steps.falls[binade];
      const quickRisen = Math.min(quickFallen + steps.rises[binade], ONE_BITS);
      if (isInBinade(quickFallen)) expect(quickFallen).toBe(fallen);
      if (isInBinade(quickFallen) && isInBinade(quickRisen)) expect(quickRisen).toBe(risen);
    }),
    { numRuns: 5000 },
  );
});

it('lets a permanence be that a decrement is too small to change, wherever it is in its binade', () => {
  const steps = new PermanenceSteps(constantsOf(0.003, 1e-8));
  for (const permanence of [bitsOf(0.5) + 1, bitsOf(0.5) + 2, bitsOf(0.25) + 1, ONE_BITS])
    expect(steps.afterDecrements(permanence, 3)).toBe(permanence);
});

it('never expects a permanence to stay above a limit for longer than it does', () => {
  const limit = constantsOf(0.003, 0).connectedFrom;
  fc.assert(
    fc.property(fc.float({ min: limit, max: 1, noNaN: true }), changes, (start, decrement) => {
      const constants = constantsOf(0.003, decrement);
      const steps = new PermanenceSteps(constants);
      const least = Math.min(steps.leastTimesUntilBelow(bitsOf(start), bitsOf(limit)), 255);
      expect(least).toBeGreaterThanOrEqual(1);
      expect(fallenOneByOne(start, least - 1, constants)).toBeGreaterThanOrEqual(limit);
    }),
    { numRuns: 2000 },
  );
});
