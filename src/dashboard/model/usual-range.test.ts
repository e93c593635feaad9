import { expect, it } from 'vitest';
import { usualRange } from './usual-range.ts';

const STEP = 300;
/** Rows every 5 minutes from a midnight (UTC) on. */
function rows(
  days: number,
  valueAt: (hour: number, i: number) => number,
  scoreAt: (i: number) => number | null = () => 0.03,
) {
  const count = (days * 86_400) / STEP;
  const timestamps = Array.from({ length: count }, (_, i) => 1_790_035_200 + STEP * i);
  return {
    timestamps,
    values: timestamps.map((time, i) => valueAt(Math.floor(time / 3600) % 24, i)),
    scores: timestamps.map((_, i) => scoreAt(i)),
  };
}

it('is where nine of ten values lay at that hour, without anomalous rows', () => {
  // Every hour 0..11, at night a hundred more; every three hours one far above and one far below; the third day is anomalous.
  const value = (hour: number, i: number) =>
    (hour < 12 ? 100 : 0) + (i % 36 === 0 ? -50 : i % 36 === 18 ? 50 : i % 12);
  const isAnomalous = (i: number) => i >= 2 * 288 && i < 3 * 288;
  const range = usualRange(
    rows(
      5,
      (hour, i) => (isAnomalous(i) ? 9999 : value(hour, i)),
      (i) => (isAnomalous(i) ? 0.6 : null),
    ),
    'them',
  );
  expect(range?.words).toContain('hour of the day');
  expect(range?.at(1_790_035_200 + 6.5 * 3600)).toEqual({ low: 100, high: 111 });
  expect(range?.at(1_790_035_200 + 18.5 * 3600)).toEqual({ low: 0, high: 11 });
  // The same a year later: it is about the hour.
  expect(range?.at(1_790_035_200 + (365 * 24 + 18.5) * 3600)).toEqual({ low: 0, high: 11 });
});

it('goes smoothly from hour to hour', () => {
  const range = usualRange(
    rows(4, (hour) => hour),
    'them',
  );
  const [at, between] = [range?.at(1_790_035_200 + 10.5 * 3600), range?.at(1_790_035_200 + 11 * 3600)];
  expect(at?.high).toBe(11);
  expect(between?.high).toBe(11.5);
});

it('follows the week once three of them are there, and says nothing of two days', () => {
  expect(
    usualRange(
      rows(22, () => 1),
      'them',
    )?.words,
  ).toContain('hour of the week');
  expect(
    usualRange(
      rows(2, () => 1),
      'them',
    ),
  ).toBeNull();
  expect(usualRange({ timestamps: [], values: [], scores: [] }, 'them')).toBeNull();
});
