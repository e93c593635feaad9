import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DateEncoder } from './date.ts';
import type { DateEncoderParameters } from './date.ts';
import { ScalarEncoder } from './scalar.ts';

const NOTHING: DateEncoderParameters = {
  season: null,
  dayOfWeek: null,
  weekend: null,
  customDays: null,
  holiday: null,
  timeOfDay: null,
};
const EVERYTHING: DateEncoderParameters = {
  season: { w: 21, radius: 91.5 },
  dayOfWeek: { w: 21, radius: 1 },
  weekend: { w: 21, radius: 1 },
  customDays: null,
  holiday: { w: 21, dates: [[12, 25]] },
  timeOfDay: { w: 21, radius: 4 },
};

function seconds(isoTime: string): number {
  return Date.parse(`${isoTime}Z`) / 1000;
}

function bitsOf(parameters: DateEncoderParameters, timestampSeconds: number): number[] {
  const encoder = new DateEncoder(parameters);
  const out = new Uint16Array(encoder.maxOnBits);
  const count = encoder.encode(timestampSeconds, 0, out, 0);
  return [...out.subarray(0, count)].sort((a, b) => a - b);
}

/** On bits of `value` in a scalar encoder such as a date part uses. */
function scalarBits(max: number, radius: number, periodic: boolean, value: number): number[] {
  const encoder = new ScalarEncoder({
    w: 21,
    min: 0,
    max,
    periodic,
    sizedBy: 'radius',
    size: radius,
    clipInput: false,
  });
  const out = new Uint16Array(21);
  encoder.encode(value, 0, out, 0);
  return [...out].sort((a, b) => a - b);
}

