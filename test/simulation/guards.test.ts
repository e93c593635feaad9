import { describe, expect, it } from 'vitest';
import { withoutGuard, type Guard, type GuardedFold } from './guards.ts';
import { simulate } from './simulate.ts';

const GUARDS = {
  recordRawScores: ['generation', 'epoch', 'watermark', 'command'],
  recordAnomalyScores: ['generation', 'epoch', 'watermark'],
  advanceCursor: ['generation', 'epoch', 'watermark'],
} as const satisfies Record<GuardedFold, readonly Guard[]>;
/** Of these at least one must notice that a guard is missing; with all guards none complains. */
const SEEDS = Array.from({ length: 400 }, (_, i) => i + 1);

describe('a guard that is missing is noticed', () => {
  for (const [fold, guards] of Object.entries(GUARDS) as [GuardedFold, readonly Guard[]][]) {
    for (const guard of guards) {
      it(`${fold}: ${guard}`, { timeout: 300_000 }, async () => {
        for (const seed of SEEDS) {
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
