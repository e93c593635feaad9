import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColumnCompetition } from './column-competition.ts';

interface Case {
  columns: number;
  inputs: number;
  connected: boolean[][];
  on: number[];
}

const cases: fc.Arbitrary<Case> = fc
  .record({ columns: fc.integer({ min: 1, max: 100 }), inputs: fc.integer({ min: 1, max: 80 }) })
  .chain(({ columns, inputs }) =>
    fc.record({
      columns: fc.constant(columns),
      inputs: fc.constant(inputs),
      connected: fc.array(fc.array(fc.boolean(), { minLength: columns, maxLength: columns }), {
        minLength: inputs,
        maxLength: inputs,
      }),
      on: fc.uniqueArray(fc.integer({ min: 0, max: inputs - 1 })),
    }),
  );

function competitionOn({ columns, inputs, connected, on }: Case): ColumnCompetition {
  const words = (columns + 31) >>> 5;
  const rows = new Int32Array((inputs + 1) * words);
  connected.forEach((row, input) =>
    row.forEach((bit, column) => {
      if (bit) rows[input * words + (column >>> 5)] |= 1 << column;
    }),
  );
  const competition = new ColumnCompetition(columns, inputs);
  competition.countOverlaps(rows, Uint16Array.from(on), on.length);
  return competition;
}

function overlapsOf({ columns, connected, on }: Case): number[] {
  return Array.from({ length: columns }, (_, column) => on.filter((i) => connected[i][column]).length);
}

/** Higher score first, higher index first among equals; the best `count` that reach the threshold, ascending. */
function expectedBest(scores: number[], count: number, threshold: number): number[] {
  return scores
    .map((score, column) => ({ score, column }))
    .sort((a, b) => b.score - a.score || b.column - a.column)
    .filter(({ score }) => score >= threshold)
    .slice(0, count)
    .map(({ column }) => column)
    .sort((a, b) => a - b);
}

describe('ColumnCompetition', () => {
  it('counts what is connected', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const competition = competitionOn(c);
        const expected = overlapsOf(c);
        expect(expected.map((_, column) => competition.overlap(column))).toEqual(expected);
        expect(expected.map((_, column) => (competition.overlapping(column >>> 5) >>> column) & 1)).toEqual(
          expected.map((overlap) => Math.min(overlap, 1)),
        );
      }),
    );
  });

  it('picks the best columns', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.nat({ max: 20 }), (c, n, threshold) => {
        const count = n % (c.columns + 1);
        const out = new Uint16Array(count);
        const written = competitionOn(c).best(count, threshold, out);
        expect([...out.subarray(0, written)]).toEqual(expectedBest(overlapsOf(c), count, threshold));
      }),
    );
  });

  it('picks the best columns by boosted overlap', () => {
    const boost = fc.constantFrom(0.5, 0.75, 1, 1.5, 2, 1.1);
    const boosts = fc.array(boost, { minLength: 100, maxLength: 100 });
    fc.assert(
      fc.property(cases, boosts, fc.nat(), fc.nat({ max: 20 }), (c, factors, n, threshold) => {
        const count = n % (c.columns + 1);
        const out = new Uint16Array(count);
        const float = Float32Array.from(factors.slice(0, c.columns));
        const scores = overlapsOf(c).map((overlap, column) => Math.fround(overlap * float[column]));
        const written = competitionOn(c).bestBoosted(count, threshold, float, out);
        expect([...out.subarray(0, written)]).toEqual(expectedBest(scores, count, threshold));
      }),
    );
  });
});
