import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArenaFormatError } from './arena.ts';
import { PackedRows } from './packed-rows.ts';
import { patternOf } from './permanence-codes.ts';
import { ONE_BITS, PermanenceSteps } from './permanence-steps.ts';
import { PoolerBase } from './pooler-base.ts';
import { PoolerPacking } from './pooler-packing.ts';
import { packRows, unpackRows, type PoolerRows } from './testing/pooler-rows.ts';

const INPUTS = 40;

function packingWith(synPermActiveInc: number, synPermInactiveDec: number) {
  const base = PoolerBase.of(INPUTS, {
    columnCount: 20,
    potentialPct: 0.8,
    wrapAround: true,
    numActiveColumns: 2,
    localAreaDensity: 0,
    stimulusThreshold: 0,
    synPermInactiveDec,
    synPermActiveInc,
    synPermConnected: 0.2,
    minPctOverlapDutyCycle: 0.001,
    dutyCyclePeriod: 1000,
    boostStrength: 0,
    seed: 3,
  });
  return { base, packing: new PoolerPacking(base, new PermanenceSteps(base.constants)) };
}

const steps = fc.constantFrom(
  [0.003, 0.0005],
  [0.05, 0.008],
  [0.1, 0],
  [0, 0.1],
  [0, 0],
  [0.25, 0.5],
  [1e-9, 1e-12],
);

/** A permanence after a record. */
function learned(value: number, isOn: boolean, increment: number, decrement: number, least: number): number {
  const next = Math.fround(value + Math.fround(isOn ? increment : -decrement));
  return next < least || next < 0 ? 0 : Math.min(next, 1);
}

/** The pattern itself if there is such a permanence, else some other that there is. */
function possible(pattern: number, { constants }: PoolerBase): number {
  const least = patternOf(constants.trimBelow);
  return pattern === 0 ? 0 : least + (Math.max(pattern - least, 0) % (ONE_BITS - least + 1));
}

/** Per row the places in the pool whose connection has changed, as the packing finds them. */
function changesIn(
  packed: Uint8Array,
  { columns }: PoolerRows,
  { poolSize }: PoolerBase,
  packing: PoolerPacking,
): number[][] {
  const rows = new PackedRows(packed, columns.length, poolSize, packing);
  const changed = new Uint16Array(poolSize);
  return Array.from(columns, (_, row) => [...changed.subarray(0, rows.changedConnections(row, changed))]);
}

/** The same, from the permanences. */
function changesOf({ columns, permanenceBits }: PoolerRows, base: PoolerBase): number[][] {
  const { poolSize, initialPatterns, constants } = base;
  const connectedFrom = patternOf(constants.connectedFrom);
  return Array.from(columns, (column, row) =>
    Array.from({ length: poolSize }, (_, place) => place).filter(
      (place) =>
        permanenceBits[row * poolSize + place] >= connectedFrom !==
        initialPatterns[column * poolSize + place] >= connectedFrom,
    ),
  );
}

describe('packed pooler rows', () => {
  it('give back any permanences, bit for bit', () => {
    fc.assert(
      fc.property(
        steps,
        fc.uniqueArray(fc.nat(19), { maxLength: 4 }),
        fc.infiniteStream(fc.oneof(fc.nat(2 ** 31 - 1), fc.constantFrom(0, 0x3f800000))),
        fc.infiniteStream(fc.oneof(fc.nat(3000), fc.nat(0xffffffff))),
        ([increment, decrement], columns, patterns, times) => {
          const { base, packing } = packingWith(increment, decrement);
          const rows: PoolerRows = {
            columns: Uint16Array.from(columns),
            timesLearned: Uint32Array.from(columns, () => times.next().value as number),
            permanenceBits: Int32Array.from({ length: columns.length * base.poolSize }, () =>
              possible(patterns.next().value as number, base),
            ),
          };
          const packed = packRows(rows, base.poolSize, packing);
          expect(unpackRows(packed, columns.length, base.poolSize, packing)).toEqual(rows);
          expect(changesIn(packed, rows, base, packing)).toEqual(changesOf(rows, base));
        },
      ),
    );
  });

  it('give back learned permanences, and take a byte for most of them', () => {
    const { base, packing } = packingWith(0.003, 0.0005);
    const { poolSize, constants, permanences, poolInputs } = base;
    const columns = Uint16Array.from({ length: 10 }, (_, row) => row * 2);
    const timesLearned = Uint32Array.from(columns, (column) => column * 30);
    const values = new Float32Array(columns.length * poolSize);
    for (let i = 0; i < values.length; i++) {
      const row = Math.floor(i / poolSize);
      const place = columns[row] * poolSize + (i % poolSize);
      let value = permanences[place];
      // Inputs differ in how often they are on, many never are.
      const period = 1 + (poolInputs[place] % 20);
      for (let t = 0; t < timesLearned[row]; t++)
        value = learned(value, period < 8 && t % (period * 5) === 0, 0.003, 0.0005, constants.trimBelow);
      values[i] = value;
    }
    const rows = { columns, timesLearned, permanenceBits: new Int32Array(values.buffer) };
    const packed = packRows(rows, poolSize, packing);
    expect(unpackRows(packed, columns.length, poolSize, packing)).toEqual(rows);
    expect(changesIn(packed, rows, base, packing)).toEqual(changesOf(rows, base));
    expect(changesOf(rows, base).flat().length).toBeGreaterThan(10);
    expect(packed.length).toBeLessThan(6 * columns.length + 2 * values.length);
  });

  it('are refused when cut, extended or of another number of rows', () => {
    const { base, packing } = packingWith(0.003, 0.0005);
    const rows = {
      columns: Uint16Array.of(3, 4),
      timesLearned: Uint32Array.of(1, 2),
      permanenceBits: new Int32Array(2 * base.poolSize).fill(0x3f000001),
    };
    const packed = packRows(rows, base.poolSize, packing);
    for (let length = 0; length < packed.length; length++)
      expect(() => unpackRows(packed.subarray(0, length), 2, base.poolSize, packing)).toThrow(
        ArenaFormatError,
      );
    expect(() => unpackRows(Uint8Array.of(...packed, 0), 2, base.poolSize, packing)).toThrow(
      ArenaFormatError,
    );
    for (const rowCount of [0, 1, 3, 0xffffffff])
      expect(() => unpackRows(packed, rowCount, base.poolSize, packing)).toThrow(ArenaFormatError);
  });
});
