import type { Encoder } from './encoder.ts';
import { ScalarEncoder } from './scalar.ts';

/**
 * Parts of a date encoder; null leaves a part out. Widths `w` are odd; a radius is the distance from which two
 * inputs share no bit, in the unit named.
 */
export interface DateEncoderParameters {
  /** Day of the year; radius in days (default of the original 91.5). */
  readonly season: WidthAndRadius | null;
  /** Day of the week with the time of day as a fraction; radius in days (1). */
  readonly dayOfWeek: WidthAndRadius | null;
  /** Whether it is Saturday, Sunday or Friday after 18:00; radius (1) of the range 0..1. */
  readonly weekend: WidthAndRadius | null;
  /** Whether it is one of `days` (Monday = 0 .. Sunday = 6). */
  readonly customDays: { readonly w: number; readonly days: readonly number[] } | null;
  /** Nearness of a holiday: [month, day] each year or [year, month, day] once. February 29 exists in leap years only. */
  readonly holiday: { readonly w: number; readonly dates: readonly (readonly number[])[] } | null;
  /** Hours; radius in hours (4). Seconds are ignored. */
  readonly timeOfDay: WidthAndRadius | null;
}

export interface WidthAndRadius {
  readonly w: number;
  readonly radius: number;
}

/**
 * Encodes a time (seconds since 1970-01-01 UTC) by its calendar fields in UTC. Model reference, section 2.3.
 */
export class DateEncoder implements Encoder {
  readonly width: number;
  readonly maxOnBits: number;

  readonly #season: ScalarEncoder | null;
  readonly #dayOfWeek: ScalarEncoder | null;
  readonly #weekend: ScalarEncoder | null;
  readonly #customDays: ScalarEncoder | null;
  readonly #holiday: ScalarEncoder | null;
  readonly #timeOfDay: ScalarEncoder | null;
  readonly #isCustomDay: readonly boolean[];
  readonly #holidays: readonly (readonly number[])[];

  constructor(parameters: DateEncoderParameters) {
    const { season, dayOfWeek, weekend, customDays, holiday, timeOfDay } = parameters;
    this.#season = season && circle(season, 366);
    this.#dayOfWeek = dayOfWeek && circle(dayOfWeek, 7);
    this.#weekend = weekend && unitLine(weekend);
    this.#customDays = customDays && unitLine({ w: customDays.w, radius: 1 });
    this.#holiday = holiday && unitLine({ w: holiday.w, radius: 1 });
    this.#timeOfDay = timeOfDay && circle(timeOfDay, 24);
    this.#isCustomDay = [0, 1, 2, 3, 4, 5, 6].map((day) => customDays?.days.includes(day) ?? false);
    this.#holidays = holiday?.dates ?? [];
    const parts = [
      this.#season,
      this.#dayOfWeek,
      this.#weekend,
      this.#customDays,
      this.#holiday,
      this.#timeOfDay,
    ];
    this.width = parts.reduce((sum, part) => sum + (part?.width ?? 0), 0);
    this.maxOnBits = parts.reduce((sum, part) => sum + (part?.maxOnBits ?? 0), 0);
  }

  encode(timestampSeconds: number, offset: number, out: Uint16Array, from: number): number {
    if (Number.isNaN(timestampSeconds)) return from;
    const day = Math.floor(timestampSeconds / DAY_SECONDS);
    const secondOfDay = timestampSeconds - day * DAY_SECONDS;
    const hours = Math.floor(secondOfDay / 3600) + (Math.floor(secondOfDay / 60) % 60) / 60;
    const weekday = modulo(day + THURSDAY, 7); // 1970-01-01 was a Thursday.
    let next = from;
    let at = offset;
    if (this.#season) {
      next = this.#season.encode(day - daysFromCivil(yearOf(day), 1, 1), at, out, next);
      at += this.#season.width;
    }
    if (this.#dayOfWeek) {
      next = this.#dayOfWeek.encode(weekday + hours / 24, at, out, next);
      at += this.#dayOfWeek.width;
    }
    if (this.#weekend) {
      const isWeekend = weekday >= SATURDAY || (weekday === FRIDAY && hours > 18);
      next = this.#weekend.encode(isWeekend ? 1 : 0, at, out, next);
      at += this.#weekend.width;
    }
    if (this.#customDays) {
      next = this.#customDays.encode(this.#isCustomDay[weekday] ? 1 : 0, at, out, next);
      at += this.#customDays.width;
    }
    if (this.#holiday) {
      next = this.#holiday.encode(this.#nearnessOfHoliday(timestampSeconds, day), at, out, next);
      at += this.#holiday.width;
    }
    return this.#timeOfDay ? this.#timeOfDay.encode(hours, at, out, next) : next;
  }

  /** 1 on a holiday, falling to 0 over the days beside it. A later entry overrules an earlier one that is still to come. */
  #nearnessOfHoliday(timestampSeconds: number, day: number): number {
    const year = yearOf(day);
    let nearness = 0;
    for (const date of this.#holidays) {
      const [holidayYear, month, dayOfMonth] = date.length === 3 ? date : [year, date[0], date[1]];
      if (month === 2 && dayOfMonth === 29 && !isLeapYear(holidayYear)) continue;
      const seconds = timestampSeconds - daysFromCivil(holidayYear, month, dayOfMonth) * DAY_SECONDS;
      if (seconds > 0 && seconds < DAY_SECONDS) return 1;
      if (seconds >= DAY_SECONDS && seconds < 2 * DAY_SECONDS)
        return 1 - Math.floor(seconds - DAY_SECONDS) / DAY_SECONDS;
      if (seconds <= 0 && seconds > -DAY_SECONDS) nearness = 1 - Math.floor(-seconds) / DAY_SECONDS;
    }
    return nearness;
  }
}

function circle({ w, radius }: WidthAndRadius, length: number): ScalarEncoder {
  return new ScalarEncoder({
    w,
    min: 0,
    max: length,
    periodic: true,
    sizedBy: 'radius',
    size: radius,
    clipInput: false,
  });
}

function unitLine({ w, radius }: WidthAndRadius): ScalarEncoder {
  return new ScalarEncoder({
    w,
    min: 0,
    max: 1,
    periodic: false,
    sizedBy: 'radius',
    size: radius,
    clipInput: false,
  });
}

/** Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that leap days come last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - DAYS_TO_1970;
}

/** The year that contains the day numbered from 1970-01-01. */
function yearOf(day: number): number {
  const year = 1970 + Math.floor(day / 365.2425);
  if (day < daysFromCivil(year, 1, 1)) return year - 1;
  return day >= daysFromCivil(year + 1, 1, 1) ? year + 1 : year;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function modulo(a: number, n: number): number {
  return ((a % n) + n) % n;
}

const DAY_SECONDS = 86_400;
const THURSDAY = 3;
const FRIDAY = 4;
const SATURDAY = 5;
const DAYS_PER_ERA = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_1970 = 719_468;
