import { expect, it } from 'vitest';
import { rowsBetween, thin } from './thinning.ts';

/** 10,000 flat rows with one high value, one low value and one high score. */
const timestamps = Array.from({ length: 10_000 }, (_, i) => 60 * i);
const values = timestamps.map((_, i) => (i === 4321 ? 99 : i === 7654 ? -99 : 1));
const scores = timestamps.map((_, i) => (i < 100 ? null : i === 5555 ? 0.9 : 0.03));
const columns = { timestamps, values, scores };

it('thins to the number of points asked for and keeps every peak', () => {
  const thinned = thin(columns, 0, 10_000, 300);
  expect(thinned.timestamps.length).toBeLessThanOrEqual(300);
  expect(Math.max(...thinned.values)).toBe(99);
  expect(Math.min(...thinned.values)).toBe(-99);
  expect(thinned.scores[thinned.timestamps.indexOf(60 * 5555)]).toBe(0.9);
  expect(thinned.timestamps).toEqual([...thinned.timestamps].sort((a, b) => a - b));
  expect(new Set(thinned.timestamps).size).toBe(thinned.timestamps.length);
});

it('keeps all rows where there are few', () => {
  expect(thin(columns, 10, 14, 300)).toEqual({
    timestamps: [600, 660, 720, 780],
    values: [1, 1, 1, 1],
    scores: [null, null, null, null],
  });
});

it('finds the rows of a stretch of time with one neighbour on each side', () => {
  const times = [10, 20, 30, 40, 50];
  expect(rowsBetween(times, 20, 40)).toEqual([0, 5]);
  expect(rowsBetween(times, 30, 30)).toEqual([1, 4]);
  expect(rowsBetween(times, 25, 26)).toEqual([1, 3]);
  expect(rowsBetween(times, 0, 5)).toEqual([0, 1]);
  expect(rowsBetween([], 0, 5)).toEqual([0, 0]);
});
