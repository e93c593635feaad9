import { describe, expect, it } from 'vitest';
import { RowWindow } from './row-window.ts';

const rows = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** The window's newest rows; row n has the value n and the raw score n / 1e6. */
function newest(window: RowWindow, length: number): number[] {
  const { values, rawScores, offset } = window.last(length);
  const found = [...values.subarray(offset, offset + length)];
  expect([...rawScores.subarray(offset, offset + length)]).toEqual(found.map((n) => n / 1e6));
  return found;
}

function append(window: RowWindow, from: number, to: number): void {
  for (const n of rows(from, to)) window.append(n, n / 1e6);
}

function prepend(window: RowWindow, from: number, to: number): void {
  window.prepend({
    rowids: Int32Array.from(rows(from, to)),
    values: Float64Array.from(rows(from, to)),
    rawScores: Float64Array.from(rows(from, to), (n) => n / 1e6),
  });
}

describe('RowWindow', () => {
  it('keeps the newest rows, however many go past, and never more than twice as many', () => {
    const window = new RowWindow(1500);
    const outside = rows(1, 20_000).filter((n) => {
      append(window, n, n);
      return window.length < Math.min(n, 1500) || window.length > 3000;
    });
    expect(outside).toEqual([]);
    expect(newest(window, 1500)).toEqual(rows(18_501, 20_000));
  });

  it('takes older rows in front of those it has, and newer ones behind', () => {
    const window = new RowWindow(3000);
    append(window, 2001, 2010);
    prepend(window, 1001, 2000);
    prepend(window, 1, 1000);
    expect(newest(window, 2010)).toEqual(rows(1, 2010));
    append(window, 2011, 6000);
    expect(newest(window, 3000)).toEqual(rows(3001, 6000));
  });

  it('refuses to give more than it has', () => {
    const window = new RowWindow(10);
    append(window, 1, 3);
    expect(newest(window, 3)).toEqual([1, 2, 3]);
    expect(newest(window, 0)).toEqual([]);
    expect(() => window.last(4)).toThrow(RangeError);
  });
});
