import { describe, expect, it } from 'vitest';
import { withoutGuard, type Guard, type GuardedFold } from './guards.ts';
import { simulate } from './simulate.ts';

/** Each with a seed that noticed when this was written. It is tried first: the first of all may be far. */
const GUARDS: Readonly<Record<GuardedFold, Readonly<Partial<Record<Guard, number>>>>> = {
  recordRawScores: { generation: 25, epoch: 1, watermark: 2, command: 14 },
  recordAnomalyScores: { generation: 131, epoch: 1, watermark: 14 },
  advanceCursor: { generation: 16, epoch: 6, watermark: 15 },
};
/** Of these at least one must notice that a guard is missing; with all guards none complains. */
const SEEDS = Array.from({ length: 400 }, (_, i) => i + 1);

describe('a guard that is missing is noticed', () => {
  for (const [fold, guards] of Object.entries(GUARDS) as [GuardedFold, Record<Guard, number>][]) {
    for (const [guard, noticed] of Object.entries(guards) as [Guard, number][]) {
      it(`${fold}: ${guard}`, { timeout: 300_000 }, async () => {
        for (const seed of [noticed, ...SEEDS]) {
          const { violations } = await simulate(seed, (database) => withoutGuard(database, fold, guard));
          if (violations.length > 0) return;
        }
        expect.unreachable(`none of ${SEEDS.length} seeds noticed`);
      });
    }
  }
});

describe('a simulation', () => {
  it('is the same each time for the same seed', { timeout: 60_000 }, async () => {
    for (const seed of SEEDS.slice(0, 10)) {
      const { fingerprint } = await simulate(seed);
      expect((await simulate(seed)).fingerprint).toBe(fingerprint);
    }
  });
});
