import { expect, it } from 'vitest';
import { Rhythm } from './rhythm.ts';

it('tells how far the last two rows are apart, whether they came together or not', () => {
  const rhythm = new Rhythm();
  expect(rhythm.rows('a', Float64Array.of(100))).toBeNull();
  expect(rhythm.rows('b', Float64Array.of(100, 160))).toBe(60);
  expect(rhythm.rows('a', Float64Array.of(400))).toBe(300);
  expect(rhythm.rows('a', Float64Array.of())).toBeNull();
  expect(rhythm.rows('a', Float64Array.of(700, 710))).toBe(10);
  expect(rhythm.rows('a', Float64Array.of(715))).toBe(5);
  expect(['a', 'b', 'c'].map((metricId) => rhythm.of(metricId))).toEqual([5, 60, null]);
});

it('forgets the metrics it saw longest ago when there are more than 100,000', () => {
  const rhythm = new Rhythm();
  for (let i = 0; i < 100_000; i++) rhythm.rows(`m${i}`, Float64Array.of(0));
  rhythm.rows('m0', Float64Array.of(1));
  rhythm.rows('one more', Float64Array.of(1));
  expect(rhythm.rows('m1', Float64Array.of(2))).toBeNull();
  expect(rhythm.rows('m0', Float64Array.of(2))).toBe(1);
});
