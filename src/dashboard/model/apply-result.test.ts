import { expect, it } from 'vitest';
import { aMetric } from '../testing/metrics.ts';
import { applyResult, STRIP_SCORES } from './apply-result.ts';

const result = (timestamp: number, logLikelihood = 0.03) => ({
  name: 'm',
  timestamp,
  value: timestamp / 10,
  logLikelihood,
});

it('moves value, score, strip and counts on', () => {
  const before = aMetric('m', {
    rows: 4,
    scoredRows: 4,
    lastTimestamp: 40,
    lastScoredTimestamp: 40,
    recent: [0.1],
  });
  expect(applyResult(before, result(50, 0.6))).toMatchObject({
    rows: 5,
    scoredRows: 5,
    lastTimestamp: 50,
    lastValue: 5,
    lastLogLikelihood: 0.6,
    recent: [0.1, 0.6],
  });
});

it('does not take an older row for the newest value while a backlog is scored', () => {
  const before = aMetric('m', { rows: 9, lastTimestamp: 90, lastValue: 9, lastScoredTimestamp: 10 });
  expect(applyResult(before, result(20))).toMatchObject({ rows: 9, lastValue: 9, lastScoredTimestamp: 20 });
});

it('ignores a result that comes twice', () => {
  const once = applyResult(aMetric('m'), result(50));
  expect(applyResult(once, result(50))).toBe(once);
});

it('counts the learning up and ends it', () => {
  const learning = aMetric('m', { learning: { rows: 386, of: 388 } });
  const next = applyResult(learning, result(1));
  expect(next.learning).toEqual({ rows: 387, of: 388 });
  expect(applyResult(next, result(2)).learning).toBeNull();
});

it('keeps the strip short', () => {
  let metric = aMetric('m');
  for (let i = 1; i <= STRIP_SCORES + 5; i++) metric = applyResult(metric, result(i, i / 1000));
  expect(metric.recent).toHaveLength(STRIP_SCORES);
  expect(metric.recent?.at(-1)).toBe((STRIP_SCORES + 5) / 1000);
});
