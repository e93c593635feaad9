import { expect, it } from 'vitest';
import { formatTime } from './format.ts';
import { parseTime } from './parse-time.ts';

it('reads times as they are shown, and shorter ones', () => {
  expect(parseTime('2026-09-21 14:15:00', 'utc')).toBe(1_790_000_100);
  expect(parseTime(' 2026-09-21T14:15 ', 'utc')).toBe(1_790_000_100);
  expect(parseTime('2026-09-21', 'utc')).toBe(1_789_948_800);
  expect(parseTime(formatTime(1_790_000_100, 'local'), 'local')).toBe(1_790_000_100);
});

it.each(['', 'yesterday', '2026-13-01', '2026-09-21 25:00', '1790000100'])('refuses “%s”', (text) => {
  expect(() => parseTime(text, 'utc')).toThrow('is no time');
});
