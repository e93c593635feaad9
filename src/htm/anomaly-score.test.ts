import { expect, it } from 'vitest';
import { rawAnomalyScore } from './anomaly-score.ts';

it('is the share of active columns that were not predicted, in binary32: reference 12.5', () => {
  expect(rawAnomalyScore(2, 4)).toBe(0.5);
  expect(rawAnomalyScore(0, 0)).toBe(0);
  expect(rawAnomalyScore(4, 4)).toBe(1);
  expect(rawAnomalyScore(1, 40)).toBe(Math.fround(0.025));
  expect(rawAnomalyScore(39, 40)).toBe(0.9750000238418579);
});
