import { assert, date, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTime, parseValue } from './cell-values.ts';

describe('times', () => {
  it.each([
    ['0', 0],
    ['1600000200', 1_600_000_200],
    ['1600000200.9', 1_600_000_200],
    ['2020-09-13 12:30:00', 1_600_000_200],
    [' 2020-09-13T12:30:00Z ', 1_600_000_200],
    ['2020-09-13T12:30:00.123456Z', 1_600_000_200],
    ['2020-09-13T14:30:00+02:00', 1_600_000_200],
    ['2020-09-13 07:00:00 -0530', 1_600_000_200],
    ['2020-09-13T14:30+02', 1_600_000_200],
    ['2020-09-13', 1_599_955_200],
    ['2024-02-29 00:00:00', 1_709_164_800],
    ['1969-12-31 23:59:59', -1],
  ])('%s', (text, seconds) => {
    expect(parseTime(text)).toEqual({ number: seconds });
  });

  it.each([
    ['', 'empty'],
    ['yesterday', 'neither'],
    ['2023-02-29 00:00:00', 'neither'],
    ['2020-13-01', 'neither'],
    ['2020-09-13 24:00:00', 'neither'],
    ['2020-09-13 12:60:00', 'neither'],
    ['2020-09-13T12:30:00+25:00', 'neither'],
    ['13.09.2020 12:30', 'neither'],
    ['1600000200000', 'milliseconds'],
    ['1e300', 'milliseconds'],
  ])('refuses "%s"', (text, reason) => {
    expect(parseTime(text).wrong).toContain(reason);
  });

  it('agrees with Date on every valid time', () => {
    const times = date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
    assert(
      property(times, (time) => {
        expect(parseTime(time.toISOString())).toEqual({ number: Math.floor(time.getTime() / 1000) });
      }),
    );
  });
});

describe('values', () => {
  it.each([
    ['1', 1],
    [' -2.50 ', -2.5],
    ['.5', 0.5],
    ['1e3', 1000],
  ])('%s', (text, number) => {
    expect(parseValue(text)).toEqual({ number });
  });

  it('makes no difference between 0 and -0, as the engine', () => {
    expect(Object.is(parseValue('-0').number, 0)).toBe(true);
  });

  it.each(['', 'NaN', 'inf', '1e999', '0x10', '1,5', 'null', '1 2'])('refuses "%s"', (text) => {
    expect(parseValue(text).wrong).toMatch(/^the value /);
  });

  it('shows a long or strange cell shortened', () => {
    expect(parseValue(`\u001b[31m${'x'.repeat(500)}`).wrong).toMatch(
      /^the value "\\u001b\[31mx{35}\.\.\." is no/,
    );
  });

  it('reads back every number that is written', () => {
    assert(
      property(integer(), integer({ min: 1, max: 1000 }), (a, b) => {
        expect(parseValue(String(a / b)).number).toBe(a / b === 0 ? 0 : a / b);
      }),
    );
  });
});
