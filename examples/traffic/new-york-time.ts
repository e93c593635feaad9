/** Times of New York's clocks. */
export interface LocalTime {
  /** Days since 1970-01-01 of the local calendar. */
  readonly day: number;
  /** Hours since local midnight, with fractions. */
  readonly hour: number;
}

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
/** Beyond this the memory of offsets is begun anew; a year has 8,760 hours. */
const MAX_REMEMBERED = 50_000;
const CLOCK = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
});
const offsets = new Map<number, number>();

/** What New York's clocks show at a time. @param timestamp epoch seconds */
export function localTime(timestamp: number): LocalTime {
  const local = timestamp + offsetSeconds(timestamp);
  const day = Math.floor(local / DAY_SECONDS);
  return { day, hour: (local - day * DAY_SECONDS) / HOUR_SECONDS };
}

/**
 * When New York's clocks show this; in the hour that autumn repeats, the first time.
 * @param local seconds since 1970-01-01 00:00 of the local calendar
 * @returns epoch seconds
 */
export function epochOfLocal(local: number): number {
  // Daylight saving time first: it is the earlier of the two moments.
  for (const offset of [-4 * HOUR_SECONDS, -5 * HOUR_SECONDS]) {
    if (offsetSeconds(local - offset) === offset) return local - offset;
  }
  // The hour that spring leaves out: as if the clock had not been put forward yet.
  return local + 5 * HOUR_SECONDS;
}

/** Whether a day is a Saturday, a Sunday or one of the holidays on which few go to work. @param day as in `LocalTime` */
export function isFreeDay(day: number): boolean {
  return isWeekend(day) || isHoliday(day);
}

/** @param day as in `LocalTime`; the first one was a Thursday */
export function isWeekend(day: number): boolean {
  return weekdayOf(day) % 6 === 0;
}

export function isHoliday(day: number): boolean {
  const date = new Date(day * DAY_SECONDS * 1000);
  const month = date.getUTCMonth() + 1;
  const ofMonth = date.getUTCDate();
  if (FIXED.has(`${month}-${ofMonth}`)) return true;
  const weekday = weekdayOf(day);
  const week = Math.ceil(ofMonth / 7);
  if (weekday === 4) return month === 11 && week === 4;
  if (weekday !== 1) return false;
  const isLastMondayOfMay = month === 5 && ofMonth > 24;
  return isLastMondayOfMay || ((month === 1 || month === 2) && week === 3) || (month === 9 && week === 1);
}

/** New Year, Juneteenth, Independence Day, Veterans Day, Christmas. */
const FIXED = new Set(['1-1', '6-19', '7-4', '11-11', '12-25']);

/** 0 is Sunday. */
function weekdayOf(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** Seconds that New York's clocks are ahead of UTC (they are behind). Asking the calendar takes long, so each hour is asked for once. */
function offsetSeconds(timestamp: number): number {
  const hour = Math.floor(timestamp / HOUR_SECONDS);
  const known = offsets.get(hour);
  if (known !== undefined) return known;
  const parts = new Map(
    CLOCK.formatToParts(hour * HOUR_SECONDS * 1000).map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  const local =
    Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) /
    1000;
  const offset = local - hour * HOUR_SECONDS;
  if (offsets.size >= MAX_REMEMBERED) offsets.clear();
  offsets.set(hour, offset);
  return offset;
}
