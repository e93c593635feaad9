import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logLikelihood } from './likelihood.ts';
import { RangeRule } from './range-rule.ts';
import { LikelihoodWithHistory } from './streaming-likelihood.ts';

const corpus = process.env['HTMENGINE_NAB'] ?? join(import.meta.dirname, '../../../shared/nab');
const results = join(corpus, 'results/numenta');
const files = existsSync(results)
  ? (readdirSync(results, { recursive: true }) as string[]).filter((path) => path.endsWith('.csv')).sort()
  : [];

/**
 * The benchmark's stored results hold the original's raw score and what it made of it, with the one-sided tail of that
 * release, the range rule, and the constants of section 7.7 of the model reference.
 */
describe.skipIf(files.length === 0)(`likelihood of the original's stored raw scores in ${results}`, () => {
  it.each(files.length > 0 ? files : ['no corpus there: set HTMENGINE_NAB'])('%s', (path) => {
    const rows = readFileSync(join(results, path), 'utf8').trim().split(/\r?\n/).slice(1);
    const probation = Math.min(Math.floor(0.15 * rows.length), 750);
    const learningPeriod = Math.floor(probation / 2);
    const likelihood = new LikelihoodWithHistory({
      learningPeriod,
      estimationSamples: probation - learningPeriod,
    });
    const rangeRule = new RangeRule();
    let farthest = 0;
    for (const row of rows) {
      const [, value, expected, rawScore] = row.split(',').map(Number);
      const outside = rangeRule.next(value);
      const score = logLikelihood(likelihood.next(value, rawScore));
      farthest = Math.max(farthest, Math.abs((outside ? 1 : score) - expected));
    }
    expect(rows.length).toBeGreaterThan(1000);
    expect(farthest).toBeLessThan(1e-9);
  });
});
