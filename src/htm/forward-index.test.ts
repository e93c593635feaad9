import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ForwardIndex } from './forward-index.ts';
import { Random } from './random.ts';

const COLUMNS = 5;
const CELLS = COLUMNS * 32;
const ROWS = 300;
const EVERY_CELL = 0xffff_ffff;

/** Cells of a few columns that share a cell often, and rows. */
const synapse = fc.record({
  cell: fc.oneof(fc.constantFrom(0, 31, 32, 63), fc.nat(CELLS - 1)),
  row: fc.nat(ROWS - 1),
});

function counted(count: (counts: Uint8Array) => void): number[] {
  const counts = new Uint8Array(ROWS);
  count(counts);
  return [...counts];
}

/** What an index over these synapses must count for the cells. */
function expected(synapses: Set<string>, cells: number[]): number[] {
  const counts = new Array<number>(ROWS).fill(0);
  for (const text of synapses) {
    const [cell, row] = text.split(':').map(Number) as [number, number];
    if (cells.includes(cell)) counts[row]++;
  }
  return counts;
}

function words(cells: number[]): Uint32Array {
  const result = new Uint32Array(COLUMNS);
  for (const cell of cells) result[cell >>> 5] |= 1 << (cell & 31);
  return result;
}

function expectCounts(index: ForwardIndex, synapses: Set<string>, cells: number[]): void {
  const columns = [...new Set(cells.map((cell) => cell >>> 5))].sort((a, b) => a - b);
  const result = expected(synapses, cells);
  const list = Uint16Array.from(cells);
  expect(counted((counts) => index.countCells(list, list.length, counts))).toEqual(result);
  const active = words(cells);
  const of = Uint16Array.from(columns);
  expect(counted((counts) => index.countColumns(of, of.length, active, EVERY_CELL, counts))).toEqual(result);
}

describe('ForwardIndex', () => {
  it('counts the synapses that were added and not removed', () => {
    const cells = fc.uniqueArray(fc.nat(CELLS - 1), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(synapse, { maxLength: 400 }), cells, (changes, active) => {
        const index = new ForwardIndex(COLUMNS);
        const synapses = new Set<string>();
        for (const { cell, row } of changes) {
          const text = `${cell}:${row}`;
          if (synapses.delete(text)) index.remove(cell, row);
          else {
            synapses.add(text);
            index.add(cell, row);
          }
        }
        const bursting = Array.from({ length: 32 }, (_, cell) => 32 + cell);
        expectCounts(index, synapses, active);
        expectCounts(index, synapses, bursting);
      }),
    );
  });

  it('keeps every entry while its blocks move and its buffer grows', () => {
    const random = Random.seeded(3);
    const index = new ForwardIndex(COLUMNS);
    const synapses = new Set<string>();
    for (let i = 0; i < 30_000; i++) {
      const cell = random.below(CELLS);
      const row = random.below(ROWS);
      const text = `${cell}:${row}`;
      if (!synapses.has(text)) {
        synapses.add(text);
        index.add(cell, row);
      } else if (random.below(2) === 0) {
        synapses.delete(text);
        index.remove(cell, row);
      }
    }
    expectCounts(index, synapses, [0, 5, 31, 64, 159]);
    expectCounts(
      index,
      synapses,
      Array.from({ length: CELLS }, (_, cell) => cell),
    );
  });

  it('can be made from rows at once, and goes on from there', () => {
    const random = Random.seeded(5);
    const stride = 9;
    const sources = new Uint16Array(ROWS * stride);
    const sizes = Array.from({ length: ROWS }, () => random.below(stride + 1));
    const synapses = new Set<string>();
    const first = 40;
    sizes.forEach((size, row) => {
      const cells = Uint16Array.from({ length: CELLS }, (_, cell) => cell);
      random.sample(cells, CELLS, size, sources.subarray(row * stride));
      if (row < first || row >= 290) return;
      for (let i = 0; i < size; i++) synapses.add(`${sources[row * stride + i]}:${row - first}`);
    });
    const rows = { sources, sourceStride: stride, size: (row: number) => sizes[row] };
    const index = ForwardIndex.of(COLUMNS, rows, first, 290);
    const all = Array.from({ length: CELLS }, (_, cell) => cell);
    expectCounts(index, synapses, all);
    const [gone] = synapses;
    const [cell, row] = gone.split(':').map(Number) as [number, number];
    index.remove(cell, row);
    synapses.delete(gone);
    index.add(7, 299);
    synapses.add('7:299');
    expectCounts(index, synapses, all);
  });

  it('does not overlook the removal of what it does not have', () => {
    const index = new ForwardIndex(COLUMNS);
    index.add(3, 1);
    expect(() => index.remove(3, 2)).toThrow(/no synapse/);
  });
});
