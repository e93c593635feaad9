import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { erfc, exp, log, pow } from './numeric.ts';

type RealFunction = (...args: number[]) => number;

/** Made by scripts/numeric-golden.py with at least 60 decimal digits. */
const golden = JSON.parse(
  readFileSync(new URL('./fixtures/numeric.json', import.meta.url), 'utf8'),
) as Record<'exp' | 'log' | 'pow' | 'erfc', number[][]>;

/** How many representable numbers lie between two of equal sign. */
function unitsApart(a: number, b: number): number {
  const words = new BigInt64Array(Float64Array.of(a, b).buffer);
  const distance = words[0] - words[1];
  return Number(distance < 0n ? -distance : distance);
}

function farthest(rows: number[][], f: RealFunction): number {
  return Math.max(...rows.map((row) => unitsApart(f(...row.slice(0, -1)), row.at(-1)!)));
}

const rounded: ['exp' | 'log' | 'pow', RealFunction][] = [
  ['exp', exp],
  ['log', log],
  ['pow', pow],
];

describe('numeric functions', () => {
  it.each(rounded)('%s is within one unit in the last place of the exact value', (name, f) => {
    expect(golden[name].length).toBeGreaterThan(300);
    expect(farthest(golden[name], f)).toBeLessThanOrEqual(1);
  });

  it.each(rounded)('%s is almost always the nearest number', (name, f) => {
    const missed = golden[name].filter((row) => f(...row.slice(0, -1)) !== row.at(-1));
    expect(missed.length / golden[name].length).toBeLessThan(0.02);
  });

  it('erfc has a relative error below 1e-15, down to underflow', () => {
    for (const [x, exact] of golden.erfc) {
      const tolerance = Math.max(1e-15 * exact, 5e-324);
      expect(Math.abs(erfc(x) - exact), `erfc(${x})`).toBeLessThanOrEqual(tolerance);
    }
  });

  it('keeps to the limits of the number range', () => {
    expect([exp(0), exp(-0), exp(710), exp(-746), exp(Infinity), exp(-Infinity), exp(NaN)]).toEqual([
      1,
      1,
      Infinity,
      0,
      Infinity,
      0,
      NaN,
    ]);
    expect([log(1), log(0), log(-1), log(Infinity), log(NaN)]).toEqual([0, -Infinity, NaN, Infinity, NaN]);
    expect([erfc(0), erfc(28), erfc(-28), erfc(Infinity), erfc(-Infinity), erfc(NaN)]).toEqual([
      1,
      0,
      2,
      0,
      2,
      NaN,
    ]);
    expect([pow(0, 0), pow(0, 2), pow(0, -2), pow(Infinity, 2), pow(Infinity, -2)]).toEqual([
      1,
      0,
      Infinity,
      Infinity,
      0,
    ]);
    expect([pow(2, 1e300), pow(2, -1e300), pow(0.5, 1e300), pow(1, Infinity), pow(1, 1e300)]).toEqual([
      Infinity,
      0,
      0,
      1,
      1,
    ]);
    expect([pow(-2, 2), pow(NaN, 1), pow(2, NaN)]).toEqual([NaN, NaN, NaN]);
  });

  it('takes and gives back powers of two exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1074, max: 1023 }), (exponent) => {
        expect(pow(2, exponent)).toBe(2 ** exponent);
      }),
    );
  });

  it('erfc of x and of -x add up to 2', () => {
    fc.assert(
      fc.property(fc.double({ min: -30, max: 30, noNaN: true }), (x) => {
        expect(erfc(x) + erfc(-x)).toBeCloseTo(2, 14);
      }),
    );
  });
});
