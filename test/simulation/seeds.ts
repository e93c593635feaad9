import { expect, it } from 'vitest';
import { simulate } from './simulate.ts';

const DEFAULT_SEEDS = '1..2000';
const PER_TEST = 50;

/**
 * The seeds to play: `HTMENGINE_SIM_SEEDS` is one (`36`), several (`36,41`) or a range (`1..5000`).
 * @throws Error for anything else
 */
function seeds(): number[] {
  const text = process.env['HTMENGINE_SIM_SEEDS'] ?? DEFAULT_SEEDS;
  return text.split(',').flatMap((part) => {
    const [, first, last] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(part) ?? [];
    if (first === undefined)
      throw new Error(`HTMENGINE_SIM_SEEDS=${text}: seeds look like 36, 36,41 or 1..5000`);
    const from = Number(first);
    return Array.from({ length: Number(last ?? first) - from + 1 }, (_, i) => from + i);
  });
}

/** One test per so many seeds of those with that remainder: two files of them use two cores. */
export function playSeeds(remainder: 0 | 1): void {
  const mine = seeds().filter((seed) => seed % 2 === remainder);
  if (mine.length === 0) it.skip('has none of the seeds', () => undefined);
  for (let start = 0; start < mine.length; start += PER_TEST) {
    const some = mine.slice(start, start + PER_TEST);
    it(`seeds ${some[0]} to ${some.at(-1)}`, { timeout: 300_000 }, async () => {
      for (const seed of some) {
        const { violations } = await simulate(seed);
        const replay = `HTMENGINE_SIM_SEEDS=${seed} npx vitest run test/simulation/${remainder === 1 ? 'odd' : 'even'}-seeds.test.ts`;
        expect(violations, `seed ${seed}; to replay: ${replay}`).toEqual([]);
      }
    });
  }
}
