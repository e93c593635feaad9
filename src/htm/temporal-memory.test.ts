import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaFormatError } from './arena.ts';
import { TemporalMemory } from './temporal-memory.ts';
import { PlainMemoryOracle } from './testing/plain-memory-oracle.ts';
import { packSegments, unpackSegments } from './temporal/segment-packing.ts';
import type { PlainSegments } from './temporal/segment-packing.ts';
import { savedSection, withSavedSection } from './testing/saved-sections.ts';
import type { TemporalMemoryParameters } from './temporal-memory.ts';

const KIND = 7;

function created(p: TemporalMemoryParameters): { arena: Arena; memory: TemporalMemory } {
  const arena = Arena.create(KIND, TemporalMemory.schema(p));
  return { arena, memory: TemporalMemory.create(arena, 0, p) };
}

function loaded(bytes: Uint8Array, p: TemporalMemoryParameters): { arena: Arena; memory: TemporalMemory } {
  const arena = Arena.from(bytes, KIND, TemporalMemory.schema(p));
  return { arena, memory: TemporalMemory.attach(arena, 0, p) };
}

function cells(write: (out: Uint32Array) => number): number[] {
  const out = new Uint32Array(2048);
  return [...out.subarray(0, write(out))];
}

/** The columns of symbol number `number`, if each symbol has `width` columns. */
function symbol(number: number, width: number): Uint16Array {
  return Uint16Array.from({ length: width }, (_, i) => number * width + i);
}

/** The alternating sequence of model reference, section 12.8. */
const TINY: TemporalMemoryParameters = {
  columnCount: 8,
  cellsPerColumn: 3,
  activationThreshold: 3,
  minThreshold: 2,
  maxNewSynapseCount: 4,
  initialPermanence: 0.24,
  connectedPermanence: 0.5,
  permanenceIncrement: 0.04,
  permanenceDecrement: 0.008,
  predictedSegmentDecrement: 0.001,
  maxSegmentsPerCell: 4,
  maxSynapsesPerSegment: 8,
  seed: 42,
};

/** The trace of model reference, section 12.8b. */
const TRACED: TemporalMemoryParameters = {
  columnCount: 20,
  cellsPerColumn: 4,
  activationThreshold: 4,
  minThreshold: 3,
  maxNewSynapseCount: 6,
  initialPermanence: 0.41,
  connectedPermanence: 0.5,
  permanenceIncrement: 0.1,
  permanenceDecrement: 0.05,
  predictedSegmentDecrement: 0.02,
  maxSegmentsPerCell: 2,
  maxSynapsesPerSegment: 8,
  seed: 42,
};

/** Input, raw score, active cells, winners, predicted columns, active/matching segments, segments/synapses. */
const TRACE = `
A 1 20 | 0 7 8 14 17 | | 0/0 | 0/0
B 1 20 | 23 26 28 35 39 | | 0/0 | 5/25
C 1 20 | 40 44 51 52 56 | | 0/0 | 10/50
A 1 20 | 1 4 9 13 19 | | 0/5 | 15/75
B 1 20 | 23 26 28 35 39 | | 0/5 | 15/80
C 1 20 | 40 44 51 52 56 | | 0/5 | 15/80
A 1 20 | 1 4 9 13 19 | 5 6 7 8 9 | 5/5 | 15/80
B 0 5 | 23 26 28 35 39 | 10 11 12 13 14 | 5/5 | 15/80
C 0 5 | 40 44 51 52 56 | 0 1 2 3 4 | 5/5 | 15/80
A 0 5 | 1 4 9 13 19 | | 0/0 | 15/80
B 1 20 | 22 27 29 34 36 | 10 11 12 13 14 | 5/5 | 20/105
D 1 20 | 63 66 71 72 77 | | 0/0 | 25/130
A 1 20 | 3 7 10 15 17 | 5 6 7 8 9 | 5/10 | 30/155
B 0 5 | 23 26 28 35 39 | 10 11 12 13 14 | 5/5 | 30/155
C 0 5 | 40 44 51 52 56 | 0 1 2 3 4 | 5/5 | 30/155
A 0 5 | 1 4 9 13 19 | | 0/5 | 30/155
B 1 20 | 22 27 29 34 36 | 10 11 12 13 14 | 5/10 | 30/155
C 0 5 | 40 44 51 52 56 | 0 1 2 3 4 | 5/5 | 30/160
D 1 20 | 62 65 68 73 76 | | 0/5 | 35/185
B 1 20 | 20 25 31 32 38 | 10 11 12 13 14 | 5/10 | 40/210
C 1 20 | 41 46 48 55 59 | 0 1 2 3 4 | 5/10 | 40/210
A 0 5 | 1 4 9 13 19 | 5 6 7 8 9 | 5/5 | 40/215
B 0 5 | 22 27 29 34 36 | | 0/5 | 40/215
C 1 20 | 41 46 48 55 57 | 0 1 2 3 4 | 5/10 | 45/240`
  .trim()
  .split('\n');