function span(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

describe('DateEncoder: reference 12.3', () => {
  const timeOfDay = { ...NOTHING, timeOfDay: { w: 21, radius: 9.49 } };

  it.each([
    ['00:00', [...span(0, 10), ...span(44, 53)]],
    ['00:26', [...span(0, 10), ...span(44, 53)]],
    ['00:27', [...span(0, 11), ...span(45, 53)]],
    ['04:30', span(0, 20)],
    ['12:00', span(17, 37)],
    ['23:59', [...span(0, 9), ...span(43, 53)]],
  ])('time of day %s', (time, expected) => {
    expect(bitsOf(timeOfDay, seconds(`2020-05-08T${time}:00`))).toEqual(expected);
  });

  it('ignores seconds', () => {
    expect(bitsOf(timeOfDay, seconds('2020-05-08T08:00:59'))).toEqual(
      bitsOf(timeOfDay, seconds('2020-05-08T08:00:00')),
    );
  });

  it('lays its parts side by side in the fixed order', () => {
    expect(new DateEncoder(EVERYTHING).width).toBe(441);
    expect(new DateEncoder(timeOfDay).width).toBe(54);
    const widths = (['season', 'dayOfWeek', 'weekend', 'holiday', 'timeOfDay'] as const).map(
      (part) => new DateEncoder({ ...NOTHING, [part]: EVERYTHING[part] }).width,
    );
    expect(widths).toEqual([84, 147, 42, 42, 126]);
    const at = seconds('2020-05-08T18:01:00');
    const separately = [
      ...bitsOf({ ...NOTHING, season: EVERYTHING.season }, at),
      ...bitsOf({ ...NOTHING, dayOfWeek: EVERYTHING.dayOfWeek }, at).map((bit) => bit + 84),
      ...bitsOf({ ...NOTHING, weekend: EVERYTHING.weekend }, at).map((bit) => bit + 231),
      ...bitsOf({ ...NOTHING, holiday: EVERYTHING.holiday }, at).map((bit) => bit + 273),
      ...bitsOf({ ...NOTHING, timeOfDay: EVERYTHING.timeOfDay }, at).map((bit) => bit + 315),
    ];
    expect(bitsOf(EVERYTHING, at)).toEqual(separately);
  });

  it('encodes the day of the week with its time', () => {
    const dayOfWeek = { ...NOTHING, dayOfWeek: EVERYTHING.dayOfWeek };
    expect(bitsOf(dayOfWeek, seconds('2020-05-08T18:00:00'))).toEqual(scalarBits(7, 1, true, 4.75));
  });

  it('begins the weekend after 18:00 on Friday', () => {
    const weekend = { ...NOTHING, weekend: EVERYTHING.weekend };
    const isWeekend = (time: string) => bitsOf(weekend, seconds(time))[0] > 0;
    expect(isWeekend('2020-05-08T18:00:00')).toBe(false);
    expect(isWeekend('2020-05-08T18:01:00')).toBe(true);
    expect(isWeekend('2020-05-10T23:59:00')).toBe(true);
    expect(isWeekend('2020-05-11T00:00:00')).toBe(false);
  });

  it.each([
    ['2020-12-23T12:00:00', 0],
    ['2020-12-24T12:00:00', 0.5],
    ['2020-12-25T00:00:00', 1],
    ['2020-12-25T23:59:59', 1],
    ['2020-12-26T06:00:00', 0.75],
    ['2020-12-27T00:00:00', 0],
  ])('ramps up to and down from a holiday: %s', (time, value) => {
    const holiday = { ...NOTHING, holiday: EVERYTHING.holiday };
    expect(bitsOf(holiday, seconds(time))).toEqual(scalarBits(1, 1, false, value));
  });

  it('counts the days of the year from 0', () => {
    const season = { ...NOTHING, season: EVERYTHING.season };
    expect(bitsOf(season, seconds('2020-05-08T13:00:00'))).toEqual(scalarBits(366, 91.5, true, 128));
    expect(bitsOf(season, seconds('2020-12-31T23:59:59'))).toEqual(scalarBits(366, 91.5, true, 365));
  });
});

describe('DateEncoder', () => {
  it('marks custom days', () => {
    const customDays = { ...NOTHING, customDays: { w: 21, days: [2] } };
    expect(bitsOf(customDays, seconds('2020-05-06T12:00:00'))[0]).toBe(21);
    expect(bitsOf(customDays, seconds('2020-05-07T12:00:00'))[0]).toBe(0);
  });

  it('knows a holiday of one year, and leaves out February 29 in other than leap years', () => {
    const once = { ...NOTHING, holiday: { w: 21, dates: [[2021, 5, 8]] } };
    expect(bitsOf(once, seconds('2021-05-08T12:00:00'))[0]).toBe(21);
    expect(bitsOf(once, seconds('2020-05-08T12:00:00'))[0]).toBe(0);
    const leapDay = { ...NOTHING, holiday: { w: 21, dates: [[2, 29]] } };
    expect(bitsOf(leapDay, seconds('2020-02-29T12:00:00'))[0]).toBe(21);
    expect(bitsOf(leapDay, seconds('2100-03-01T12:00:00'))[0]).toBe(0);
  });

  it('has no bits for a missing time', () => {
    expect(bitsOf(EVERYTHING, NaN)).toEqual([]);
  });

  it('reads the same calendar fields as the platform, on any day', () => {
    const season = { w: 1, radius: 1 }; // One bit per day of the year.
    const dayOfWeek = { w: 1, radius: 1 };
    const timeOfDay = { w: 1, radius: 1 };
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), (timestamp) => {
        const date = new Date(timestamp * 1000);
        const newYear = new Date(0);
        newYear.setUTCFullYear(date.getUTCFullYear(), 0, 1);
        const dayOfYear = Math.floor((timestamp * 1000 - newYear.getTime()) / 86_400_000);
        expect(bitsOf({ ...NOTHING, season, dayOfWeek, timeOfDay }, timestamp)).toEqual([
          dayOfYear,
          366 + ((date.getUTCDay() + 6) % 7),
          373 + date.getUTCHours(),
        ]);
      }),
    );
  });
});
