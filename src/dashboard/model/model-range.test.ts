import { expect, it } from 'vitest';
import { parseRange } from './model-range.ts';

it('reads a range, or none', () => {
  expect(parseRange(' ', '')).toBeNull();
  expect(parseRange('-1.5', ' 2e3 ')).toEqual({ min: -1.5, max: 2000 });
});

it('says what is wrong', () => {
  expect(() => parseRange('1', '')).toThrow('both ends');
  expect(() => parseRange('1', 'ten')).toThrow('“ten” is not a number');
  expect(() => parseRange('2', '2')).toThrow('below');
  expect(() => parseRange('0', 'Infinity')).toThrow('not a number');
});
