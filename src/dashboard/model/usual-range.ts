import { SPAN_HOLDS_AT } from './anomaly-spans.ts';
import type { Columns } from './thinning.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** A rhythm counts as seen after so many of its periods. */
const LEAST_PERIODS = 3;
/** Of the values of an hour, and the hours before and after it, this share lies below the range, and above it. */
const TAIL = 0.05;
/** Fewer values than this say nothing about their twentieth part. */
const LEAST_VALUES = 20;

/** Where a metric's values mostly lay at each hour of the day, or of the week, as its rows show it. No model is asked. */
export interface UsualRange {
  /** What it is, in words. */
  readonly words: string;
  /** At a time, epoch seconds; null where there were too few values at that hour. */
  at(time: number): { readonly low: number; readonly high: number } | null;
}

/**
 * The usual range of rows in the order of their times, anomalous ones left out; null if they tell of too few days.
 * @param rows how the rows are called: `the newest 5,000 rows`
 */
export function usualRange({ timestamps, values, scores }: Columns, rows: string): UsualRange | null {
  const length = (timestamps.at(-1) ?? 0) - (timestamps[0] ?? 0);
  const period = [WEEK, DAY].find((each) => length >= LEAST_PERIODS * each);
  if (period === undefined) return null;
  const hours = period / HOUR;
  const byHour = Array.from({ length: hours }, (): number[] => []);
  for (const [i, time] of timestamps.entries()) {
    const value = values[i];
    if (value !== undefined && (scores[i] ?? 0) < SPAN_HOLDS_AT)
      byHour[Math.floor(time / HOUR) % hours]?.push(value);
  }
  const ranges = byHour.map((_, hour) =>
    middle([-1, 0, 1].flatMap((step) => byHour[(hour + step + hours) % hours] ?? [])),
  );
  return {
    words: `where nine of ten values lay at this hour of the ${period === WEEK ? 'week' : 'day'}, of ${rows}, anomalous ones left out`,
    at: (time) => between(ranges, time / HOUR - 0.5),
  };
}

type Range = { readonly low: number; readonly high: number } | null;

/** The range without its tails. */
function middle(values: readonly number[]): Range {
  if (values.length < LEAST_VALUES) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { low: at(TAIL), high: at(1 - TAIL) };
}

/** In between the middles of two hours. @param hour since 1970, counted from the middle of an hour */
function between(ranges: readonly Range[], hour: number): Range {
  const first = Math.floor(hour);
  const share = hour - first;
  const place = ((first % ranges.length) + ranges.length) % ranges.length;
  const [before, after] = [ranges[place], ranges[(place + 1) % ranges.length]];
  if (before === null || before === undefined || after === null || after === undefined) return null;
  const mix = (a: number, b: number) => a + share * (b - a);
  return { low: mix(before.low, after.low), high: mix(before.high, after.high) };
}
