import { nameMatcher } from '../name-pattern.ts';
import type { Mute, SpanRecord, UsualPattern } from '../store/incidents.ts';
import type { Silence } from './grouping.ts';

/** Minutes by which a time of day that was called usual is widened on either side. */
const TIME_MARGIN_MINUTES = 60;
/** Values are widened on either side by so much of their range, or of the largest of them if that is more: one value alone has no range. */
const RANGE_MARGIN = 0.1;
const SIZE_MARGIN = 0.05;
const MINUTES_A_DAY = 1440;

/** Tells why a span concerns nobody, or null if it does. A mute counts before a pattern. */
export function silencer(
  mutes: readonly Mute[],
  patterns: readonly UsualPattern[],
): (span: SpanRecord) => Silence | null {
  const matching = mutes.map((mute) => ({ mute, isMatch: nameMatcher(mute.pattern) }));
  const byMetric = Map.groupBy(patterns, ({ metricId }) => metricId);
  return (span) => {
    const muted = matching.find(({ mute, isMatch }) => covers(mute, span.openedAt) && isMatch(span.name));
    if (muted !== undefined) return { by: 'mute', id: muted.mute.id };
    const usual = byMetric.get(span.metricId)?.find((pattern) => isUsual(span, pattern));
    return usual === undefined ? null : { by: 'usual', id: usual.id };
  };
}

/**
 * What calling a span usual says of others: their anomalous values lie where its own did, or close by, and,
 * unless `anyTime`, they open at the same time of day, give or take an hour.
 */
export function usualLike(
  span: SpanRecord,
  anyTime: boolean,
): Pick<UsualPattern, 'lowestValue' | 'highestValue' | 'fromMinute' | 'toMinute'> {
  const { lowestValue, highestValue } = span;
  const size = Math.max(Math.abs(lowestValue), Math.abs(highestValue));
  const margin = Math.max(RANGE_MARGIN * (highestValue - lowestValue), SIZE_MARGIN * size);
  const minute = minuteOfDay(span.openedAt);
  return {
    lowestValue: lowestValue - margin,
    highestValue: highestValue + margin,
    fromMinute: anyTime ? null : wrapped(minute - TIME_MARGIN_MINUTES),
    toMinute: anyTime ? null : wrapped(minute + TIME_MARGIN_MINUTES),
  };
}

function covers({ fromTimestamp, untilTimestamp }: Mute, time: number): boolean {
  return fromTimestamp <= time && (untilTimestamp === null || time <= untilTimestamp);
}

function isUsual(span: SpanRecord, pattern: UsualPattern): boolean {
  if (span.lowestValue < pattern.lowestValue || span.highestValue > pattern.highestValue) return false;
  const { fromMinute, toMinute } = pattern;
  if (fromMinute === null || toMinute === null) return true;
  const minute = minuteOfDay(span.openedAt);
  return fromMinute <= toMinute
    ? fromMinute <= minute && minute <= toMinute
    : fromMinute <= minute || minute <= toMinute;
}

function minuteOfDay(epochSeconds: number): number {
  return wrapped(Math.floor(epochSeconds / 60));
}

function wrapped(minute: number): number {
  return ((minute % MINUTES_A_DAY) + MINUTES_A_DAY) % MINUTES_A_DAY;
}
