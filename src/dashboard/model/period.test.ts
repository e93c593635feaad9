import { expect, it } from 'vitest';
import { beginOf } from './period.ts';

it('a period ends now; all time has no beginning', () => {
  expect(beginOf('day', 1_000_000.5)).toBe(913_600);
  expect(beginOf('week', 1_000_000)).toBe(395_200);
  expect(beginOf('all', 1_000_000)).toBeNull();
});
