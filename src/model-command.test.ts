import { describe, expect, it } from 'vitest';
import {
  isRepeated,
  lastSequence,
  leftOutTimes,
  rowModes,
  RowMode,
  type ModelChange,
  type ModelCommand,
} from './model-command.ts';

const { NORMAL, RESET_BEFORE, SKIP, DO_NOT_LEARN } = RowMode;

/** Commands in the order in which they were given, each with the row it begins after. */
function commands(...given: [afterRowid: number, change: ModelChange][]): ModelCommand[] {
  return given.map(([afterRowid, change], i) => ({ sequence: i + 1, afterRowid, change }));
}

/** Row n is of second 10 n. */
const modes = (given: ModelCommand[]) =>
  Array.from(rowModes(given, Int32Array.of(3, 4, 5, 6, 7), Float64Array.of(30, 40, 50, 60, 70)));
const leftOut = (fromTimestamp: number, toTimestamp: number) =>
  ({ what: 'doNotLearn', fromTimestamp, toTimestamp }) as const;

describe('rowModes', () => {
  it('takes all rows as usual without commands', () => {
    expect(modes([])).toEqual([NORMAL, NORMAL, NORMAL, NORMAL, NORMAL]);
    expect(lastSequence([])).toBe(0);
  });

  it('skips one row and resets before one', () => {
    const given = commands([3, { what: 'skip' }], [3, { what: 'reset' }], [5, { what: 'reset' }]);
    expect(modes(given)).toEqual([NORMAL, SKIP + RESET_BEFORE, NORMAL, RESET_BEFORE, NORMAL]);
    expect(lastSequence(given)).toBe(3);
  });

  it('keeps learning off until it is switched on again, whatever block the rows come in', () => {
    const given = commands([1, { what: 'learning', on: false }], [5, { what: 'learning', on: true }]);
    expect(modes(given)).toEqual([DO_NOT_LEARN, DO_NOT_LEARN, DO_NOT_LEARN, NORMAL, NORMAL]);
  });

  it('lets what was given later count where two are in effect', () => {
    const given = commands([4, { what: 'learning', on: false }], [2, { what: 'learning', on: true }]);
    expect(modes(given)).toEqual([NORMAL, NORMAL, NORMAL, NORMAL, NORMAL]);
  });

  it('leaves an interval unlearned, and learning as it was after it', () => {
    expect(modes(commands([3, leftOut(40, 50)]))).toEqual([
      NORMAL,
      DO_NOT_LEARN,
      DO_NOT_LEARN,
      NORMAL,
      NORMAL,
    ]);
    const off = commands([0, leftOut(31, 49)], [5, { what: 'learning', on: false }], [0, leftOut(70, 99)]);
    expect(modes(off)).toEqual([NORMAL, DO_NOT_LEARN, NORMAL, DO_NOT_LEARN, DO_NOT_LEARN]);
    expect(leftOutTimes(off)).toEqual([
      { fromTimestamp: 31, toTimestamp: 49 },
      { fromTimestamp: 70, toTimestamp: 99 },
    ]);
  });
});

describe('isRepeated', () => {
  it('is true only of what changes nothing', () => {
    const on = { what: 'learning', on: true } as const;
    const off = { what: 'learning', on: false } as const;
    expect(isRepeated([], on, 7)).toBe(true);
    expect(isRepeated([], off, 7)).toBe(false);
    const given = commands([3, off], [5, { what: 'reset' }], [5, leftOut(40, 50)]);
    expect([isRepeated(given, off, 7), isRepeated(given, on, 7)]).toEqual([true, false]);
    // From row 3 on it would be off earlier than was asked for until now.
    expect(isRepeated(given, off, 2)).toBe(false);
    expect([isRepeated(given, { what: 'reset' }, 5), isRepeated(given, { what: 'reset' }, 6)]).toEqual([
      true,
      false,
    ]);
    expect(isRepeated(given, { what: 'skip' }, 5)).toBe(false);
    expect([isRepeated(given, leftOut(41, 50), 9), isRepeated(given, leftOut(41, 51), 9)]).toEqual([
      true,
      false,
    ]);
    // Learning is off from row 10 on only: now it is on.
    expect(isRepeated(commands([9, off]), on, 4)).toBe(false);
  });
});
