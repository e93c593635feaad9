import { describe, expect, it } from 'vitest';
import { lastSequence, rowModes, RowMode, type ModelChange, type ModelCommand } from './model-command.ts';

const { NORMAL, RESET_BEFORE, SKIP, DO_NOT_LEARN } = RowMode;

/** Commands in the order in which they were given, each with the row it begins after. */
function commands(...given: [afterRowid: number, change: ModelChange][]): ModelCommand[] {
  return given.map(([afterRowid, change], i) => ({ sequence: i + 1, afterRowid, change }));
}

const modes = (given: ModelCommand[]) => Array.from(rowModes(given, Int32Array.of(3, 4, 5, 6, 7)));

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
    const given = commands([3, { what: 'doNotLearn', throughRowid: 5 }]);
    expect(modes(given)).toEqual([NORMAL, DO_NOT_LEARN, DO_NOT_LEARN, NORMAL, NORMAL]);
  });
});
