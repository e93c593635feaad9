import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CellSet, Workspace, indexesAtLeast } from './workspace.ts';

describe('indexesAtLeast', () => {
  it('finds the bytes that reach the threshold, in order', () => {
    const values = fc.array(fc.oneof(fc.constant(0), fc.nat(127)), { maxLength: 150 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 127 }), (bytes, threshold) => {
        const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
        padded.set(bytes);
        const out = new Uint32Array(bytes.length);
        const found = indexesAtLeast(new Int32Array(padded.buffer), bytes.length, threshold, out);
        const expected = bytes.flatMap((byte, i) => (byte >= threshold ? [i] : []));
        expect([...out.subarray(0, found)]).toEqual(expected);
      }),
    );
  });
});

describe('Workspace', () => {
  it('gives each bank of 65,536 rows its part of the counts', () => {
    const workspace = new Workspace();
    workspace.reserve(140_000);
    expect(workspace.countsOfBank.slice(0, 2).map((counts) => counts.length)).toEqual([65_536, 65_536]);
    workspace.countsOfBank[2][100] = 9;
    expect(workspace.counts[131_172]).toBe(9);
    expect(workspace.rows.length).toBeGreaterThanOrEqual(140_000);
  });
});

describe('CellSet', () => {
  it('forgets the cells of the set before', () => {
    const set = new CellSet();
    set.set(Uint16Array.of(32, 95), 2);
    set.set(Uint16Array.of(3, 95, 170), 3);
    expect([...set.words.subarray(0, 6)]).toEqual([8, 0, 2 ** 31, 0, 0, 2 ** 10]);
    expect([set.positions[0], set.positions[2], set.positions[5]]).toEqual([0, 1, 2]);
  });
});