const NOT_LEARNED = 15;
const RESET_BEFORE = 20;

function traced(memory: TemporalMemory, t: number): string {
  if (t === RESET_BEFORE) memory.reset();
  const input = TRACE[t].charAt(0);
  const raw = memory.compute(symbol('ABCD'.indexOf(input), 5), 5, t !== NOT_LEARNED) / 5;
  const active = cells((out) => memory.activeCells(out)).length;
  const winners = cells((out) => memory.winnerCells(out)).join(' ');
  const predicted = memory.predictedColumns().join(' ');
  const relevant = `${memory.activeSegmentCount}/${memory.matchingSegmentCount}`;
  const size = `${memory.segmentCount}/${memory.synapseCount}`;
  return `${input} ${raw} ${active} | ${winners} | ${predicted} | ${relevant} | ${size}`.replace(
    '|  |',
    '| |',
  );
}

describe('TemporalMemory against the compiled original', () => {
  it('alternates as it does (reference 12.8)', () => {
    const { memory } = created(TINY);
    const winners = ['1 5 7 11', '12 17 18 22', '0 4 6 9'];
    const sizes = ['0/0', '4/16', '8/32'];
    for (let t = 0; t <= 11; t++) {
      expect(memory.compute(symbol(t % 2, 4), 4, true)).toBe(4);
      const expected = winners[t < 2 ? t : 2 - (t % 2)];
      expect(cells((out) => memory.winnerCells(out)).join(' ')).toBe(expected);
      expect(`${memory.segmentCount}/${memory.synapseCount}`).toBe(sizes[Math.min(t, 2)]);
      expect(memory.predictedColumns()).toEqual([]);
    }
  });

  it('predicts, is punished, skips learning and is reset as it is (reference 12.8b)', () => {
    const { memory } = created(TRACED);
    TRACE.forEach((line, t) => expect(traced(memory, t)).toBe(line));
  });

  it('draws the least used cell also without learning (reference 5.2 and 12.1)', () => {
    const { memory } = created(TINY);
    // The first six raw outputs of seed 42, modulo the 3 cells of a column: 1 2 1 2 0 0.
    memory.compute(symbol(0, 4), 4, false);
    expect(cells((out) => memory.winnerCells(out))).toEqual([1, 5, 7, 11]);
    memory.compute(Uint16Array.of(4, 5), 2, false);
    expect(cells((out) => memory.winnerCells(out))).toEqual([12, 15]);
    expect(memory.segmentCount).toBe(0);
  });
});

/** One cell per column, so that cells are columns; every synapse matches and none predicts unless a test says so. */
const SINGLE: TemporalMemoryParameters = {
  columnCount: 8,
  cellsPerColumn: 1,
  activationThreshold: 9,
  minThreshold: 1,
  maxNewSynapseCount: 4,
  initialPermanence: 0.3,
  connectedPermanence: 0.5,
  permanenceIncrement: 0.1,
  permanenceDecrement: 0.05,
  predictedSegmentDecrement: 0,
  maxSegmentsPerCell: 2,
  maxSynapsesPerSegment: 3,
  seed: 42,
};

function run(memory: TemporalMemory, ...inputs: number[][]): void {
  for (const input of inputs) memory.compute(Uint16Array.from(input), input.length, true);
}

/** Sources of each segment of `cell`, oldest segment first. */
function sourcesOf(memory: TemporalMemory, cell: number): number[][] {
  return [...memory.segments()]
    .filter((segment) => segment.owner === cell)
    .map((segment) => [...segment.sources]);
}

describe('a full cell', () => {
  it('gives up the segment that was created first if none has been active', () => {
    const { memory } = created(SINGLE);
    run(memory, [1], [0], [2], [0], [3], [0]);
    expect(sourcesOf(memory, 0)).toEqual([[2], [3]]);
  });

  it('keeps the segment that was active since', () => {
    const { memory } = created({ ...SINGLE, activationThreshold: 1, initialPermanence: 0.6 });
    run(memory, [1], [0], [2], [0], [1], [3], [0]);
    expect(sourcesOf(memory, 0)).toEqual([[1], [3]]);
  });

  it('gives up the older of two that were active in the same record', () => {
    const { memory } = created({ ...SINGLE, activationThreshold: 1, initialPermanence: 0.6 });
    run(memory, [1], [0], [2], [0], [1, 2], [3], [0]);
    expect(sourcesOf(memory, 0)).toEqual([[2], [3]]);
  });
});

