import { describe, expect, it } from 'vitest';
import { ArenaFormatError } from '../arena.ts';
import { ColumnHistory } from './column-history.ts';

function history(capacity: number, columnCount: number): { history: ColumnHistory; words: Uint32Array } {
  const words = new Uint32Array(ColumnHistory.words(capacity, columnCount));
  const made = new ColumnHistory(capacity, columnCount);
  made.lay(words);
  return { history: made, words };
}

function entries(of: ColumnHistory): number[][] {
  const out = new Uint16Array(100);
  return Array.from({ length: of.length }, (_, entry) => [...out.subarray(0, of.read(entry, out))]);
}

describe('ColumnHistory', () => {
  it('keeps the last sets, oldest first', () => {
    const { history: h } = history(3, 100);
    for (const set of [[1, 2], [], [31, 32, 99], [64]]) h.append(Uint16Array.from(set), set.length);
    expect(entries(h)).toEqual([[], [31, 32, 99], [64]]);
    h.dropOldest(2);
    expect(entries(h)).toEqual([[64]]);
    h.append(Uint16Array.of(7, 8, 9), 2);
    expect(entries(h)).toEqual([[64], [7, 8]]);
    h.clear();
    expect(entries(h)).toEqual([]);
  });

  it('refuses more entries than it keeps, and columns there are not', () => {
    const { history: h, words } = history(2, 40);
    h.append(Uint16Array.of(39), 1);
    expect(() => h.check()).not.toThrow();
    words[2] |= 1 << 8;
    expect(() => h.check()).toThrow(ArenaFormatError);
    words[2] &= ~(1 << 8);
    words[0] = 3;
    expect(() => h.check()).toThrow(ArenaFormatError);
  });
});
