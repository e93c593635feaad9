import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Arena, ArenaFormatError } from './arena.ts';
import { MultiEncoder } from './encoders/multi.ts';
import { patternOf } from './permanence-codes.ts';
import { PermanenceSteps } from './permanence-steps.ts';
import { PoolerBase, winnerCountOf } from './pooler-base.ts';
import type { PoolerParameters } from './pooler-base.ts';
import { PoolerPacking } from './pooler-packing.ts';
import { packRows, unpackRows } from './testing/pooler-rows.ts';
import { scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';
import { SpatialPooler } from './spatial-pooler.ts';
import { PlainPooler } from './testing/plain-pooler.ts';
import { savedSection, withSavedSection } from './testing/saved-sections.ts';
import { sineSeries } from './testing/sine-series.ts';

const TINY: PoolerParameters = {
  columnCount: 4,
  potentialPct: 0.8,
  wrapAround: true,
  numActiveColumns: 2,
  localAreaDensity: 0,
  stimulusThreshold: 0,
  synPermInactiveDec: 0.0005,
  synPermActiveInc: 0.003,
  synPermConnected: 0.2,
  minPctOverlapDutyCycle: 0.001,
  dutyCyclePeriod: 1000,
  boostStrength: 0,
  seed: 1956,
};

function newArena(parameters: PoolerParameters): Arena {
  return Arena.create(1, SpatialPooler.schema(parameters));
}

function newPooler(inputs: number, parameters: PoolerParameters): SpatialPooler {
  return SpatialPooler.create(newArena(parameters), 0, inputs, parameters);
}

function winnersOf(pooler: SpatialPooler, on: readonly number[], learn: boolean): number[] {
  return [...pooler.winners.subarray(0, pooler.compute(Uint16Array.from(on), on.length, learn))];
}

/** Permanences as the reference prints them. */
function printed(pooler: SpatialPooler, column: number): string {
  return [...pooler.permanences(column)].map((p) => p.toFixed(5).slice(1)).join(' ');
}

describe('SpatialPooler, tiny: reference 12.4', () => {
  const start = [
    '.82358 .66831 .55271 .13641 .82577 .01395 .64601 .03183',
    '.09447 .10808 .52058 .50061 .79666 .55788 .73235 .98195',
    '.13143 .27761 .19512 .01971 .73691 .87769 .24601 .55523',
    '.06190 .87467 .82191 .17649 .13087 .01111 .32710 .12791',
  ];
  const pooler = newPooler(10, TINY);

  it('begins with these pools, permanences and connections', () => {
    const columns = [0, 1, 2, 3];
    expect(columns.map((column) => [...pooler.pool(column)])).toEqual([
      [1, 2, 4, 5, 6, 7, 8, 9],
      [0, 1, 2, 3, 4, 6, 8, 9],
      [0, 1, 3, 4, 5, 6, 7, 9],
      [0, 1, 2, 4, 6, 7, 8, 9],
    ]);
    expect(columns.map((column) => printed(pooler, column))).toEqual(start);
    expect(columns.map((column) => pooler.connectedInputs(column))).toEqual([
      [1, 2, 4, 6, 8],
      [2, 3, 4, 6, 8, 9],
      [1, 5, 6, 7, 9],
      [1, 2, 8],
    ]);
  });

  it('learns as shown', () => {
    expect(winnersOf(pooler, [0, 1, 2], true)).toEqual([0, 3]);
    expect([0, 1, 2, 3].map((column) => printed(pooler, column))).toEqual([
      '.82658 .67131 .55221 .13591 .82527 .01345 .64551 .03133',
      start[1],
      start[2],
      '.06490 .87767 .82491 .17599 .13037 .01061 .32660 .12741',
    ]);
    expect(winnersOf(pooler, [], true)).toEqual([2, 3]);
  });
});

describe('SpatialPooler at production size', () => {
  const { encoders, pooler: production } = scalarAnomalyParameters({ resolution: 140 / 130 });
  let pooler: SpatialPooler;
  let encoder: MultiEncoder;
  beforeAll(() => {
    const arena = Arena.create(1, [...MultiEncoder.schema(encoders), ...SpatialPooler.schema(production)]);
    encoder = MultiEncoder.create(arena, 0, encoders);
    pooler = SpatialPooler.create(arena, MultiEncoder.schema(encoders).length, 454, production);
  });

  it('begins with the permanences of reference 12.10', () => {
    const first = [...pooler.permanences(0)].slice(0, 7).map((p) => p.toFixed(5));
    expect(first).toEqual(['0.97355', '0.92624', '0.13618', '0.04262', '0.03340', '0.97951', '0.42296']);
    expect([...pooler.pool(0)].slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(pooler.pool(0)[7]).toBeGreaterThan(7);
    for (let column = 0; column < 2048; column++) expect(pooler.pool(column)).toHaveLength(363);
  });

  it('activates columns 2008 to 2047 on no input: reference 12.4', () => {
    expect(winnersOf(newPooler(454, production), [], true)).toEqual(
      Array.from({ length: 40 }, (_, i) => 2008 + i),
    );
  });

  it('answers the first two records of the sine with the columns of reference 12.10', () => {
    const answer = (t: number) => {
      const count = encoder.encode(t * 3600, sineSeries[t]);
      return winnersOf(pooler, [...encoder.onBits.subarray(0, count)], true);
    };
    expect(answer(0)).toEqual([
      0, 47, 99, 133, 153, 390, 464, 645, 666, 814, 870, 981, 1070, 1093, 1117, 1122, 1138, 1148, 1180, 1229,
      1267, 1303, 1314, 1389, 1434, 1439, 1485, 1552, 1626, 1630, 1682, 1684, 1760, 1793, 1813, 1874, 1941,
      1992, 2001, 2042,
    ]);
    expect(answer(1)).toEqual([
      21, 47, 99, 131, 133, 161, 179, 278, 407, 582, 751, 821, 881, 1012, 1066, 1085, 1090, 1131, 1303, 1338,
      1344, 1391, 1421, 1448, 1468, 1552, 1593, 1596, 1626, 1633, 1684, 1755, 1760, 1777, 1813, 1826, 1874,
      1879, 1917, 1977,
    ]);
  });

  it('leaves columns alone that do not win: reference 12.4 and 12.11', () => {
    const fresh = newPooler(454, production);
    const won = new Set<number>();
    const before = Array.from({ length: 2048 }, (_, column) => fresh.permanences(column));
    for (let t = 0; t < 49; t++) {
      const winners = winnersOf(
        fresh,
        Array.from({ length: 42 }, (_, i) => (t * 7 + i * 11) % 454),
        true,
      );
      expect(winners).toHaveLength(40);
      winners.forEach((column) => won.add(column));
    }
    expect(fresh.learnedColumnCount).toBe(won.size);
    before.forEach((permanences, column) => {
      if (!won.has(column)) expect(fresh.permanences(column)).toEqual(permanences);
    });
  });
});

/** Parameters of small poolers of all kinds, with constants that make rare rules frequent. */
const anyParameters: fc.Arbitrary<PoolerParameters> = fc
  .record({
    columnCount: fc.integer({ min: 2, max: 70 }),
    potentialPct: fc.constantFrom(0.5, 0.8, 1),
    wrapAround: fc.boolean(),
    numActiveColumns: fc.constantFrom(0, 1, 2, 5),
    localAreaDensity: fc.constantFrom(0.1, 0.5),
    stimulusThreshold: fc.constantFrom(0, 0, 1, 3),
    synPermInactiveDec: fc.constantFrom(0, 0.0005, 0.01, 0.15, 2 ** -7),
    synPermActiveInc: fc.constantFrom(0, 0.003, 0.05, 0.25),
    synPermConnected: fc.constantFrom(0.2, 0.5, 0.9),
    minPctOverlapDutyCycle: fc.constantFrom(0.001, 0.3, 1),
    dutyCyclePeriod: fc.constantFrom(1, 10, 1000),
    boostStrength: fc.constantFrom(0, 0, 2, 100),
    seed: fc.integer({ min: 1, max: 1000 }),
  })
  .filter((parameters) => parameters.numActiveColumns <= parameters.columnCount)
  .filter((parameters) => winnerCountOf(parameters) > 0);

const INPUTS = 20;
const anyRecords = fc.array(
  fc.record({
    // Some inputs rarely come, so that columns lose their connections and become weak.
    on: fc.oneof(
      fc.uniqueArray(fc.integer({ min: 0, max: INPUTS - 1 }), { maxLength: 8 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
    ),
    learn: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  }),
  { minLength: 1, maxLength: 400, size: 'max' },
);

describe('SpatialPooler', () => {
  it('does on every record what the rules say', () => {
    fc.assert(
      fc.property(anyParameters, anyRecords, (parameters, records) => {
        const pooler = newPooler(INPUTS, parameters);
        const plain = new PlainPooler(pooler, parameters);
        for (const { on, learn } of records) {
          expect(winnersOf(pooler, on, learn)).toEqual(plain.compute(new Set(on), learn));
        }
        for (let column = 0; column < parameters.columnCount; column++) {
          expect([...pooler.permanences(column)]).toEqual(plain.permanences(column));
          expect(pooler.connectedInputs(column)).toEqual(plain.connectedInputs(column));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('goes on from its sections as if never interrupted, however often it is', () => {
    fc.assert(
      fc.property(anyParameters, anyRecords, fc.integer({ min: 1, max: 8 }), (parameters, records, every) => {
        const whole = newArena(parameters);
        const wholePooler = SpatialPooler.create(whole, 0, INPUTS, parameters);
        let arena = newArena(parameters);
        let pooler = SpatialPooler.create(arena, 0, INPUTS, parameters);
        records.forEach(({ on, learn }, t) => {
          if (t % every === 0) {
            arena = Arena.from(arena.bytes(), 1, SpatialPooler.schema(parameters));
            pooler = SpatialPooler.attach(arena, 0, INPUTS, parameters);
          }
          expect(winnersOf(pooler, on, learn)).toEqual(winnersOf(wholePooler, on, learn));
        });
        expect(Buffer.compare(arena.bytes(), whole.bytes())).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('changes nothing while learning is off', () => {
    const pooler = newPooler(10, TINY);
    winnersOf(pooler, [0, 1, 2], true);
    const before = [0, 1, 2, 3].map((column) => printed(pooler, column));
    for (let t = 0; t < 100; t++) winnersOf(pooler, [t % 10, (t + 3) % 10], false);
    expect([0, 1, 2, 3].map((column) => printed(pooler, column))).toEqual(before);
  });

  it.each([
    ['another base', 0, 0, 1],
    ['a duty cycle above 1', 3, 1, 1.5],
    ['a duty cycle that is no number', 3, 1, NaN],
    ['a row of a column it does not have', 7, 0, 4],
    ['two rows of one column', 7, 1, 0],
  ])('refuses sections with %s', (_, section, index, value) => {
    const schema = SpatialPooler.schema(TINY);
    const saved = newArena(TINY);
    winnersOf(SpatialPooler.create(saved, 0, 10, TINY), [0, 1, 2], true);
    const arena = Arena.from(saved.bytes(), 1, schema);
    SpatialPooler.attach(arena, 0, 10, TINY);
    arena.part(0, (part) => {
      part.view(section)[index] = value;
    });
    const load = () => SpatialPooler.attach(Arena.from(arena.bytes(), 1, schema), 0, 10, TINY);
    expect(load).toThrow(ArenaFormatError);
  });

  it.each([
    ['above 1', 1.25],
    ['below 0', -0.25],
    ['that should have been trimmed', 0.0001],
  ])('refuses a saved permanence %s', (_, permanence) => {
    const schema = SpatialPooler.schema(TINY);
    const arena = newArena(TINY);
    const pooler = SpatialPooler.create(arena, 0, 10, TINY);
    winnersOf(pooler, [0, 1, 2], true);
    const base = PoolerBase.of(10, TINY);
    const packing = new PoolerPacking(base, new PermanenceSteps(base.constants));
    const saved = arena.bytes();
    const rows = unpackRows(
      savedSection(saved, ROWS_SECTION),
      pooler.learnedColumnCount,
      base.poolSize,
      packing,
    );
    const load = () => {
      const bytes = withSavedSection(saved, ROWS_SECTION, packRows(rows, base.poolSize, packing));
      return SpatialPooler.attach(Arena.from(bytes, 1, schema), 0, 10, TINY);
    };
    expect(load().learnedColumnCount).toBe(pooler.learnedColumnCount);
    rows.permanenceBits[3] = patternOf(permanence);
    expect(load).toThrow(ArenaFormatError);
  });
});

/** Of the packed rows. */
const ROWS_SECTION = 7;