describe('a segment that outgrows its synapses', () => {
  const grown = () => {
    const { memory } = created(SINGLE);
    run(memory, [1, 2, 3], [0]);
    const [sources] = sourcesOf(memory, 0);
    expect(sources.toSorted()).toEqual([1, 2, 3]);
    return { memory, sources };
  };

  it('gives up those that were not active, one for each it lacks room for', () => {
    const { memory } = grown();
    run(memory, [1, 4, 5], [0]);
    const [segment, ...others] = [...memory.segments()].filter(({ owner }) => owner === 0);
    expect(others).toEqual([]);
    expect(segment.sources[0]).toBe(1);
    expect(segment.sources.toSorted()).toEqual([1, 4, 5]);
    expect(segment.permanences.map((permanence) => permanence.toFixed(6))).toEqual([
      '0.400000',
      '0.300000',
      '0.300000',
    ]);
  });

  it('gives up the one created first among equals', () => {
    const { memory, sources } = grown();
    run(memory, [1, 4], [0]);
    const [first, second] = sources.filter((source) => source !== 1);
    const [after] = sourcesOf(memory, 0);
    expect(after).toHaveLength(3);
    expect(after).toContain(second);
    expect(after).not.toContain(first);
    expect(after[2]).toBe(4);
  });

  it('gives up none that was a winner of the previous record, and then cannot grow', () => {
    const { memory, sources } = grown();
    run(memory, [1, 2, 3, 4], [0]);
    expect(sourcesOf(memory, 0)).toEqual([sources]);
  });
});

/** Random constants, small enough that cells, segments and limits are hit often. */
const parameters = fc.record({
  columnCount: fc.integer({ min: 2, max: 12 }),
  cellsPerColumn: fc.constantFrom(1, 2, 3, 4, 5, 8, 17, 31, 32),
  activationThreshold: fc.integer({ min: 1, max: 5 }),
  minThreshold: fc.integer({ min: 1, max: 5 }),
  maxNewSynapseCount: fc.integer({ min: 0, max: 24 }),
  initialPermanence: fc.constantFrom(1e-6, 0.21, 0.3, 0.45, 0.5, 1),
  connectedPermanence: fc.constantFrom(0, 0.3, 0.5, 0.50001, 1),
  permanenceIncrement: fc.constantFrom(0, 0.04, 0.1, 0.3),
  permanenceDecrement: fc.constantFrom(0, 0.008, 0.05, 0.1, 1),
  predictedSegmentDecrement: fc.constantFrom(0, 0.001, 0.03, 0.2),
  maxSegmentsPerCell: fc.integer({ min: 1, max: 4 }),
  maxSynapsesPerSegment: fc.integer({ min: 1, max: 40 }),
  seed: fc.integer({ min: 1, max: 2 ** 40 }),
});

const ceilings = fc.record({
  maxSegments: fc.integer({ min: 1, max: 40 }),
  maxSynapses: fc.integer({ min: 1, max: 300 }),
});

/** Records: mostly a cycle of a few symbols, so that sequences are learned, broken and relearned. */
const records = fc.record({
  noise: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  symbols: fc.integer({ min: 2, max: 5 }),
  count: fc.integer({ min: 1, max: 150 }),
});

