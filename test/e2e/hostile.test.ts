import { expect, it } from 'vitest';
import { hostileRun } from '../support/hostile-run.ts';

it(
  'stores every valid line and counts every malformed one, over many connections',
  { timeout: 120_000 },
  async () => {
    const outcome = await hostileRun({ connections: 10, validLines: 10_000, malformedLines: 1000, seed: 5 });
    expect(outcome.stored).toBe(10_000);
    expect(outcome.refused).toBe(1000);
    expect(Object.keys(outcome.reasons).sort()).toEqual(
      expect.arrayContaining(['line_too_long', 'malformed', 'not_utf8', 'value_not_finite']),
    );
  },
);
