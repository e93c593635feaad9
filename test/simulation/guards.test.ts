import { describe, expect, it } from 'vitest';
import { withoutGuard, type Guard, type GuardedFold } from './guards.ts';
import { simulate } from './simulate.ts';

const FOLDS: readonly GuardedFold[] = ['recordRawScores', 'recordAnomalyScores', 'advanceCursor'];
const GUARDS: readonly Guard[] = ['generation', 'epoch', 'watermark'];
/** Of these at least one must notice that a guard is missing; with all guards none complains. */
const SEEDS = Array.from({ length: 200 }, (_, i) => i + 1);

describe('a guard that is missing is noticed', () => {
  for (const fold of FOLDS) {
    for (const guard of GUARDS) {
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