describe('TemporalMemory against the plainly written oracle', () => {
  it.each([
    ['without a ceiling', parameters],
    [
      'with a ceiling, and is never above it',
      fc.tuple(parameters, ceilings).map(([p, ceiling]) => ({ ...p, ceiling })),
    ],
  ])(
    'does the same on any input, also when saved and loaded on the way, %s',
    { timeout: 120_000 },
    (_, any) => {
      let evictions = 0;
      fc.assert(
        fc.property(any, records, (p: TemporalMemoryParameters, { noise, symbols, count }) => {
          let state = noise;
          const draw = (bound: number) => {
            state = (state * 48271) % 2147483647;
            return state % bound;
          };
          const someColumns = () =>
            Array.from({ length: p.columnCount }, (_, c) => c).filter(() => draw(3) === 0);
          const cycle = Array.from({ length: symbols }, someColumns);
          const oracle = new PlainMemoryOracle(p);
          const uninterrupted = created(p);
          let { arena, memory } = created(p);
          for (let t = 0; t < count; t++) {
            const input = draw(8) === 0 ? someColumns() : cycle[t % symbols];
            const learn = draw(10) !== 0;
            if (draw(25) === 0) {
              memory.reset();
              uninterrupted.memory.reset();
              oracle.reset();
            }
            const raw = memory.compute(Uint16Array.from(input), input.length, learn);
            uninterrupted.memory.compute(Uint16Array.from(input), input.length, learn);
            expect(raw).toBe(oracle.compute(input, learn));
            expect(cells((out) => memory.activeCells(out))).toEqual(oracle.activeCells);
            expect(cells((out) => memory.winnerCells(out))).toEqual(oracle.winnerCells);
            expect(memory.predictedColumns()).toEqual(oracle.predictedColumns);
            expect(memory.activeSegmentCount).toBe(oracle.activeSegments.length);
            expect(memory.matchingSegmentCount).toBe(oracle.matchingSegments.length);
            expect(memory.segmentCount).toBe(oracle.segments.length);
            expect(memory.segmentCount).toBeLessThanOrEqual(p.ceiling?.maxSegments ?? Infinity);
            expect(memory.synapseCount).toBeLessThanOrEqual(p.ceiling?.maxSynapses ?? Infinity);
            if (draw(20) === 0) ({ arena, memory } = loaded(arena.bytes(), p));
          }
          const expected = oracle.segments.map(({ owner, lastUsed, synapses }) => ({
            owner,
            lastUsed,
            sources: synapses.map(({ source }) => source),
            permanences: synapses.map(({ permanence }) => permanence),
          }));
          expect([...memory.segments()]).toEqual(expected);
          expect(arena.bytes()).toEqual(uninterrupted.arena.bytes());
          evictions += oracle.evictions;
        }),
        { numRuns: 150 },
      );
      // The runs with a ceiling were to meet it, and the others had none.
      if (any === parameters) expect(evictions).toBe(0);
      else expect(evictions).toBeGreaterThan(500);
    },
  );
});

/** Two hundred records of noise over few columns: several granules per segment, gaps and free numbers. */
const WORN: TemporalMemoryParameters = {
  ...TRACED,
  maxNewSynapseCount: 12,
  maxSynapsesPerSegment: 40,
  permanenceDecrement: 0.1,
  predictedSegmentDecrement: 0.1,
};

function wear(memory: TemporalMemory, count: number): void {
  let state = 99;
  for (let t = 0; t < count; t++) {
    const input: number[] = [];
    for (let column = 0; column < WORN.columnCount; column++) {
      state = (state * 48271) % 2147483647;
      if (state % 2 === 0) input.push(column);
    }
    memory.compute(Uint16Array.from(input), input.length, true);
  }
}

function worn(): Uint8Array {
  const { arena, memory } = created(WORN);
  wear(memory, 200);
  expect(memory.segmentCount).toBeGreaterThan(20);
  return arena.bytes();
}

/** A section by its number in the schema; whatever its element type, it is indexed and filled alike. */
type Sections = (index: number) => Uint32Array;

/** The sections of saved bytes in schema order, changed by `change`, as bytes again. */
function changed(bytes: Uint8Array, change: (view: Sections) => void): Uint8Array {
  const arena = Arena.from(bytes, KIND, TemporalMemory.schema(WORN));
  arena.part(0, (part) => change((index) => part.view(index)));
  return withSavedSection(arena.bytes(), SEGMENTS, savedSection(bytes, SEGMENTS));
}

/** The bytes with other segments. */
function withSegments(
  bytes: Uint8Array,
  change: (segments: PlainSegments) => Partial<PlainSegments>,
): Uint8Array {
  const segments = unpackSegments(savedSection(bytes, SEGMENTS));
  return withSavedSection(bytes, SEGMENTS, packSegments({ ...segments, ...change(segments) }));
}

const RANDOM = 0;
const ITERATION = 1;
const ACTIVE = 2;
const WINNERS = 3;
const SEGMENTS = 4;

describe('a damaged memory', () => {
  const bytes = worn();

  it.each<[what: string, damage: (view: Sections) => void]>([
    ['a generator word that is none', (view) => (view(RANDOM)[4] = 2 ** 32 - 1)],
    ['a generator index behind its words', (view) => (view(RANDOM)[31] = 31)],
    ['fewer records than the segments have seen', (view) => (view(ITERATION)[0] = 1)],
    ['an active cell in no column', (view) => (view(ACTIVE)[2] = 2 ** 20)],
    ['a winner that is not active', (view) => (view(ACTIVE)[0] = 0)],
    ['active cells without a winner', (view) => view(WINNERS).fill(0)],
  ])('is refused: %s', (_, damage) => {
    expect(changed(bytes, () => undefined)).toEqual(bytes);
    expect(() => loaded(changed(bytes, damage), WORN)).toThrow(ArenaFormatError);
  });

  it.each<[what: string, message: RegExp, (segments: PlainSegments) => Partial<PlainSegments>]>([
    ['an owner that is no cell', /owner 80/, ({ owners }) => ({ owners: owners.fill(80, -1) })],
    ['owners out of order', /order of/, ({ owners }) => ({ owners: owners.fill(79, 0, 1) })],
    [
      'a cell with too many segments',
      /segments of cell 0/,
      ({ owners }) => ({ owners: owners.fill(0, 0, 3) }),
    ],
    ['an empty segment', /size 0/, ({ sizes }) => ({ sizes: sizes.with(0, 0).with(1, sizes[0] + sizes[1]) })],
    ['a size too large', /synapses, not/, ({ sizes }) => ({ sizes: sizes.with(0, sizes[0] + 1) })],
    ['fewer owners than sizes', /packed bytes/, ({ owners }) => ({ owners: owners.slice(1) })],
    [
      'a segment used in the future',
      /after the last/,
      ({ lastUsed }) => ({ lastUsed: lastUsed.with(0, 200) }),
    ],
    ['a source that is no cell', /sources of/, ({ sources }) => ({ sources: sources.with(0, 80) })],
    ['a source twice', /sources of/, ({ sources }) => ({ sources: sources.with(0, sources[1]) })],
    [
      'a permanence that is none',
      /permanence/,
      ({ permanences }) => ({ permanences: permanences.with(0, NaN) }),
    ],
    ['a permanence above 1', /permanence/, ({ permanences }) => ({ permanences: permanences.with(0, 1.5) })],
    ['a permanence below 0', /permanence/, ({ permanences }) => ({ permanences: permanences.with(0, -0.5) })],
  ])('is refused: %s', (_, message, change) => {
    expect(withSegments(bytes, () => ({}))).toEqual(bytes);
    const damaged = withSegments(bytes, change);
    expect(() => loaded(damaged, WORN)).toThrow(ArenaFormatError);
    expect(() => loaded(damaged, WORN)).toThrow(message);
  });

  it('is refused or still works, whatever bits are wrong', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (damage) => {
          const damaged = bytes.slice();
          for (const [offset, value] of damage) damaged[offset] = value;
          let memory;
          try {
            memory = loaded(damaged, WORN).memory;
          } catch (error) {
            expect(error).toBeInstanceOf(ArenaFormatError);
            return;
          }
          wear(memory, 20);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('parameters', () => {
  it.each<[keyof TemporalMemoryParameters, number]>([
    ['cellsPerColumn', 0],
    ['cellsPerColumn', 33],
    ['columnCount', 0],
    ['columnCount', 16_385],
    ['columnCount', 1.5],
    ['activationThreshold', 0],
    ['minThreshold', 0],
    ['maxNewSynapseCount', -1],
    ['maxSegmentsPerCell', 0],
    ['maxSynapsesPerSegment', 32_768],
    ['initialPermanence', 0],
    // A synapse below that is destroyed when it is first adapted.
    ['initialPermanence', 9.99e-7],
    ['connectedPermanence', 1.1],
    ['permanenceIncrement', NaN],
    ['permanenceDecrement', -0.1],
    ['predictedSegmentDecrement', 2],
  ])('%s %d is refused by name', (name, value) => {
    expect(() => TemporalMemory.schema({ ...TRACED, [name]: value })).toThrow(new RegExp(`^${name} must be`));
  });

  it('may ask for 65,536 cells', () => {
    for (const [columnCount, cellsPerColumn] of [
      [65_536, 1],
      [2048, 32],
      [2048, 17],
    ] as const) {
      const { memory } = created({ ...TRACED, columnCount, cellsPerColumn });
      const last = Uint16Array.of(columnCount - 2, columnCount - 1);
      for (let t = 0; t < 4; t++) expect(memory.compute(last, 2, true)).toBe(2);
      expect(cells((out) => memory.activeCells(out)).at(-1)).toBe(columnCount * cellsPerColumn - 1);
      expect(memory.segmentCount).toBeGreaterThan(0);
    }
  });

  it('bound the columns of a record', () => {
    const { memory } = created(TRACED);
    expect(() => memory.compute(Uint16Array.of(3, 20), 2, true)).toThrow('column 20 is not below 20');
  });
});
