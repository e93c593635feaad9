import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaFormatError } from './arena.ts';
import { BacktrackingMemory } from './backtracking-memory.ts';
import { packSegments, unpackSegments } from './backtracking/segment-packing.ts';
import type { PlainSegments } from './backtracking/segment-packing.ts';
import type { BacktrackingMemoryParameters } from './backtracking-memory.ts';
import type { Ceiling } from './ceiling.ts';
import { Random } from './random.ts';
import { savedSection, withSavedSection } from './testing/saved-sections.ts';
import { LiteralBacktrackingMemory } from './testing/literal-backtracking-memory.ts';
import { tableBytes } from './tables.ts';

const KIND = 5;

function created(p: BacktrackingMemoryParameters): { arena: Arena; memory: BacktrackingMemory } {
  const arena = Arena.create(KIND, BacktrackingMemory.schema(p));
  return { arena, memory: BacktrackingMemory.create(arena, 0, p) };
}

function loaded(
  bytes: Uint8Array,
  p: BacktrackingMemoryParameters,
): { arena: Arena; memory: BacktrackingMemory } {
  const arena = Arena.from(bytes, KIND, BacktrackingMemory.schema(p));
  return { arena, memory: BacktrackingMemory.attach(arena, 0, p) };
}

/** Model reference, 12.7. */
const TINY: BacktrackingMemoryParameters = {
  columnCount: 8,
  cellsPerColumn: 3,
  activationThreshold: 3,
  minThreshold: 2,
  newSynapseCount: 4,
  initialPerm: 0.21,
  connectedPerm: 0.5,
  permanenceInc: 0.1,
  permanenceDec: 0.1,
  permanenceMax: 1,
  maxSegmentsPerCell: 4,
  maxSynapsesPerSegment: 8,
  pamLength: 3,
  maxSeqLength: 32,
  maxInfBacktrack: 10,
  maxLrnBacktrack: 5,
  seed: 42,
};

/** Model reference, 12.7b. */
const TRACED: BacktrackingMemoryParameters = {
  columnCount: 40,
  cellsPerColumn: 6,
  activationThreshold: 4,
  minThreshold: 3,
  newSynapseCount: 6,
  initialPerm: 0.21,
  connectedPerm: 0.5,
  permanenceInc: 0.2,
  permanenceDec: 0.2,
  permanenceMax: 1,
  maxSegmentsPerCell: 3,
  maxSynapsesPerSegment: 8,
  pamLength: 2,
  maxSeqLength: 12,
  maxInfBacktrack: 6,
  maxLrnBacktrack: 4,
  seed: 42,
};

/** The fast memory or its literal judge, behind what the traces speak of. */
interface Traced {
  compute(columns: number[], learn?: boolean, infer?: boolean): number;
  reset(): void;
  state(): {
    infA: readonly number[];
    infP: readonly number[];
    confident: readonly number[];
    lrnA: readonly number[];
    lrnP: readonly number[];
    pam: number;
    length: number;
    infHist: number;
    lrnHist: number;
    iterations: number;
    density: number;
  };
  segments(): ReturnType<BacktrackingMemory['segments']>;
}

function fast(memory: BacktrackingMemory): Traced {
  return {
    compute: (columns, learn = true, infer = true) =>
      memory.compute(Uint16Array.from(columns), columns.length, learn, infer),
    reset: () => memory.reset(),
    segments: () => memory.segments(),
    state: () => {
      const s = memory.inspect();
      return {
        infA: s.inferenceActive,
        infP: s.inferencePredicted,
        confident: s.confidentColumns,
        lrnA: s.learningActive,
        lrnP: s.learningPredicted,
        pam: s.pamCounter,
        length: s.learnedSeqLength,
        infHist: s.inferenceHistoryLength,
        lrnHist: s.learningHistoryLength,
        iterations: s.learningIterations,
        density: s.averageInputDensity,
      };
    },
  };
}

function literal(p: BacktrackingMemoryParameters): Traced {
  const memory = new LiteralBacktrackingMemory(p);
  return {
    compute: (columns, learn = true, infer = true) => memory.compute(columns, learn, infer),
    reset: () => memory.reset(),
    segments: () => memory.segments(),
    state: () => ({
      infA: memory.infA,
      infP: memory.infP,
      confident: memory.colConf.flatMap((confidence, column) => (confidence === 0 ? [] : [column])),
      lrnA: memory.lrnA,
      lrnP: memory.lrnP,
      pam: memory.pamCounter,
      length: memory.learnedSeqLength,
      infHist: memory.infHist.length,
      lrnHist: memory.lrnHist.length,
      iterations: memory.lrnIter,
      density: memory.density,
    }),
  };
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

const MEMORIES: [string, (p: BacktrackingMemoryParameters) => Traced][] = [
  ['the memory', (p) => fast(created(p).memory)],
  ['its literal judge', literal],
];

describe.each(MEMORIES)('%s on the tiny alternating sequence of 12.7', (_, make) => {
  const A = range(0, 4);
  const B = range(4, 4);
  const allA = range(0, 12);
  const allB = range(12, 12);
  const one = [1, 4, 7, 10];
  const other = [14, 17, 19, 23];
  const none: number[] = [];
  // infA, infP, confident, lrnA, lrnP, segments, synapses, unpredicted, pam, length
  const trace: [number[], number[], number[], number[], number[], number, number, number, number, number][] =
    [
      [allA, none, none, [1, 5, 7, 10], none, 0, 0, 4, 2, 1],
      [allB, none, none, [14, 17, 19, 23], none, 4, 16, 4, 1, 2],
      [allA, none, B, [0, 3, 6, 9], none, 8, 32, 4, 3, 0],
      [allB, none, A, [13, 17, 20, 23], none, 12, 48, 0, 2, 1],
      [allA, none, B, one, other, 12, 56, 0, 1, 2],
      [allB, none, A, other, one, 12, 60, 0, 3, 3],
      [allA, none, B, one, other, 12, 60, 0, 3, 4],
      [allB, none, A, other, one, 12, 60, 0, 3, 5],
      [allA, none, B, one, other, 12, 60, 0, 3, 6],
      [allB, none, A, other, one, 12, 56, 0, 3, 7],
      [allA, other, B, one, other, 12, 48, 0, 3, 8],
      [other, none, A, other, one, 12, 48, 0, 3, 9],
      [allA, other, B, one, other, 12, 48, 0, 3, 10],
      [other, one, A, other, one, 12, 48, 0, 3, 11],
    ];

  it('takes the states of the original', () => {
    const memory = make(TINY);
    trace.forEach(([infA, infP, confident, lrnA, lrnP, segments, synapses, unpredicted, pam, length], t) => {
      const got = memory.compute(t % 2 === 0 ? A : B);
      const list = memory.segments();
      expect({ t, got, ...memory.state() }).toMatchObject({
        t,
        got: unpredicted,
        infA,
        infP,
        confident,
        lrnA,
        lrnP,
        pam,
        length,
      });
      expect([list.length, list.reduce((sum, segment) => sum + segment.sources.length, 0)]).toEqual([
        segments,
        synapses,
      ]);
    });
  });
});

describe.each(MEMORIES)('%s on the backtracking trace of 12.7b', (_, make) => {
  // in, raw, infA, infP, conf, lrnP, pam, len, infHist, lrnHist, segments, synapses
  const trace = `
    A 1 30 0 - 0 1 1 0 1 0 0|B 1 30 0 - 0 2 0 0 0 5 25|C 1 30 0 - 0 1 1 0 1 10 50|D 1 30 0 - 0 2 0 0 0 15 75
    E 1 30 0 - 0 1 1 0 1 20 100|A 1 30 0 B 0 2 0 0 0 25 125|B 0 30 0 C 0 1 1 0 1 30 150|C 0 30 0 D 5 2 1 0 1 35 175
    D 0 30 0 E 0 2 2 0 2 35 175|E 0 30 0 A 0 1 3 0 3 40 200|A 0 30 0 B 0 2 2 0 2 45 225|B 0 30 0 C 0 1 3 0 3 50 250
    C 0 30 0 D 0 2 2 0 2 55 275|D 0 30 0 E 0 1 3 0 3 60 300|E 0 30 0 A 5 2 3 0 3 60 310|A 0 30 0 B 0 2 4 0 4 60 310
    B 0 5 5 C 0 1 5 0 5 65 335|C 0 5 5 D 0 2 4 1 4 70 360|D 0 5 5 E 0 1 5 0 5 75 385|E 0 5 5 A 5 2 4 1 4 80 410
    A 0 5 5 B 5 2 5 0 5 80 410|B 0 5 5 C 5 2 6 1 5 80 410|F 1 30 0 - 0 1 7 0 5 85 435|D 1 5 5 E 5 2 0 0 0 90 460
    E 0 5 5 A 5 2 1 1 1 90 460|A 0 5 5 B 5 2 2 0 2 90 460|B 0 5 5 C 5 2 3 1 3 90 460|C 0 5 5 D 5 2 4 1 4 90 460
    D 0 5 5 E 5 2 5 0 5 90 460|E 0 5 5 A 0 2 6 1 5 90 460|G 1 30 0 - 0 1 7 0 5 95 485|H 1 30 0 - 0 2 0 0 0 100 510
    C 1 30 5 D 0 1 1 0 1 105 535|D 0 5 5 E 5 2 0 0 0 110 560|E 0 5 5 A 5 2 1 1 1 110 560|A 0 5 5 B 5 2 2 2 2 110 560
    B 0 5 5 C 5 2 3 3 3 110 560|C 0 5 5 D 5 2 4 1 4 110 560|D 0 5 5 E 5 2 5 0 5 110 560|E 0 5 5 A 5 2 6 1 5 110 560
    A 0 5 5 B 0 1 7 2 5 115 585|B 0 5 5 C 5 2 3 3 3 120 610|C 0 5 5 D 5 2 4 4 4 120 610|D 0 5 5 E 5 2 5 5 5 120 610
    E 0 5 5 A 10 2 6 1 5 120 610|G 1 5 0 - 0 2 0 0 0 120 610|A 1 5 5 B 0 1 1 0 1 125 635|B 0 5 5 C 5 2 1 1 1 130 660
    C 0 5 5 D 5 2 2 1 2 130 660|D 0 5 5 E 5 2 3 0 3 130 660|E 0 5 5 A 5 2 4 1 4 130 650`;

  it('takes the states of the original', () => {
    const memory = make(TRACED);
    const rows = trace.trim().split(/\s*[|\n]\s*/);
    expect(rows).toHaveLength(51);
    rows.forEach((row, t) => {
      if (t === 45) memory.reset();
      const columnsOf = (symbol: string) => range((symbol.charCodeAt(0) - 65) * 5, 5);
      const unpredicted = memory.compute(columnsOf(row.slice(0, 1)));
      const s = memory.state();
      const confident = s.confident.length === 0 ? '-' : String.fromCharCode(65 + s.confident[0] / 5);
      if (confident !== '-') expect(s.confident).toEqual(columnsOf(confident));
      const list = memory.segments();
      const synapses = list.reduce((sum, segment) => sum + segment.sources.length, 0);
      const got = [row.slice(0, 1), unpredicted / 5, s.infA.length, s.infP.length, confident, s.lrnP.length];
      got.push(s.pam, s.length, s.infHist, s.lrnHist, list.length, synapses);
      expect(`${t}: ${got.join(' ')}`).toBe(`${t}: ${row}`);
    });
  });
});

/** What happens to a memory in a generated stream. */
interface Step {
  readonly columns: number[];
  readonly learn: boolean;
  readonly infer: boolean;
  readonly reset: boolean;
}

/**
 * A stream of symbols that repeat in phrases, with noise, pauses of learning or inference, resets, and empty and odd
 * records: such that sequences are learned, forgotten and backtracked to. Symbols come in pairs that share half of
 * their columns. A steady stream has records of one even width only, so that a half is reached exactly.
 */
function stream(p: BacktrackingMemoryParameters, seed: number, length: number, steady = false): Step[] {
  const random = Random.seeded(seed);
  const width = steady ? 4 : 4 + random.below(3);
  const symbols = Array.from({ length: 3 }, () => {
    const columns = range(0, p.columnCount);
    random.shuffle(columns);
    return [columns.slice(0, width), columns.slice(width >> 1, (width >> 1) + width)];
  })
    .flat()
    .map((columns) => columns.sort((a, b) => a - b));
  const phrase = Array.from({ length: 5 + random.below(9) }, () => random.below(symbols.length));
  return Array.from({ length }, (_, t) => {
    const noise = random.below(12);
    const columns = symbols[noise === 0 ? random.below(symbols.length) : phrase[t % phrase.length]].filter(
      () => steady || noise !== 1 || random.below(4) > 0,
    );
    const pause = random.below(30);
    return {
      columns: !steady && random.below(60) === 0 ? [] : columns,
      learn: pause !== 0,
      infer: pause !== 1,
      reset: random.below(40) === 0,
    };
  });
}

function step(memory: Traced, s: Step): number {
  if (s.reset) memory.reset();
  return memory.compute(s.columns, s.learn, s.infer);
}

/** Parameter sets that reach what anomaly models never do: full cells, full segments, binary32 permanences. */
const CORNERS: [string, Partial<BacktrackingMemoryParameters>][] = [
  ['as traced', {}],
  ['few slots, so that columns fill up', { maxSegmentsPerCell: 1, cellsPerColumn: 3 }],
  ['few synapses, so that segments fill up', { maxSynapsesPerSegment: 6, newSynapseCount: 5 }],
  ['a set of permanences too large for bytes', { permanenceInc: 0.0371, permanenceDec: 0.0137 }],
  ['new synapses connected at once', { initialPerm: 0.5, permanenceMax: 0.8, permanenceInc: 0.25 }],
  ['no backtracking', { maxInfBacktrack: 0, maxLrnBacktrack: 0 }],
  ['no limit of sequences', { maxSeqLength: 0, pamLength: 1 }],
  ['matching harder than predicting', { minThreshold: 5, activationThreshold: 3 }],
  ['whole words of cells', { cellsPerColumn: 32 }],
  ['33 columns', { columnCount: 33 }],
  ['a ceiling of segments', { ceiling: { maxSegments: 50, maxSynapses: 10_000 } }],
  ['a ceiling of synapses', { ceiling: { maxSegments: 10_000, maxSynapses: 180 } }],
  ['a ceiling below what a record makes', { ceiling: { maxSegments: 3, maxSynapses: 12 } }],
  [
    'a ceiling and few slots, some of them emptied',
    { maxSegmentsPerCell: 1, cellsPerColumn: 3, ceiling: { maxSegments: 40, maxSynapses: 10_000 } },
  ],
];

describe.each(CORNERS)('a memory with %s', (_, corner) => {
  const p = { ...TRACED, columnCount: 24, ...corner };

  it.each([1, 2, 3])('equals its literal judge at every step (stream %i)', (seed) => {
    const memory = fast(created(p).memory);
    const judge = literal(p);
    stream(p, seed, 340, seed === 3).forEach((s, t) => {
      expect(step(memory, s)).toBe(step(judge, s));
      expect(memory.state()).toEqual(judge.state());
      if (p.ceiling) requireBelow(p.ceiling, memory);
      if (t % 20 === 0) expect(memory.segments()).toEqual(judge.segments());
    });
    expect(memory.segments()).toEqual(judge.segments());
  });

  it('goes on unchanged when saved and loaded at any record', () => {
    const { memory } = created(p);
    let restored = created(p);
    stream(p, 4, 200).forEach((s, t) => {
      if (t % 7 === 0) restored = loaded(restored.arena.bytes(), p);
      expect(step(fast(restored.memory), s)).toBe(step(fast(memory), s));
      expect(restored.memory.inspect()).toEqual(memory.inspect());
    });
    expect(restored.memory.segments()).toEqual(memory.segments());
    expect([restored.memory.segmentCount, restored.memory.synapseCount]).toEqual([
      memory.segmentCount,
      memory.synapseCount,
    ]);
  });
});

function requireBelow({ maxSegments, maxSynapses }: Ceiling, memory: Traced): void {
  const segments = memory.segments();
  expect(segments.length).toBeLessThanOrEqual(maxSegments);
  expect(segments.reduce((sum, { sources }) => sum + sources.length, 0)).toBeLessThanOrEqual(maxSynapses);
}

describe('a ceiling', () => {
  const p = { ...TRACED, columnCount: 24 };

  it('changes nothing as long as it is not reached', () => {
    const without = created(p);
    const ceiling = { maxSegments: 10_000, maxSynapses: 100_000 };
    const withOne = created({ ...p, ceiling });
    for (const s of stream(p, 1, 300))
      expect(step(fast(withOne.memory), s)).toBe(step(fast(without.memory), s));
    expect(withOne.arena.bytes()).toEqual(without.arena.bytes());
    expect(without.memory.segmentCount).toBeGreaterThan(60);
  });

  it('keeps what is used and bounds the bytes, however long noise lasts', () => {
    const ceiling = { maxSegments: 400, maxSynapses: 10_000 };
    const { arena, memory } = created({ ...p, maxSegmentsPerCell: 128, ceiling });
    const random = Random.seeded(12);
    const noise = () => fast(memory).compute(range(0, p.columnCount).filter(() => random.below(4) === 0));
    for (let t = 0; t < 500; t++) noise();
    const bytes = arena.byteLength;
    const derivedBytes = tableBytes(memory.tables());
    for (let t = 0; t < 1500; t++) noise();
    expect(arena.byteLength).toBe(bytes);
    // The index is packed anew now and then, with some room.
    expect(tableBytes(memory.tables())).toBeLessThan(1.2 * derivedBytes);
    // What is seen after so much noise is still learned, and noise then does not push it out at once.
    const phrase = [range(0, 6), range(6, 6), range(12, 6), range(18, 6)];
    for (let t = 0; t < 200; t++) fast(memory).compute(phrase[t % 4]);
    for (let t = 0; t < 10; t++) noise();
    for (let t = 0; t < 4; t++) fast(memory).compute(phrase[t]);
    expect(range(0, 4).map((t) => fast(memory).compute(phrase[t]))).toEqual([0, 0, 0, 0]);
  });
});

describe('BacktrackingMemory', () => {
  /** Model reference, 12.11. */
  it('keeps the invariants of the original', () => {
    const p = { ...TRACED, maxSynapsesPerSegment: 7 };
    const { memory } = created(p);
    for (const s of stream(p, 5, 600)) {
      const before = { segments: memory.segments(), iterations: memory.inspect().learningIterations };
      const unpredicted = step(fast(memory), s);
      const state = memory.inspect();
      const columnOf = (cell: number) => Math.floor(cell / p.cellsPerColumn);
      for (const cells of [state.learningActive, state.learningPredicted])
        expect(new Set(cells.map(columnOf)).size).toBe(cells.length);
      expect(state.inferenceHistoryLength).toBeLessThanOrEqual(p.maxInfBacktrack + 1);
      expect(state.learningHistoryLength).toBeLessThanOrEqual(p.maxLrnBacktrack + 1);
      const segments = memory.segments();
      const wrong = segments.filter(
        ({ cell, sources }) =>
          cell % p.cellsPerColumn === 0 ||
          sources.length > p.maxSynapsesPerSegment ||
          sources.some((source, i) => i > 0 && source <= sources[i - 1]),
      );
      expect(wrong).toEqual([]);
      if (!s.learn) {
        expect(synapsesOf(segments)).toBe(synapsesOf(before.segments));
        expect(state.learningIterations).toBe(before.iterations);
      }
      if (s.reset) {
        expect(unpredicted).toBe(s.columns.length);
        expect(segments.length).toBe(before.segments.length);
        if (s.learn)
          expect(state.learningActive).toEqual(s.columns.map((column) => column * p.cellsPerColumn));
      }
    }
  });

  it('counts on all segments when there are more than 65,536', () => {
    const p = {
      ...TRACED,
      columnCount: 2048,
      cellsPerColumn: 32,
      activationThreshold: 2,
      minThreshold: 2,
      newSynapseCount: 2,
      maxSynapsesPerSegment: 3,
      maxSegmentsPerCell: 8,
    };
    const original = created(p);
    const random = Random.seeded(11);
    while (original.memory.segmentCount < 70_000)
      fast(original.memory).compute(
        range(0, p.columnCount).filter(() => random.below(6) === 0),
        true,
        false,
      );
    const restored = loaded(original.arena.bytes(), p);
    const columns = range(0, p.columnCount).filter(() => random.below(6) === 0);
    for (const memory of [original.memory, restored.memory]) {
      fast(memory).compute(columns, false, true);
      const active = new Set(memory.inspect().inferenceActive);
      const columnsOfHits = memory
        .segments()
        .filter(({ sources }) => sources.filter((source) => active.has(source)).length >= 2)
        .map(({ cell }) => Math.floor(cell / p.cellsPerColumn));
      expect(memory.inspect().confidentColumns).toEqual([...new Set(columnsOfHits)]);
      expect(columnsOfHits.length).toBeGreaterThan(1000);
    }
  });

  it('starts over before a sequence reaches maxSeqLength', () => {
    const { memory } = created(TINY);
    const lengths = Array.from({ length: 200 }, (_, t) => {
      fast(memory).compute(range(t % 2 === 0 ? 0 : 4, 4));
      return memory.inspect().learnedSeqLength;
    });
    expect(Math.max(...lengths)).toBe(31);
  });

  it('writes the active cells in the numbering of the original', () => {
    const { memory } = created(TINY);
    for (let t = 0; t < 14; t++) fast(memory).compute(range(t % 2 === 0 ? 0 : 4, 4));
    const out = new Uint32Array(24);
    expect([...out.subarray(0, memory.activeCells(out))]).toEqual([14, 17, 19, 23]);
  });

  it('shares nothing between memories but scratch', () => {
    const one = created(TRACED).memory;
    const alone = created(TRACED).memory;
    const expected = stream(TRACED, 6, 150).map((s) => step(fast(alone), s));
    const other = created({ ...TRACED, columnCount: 64, cellsPerColumn: 32, seed: 7 }).memory;
    const disturbed = stream(TRACED, 6, 150).map((s, t) => {
      fast(other).compute(range(t % 30, 20));
      return step(fast(one), s);
    });
    expect(disturbed).toEqual(expected);
  });

  it.each([
    ['not ascending', [3, 2]],
    ['twice the same', [3, 3]],
    ['beyond the last', [1, 8]],
  ])('refuses columns that are %s and stays as it was', (_, columns) => {
    const { arena, memory } = created(TINY);
    const before = arena.bytes();
    expect(() => fast(memory).compute(columns)).toThrow(RangeError);
    expect(() => memory.compute(Uint16Array.from(columns.slice(0, 1)), 2, true, true)).toThrow(RangeError);
    expect(arena.bytes()).toEqual(before);
  });

  it('refuses to neither learn nor infer', () => {
    expect(() => created(TINY).memory.compute(new Uint16Array(1), 1, false, false)).toThrow(
      /learn and infer/,
    );
  });

  it.each([
    ['cellsPerColumn', 33],
    ['cellsPerColumn', 1],
    ['columnCount', 2049],
    ['columnCount', 0],
    ['activationThreshold', 0],
    ['minThreshold', 1.5],
    ['newSynapseCount', 9],
    ['initialPerm', 0],
    ['initialPerm', 1e-60],
    ['initialPerm', 1.1],
    ['connectedPerm', Number.NaN],
    ['permanenceInc', -0.1],
    ['maxSegmentsPerCell', 129],
    ['maxSynapsesPerSegment', 128],
    ['pamLength', 0],
    ['seed', 0],
    ['ceiling', { maxSegments: 0, maxSynapses: 1 }],
    ['ceiling', { maxSegments: 1, maxSynapses: 2 ** 27 + 1 }],
  ])('refuses %s %j by name', (name, value) => {
    expect(() => BacktrackingMemory.schema({ ...TINY, [name]: value })).toThrow(
      expect.objectContaining({ name: 'RangeError', message: expect.stringContaining(name) as string }),
    );
  });
});

describe('damaged sections', () => {
  // Slots enough that none was emptied: row 0 is a living segment.
  const p = { ...TRACED, maxSegmentsPerCell: 20 };
  const { arena, memory } = created(p);
  for (const s of stream(p, 8, 300)) step(fast(memory), s);
  const good = arena.bytes();
  const schema = BacktrackingMemory.schema(p);

  /** The saved bytes with one section changed by `damage`. */
  function damaged(section: string, damage: (view: DataView) => void): Uint8Array {
    const bytes = good.slice();
    const header = new DataView(bytes.buffer);
    const index = schema.findIndex((spec) => spec.name === section);
    const offset = header.getUint32(16 + index * 12 + 8, true);
    damage(new DataView(bytes.buffer, offset));
    return bytes;
  }

  it.each<[string, string, string, (view: DataView) => void]>([
    [
      'learning cells out of order',
      'is out of order or does not exist',
      'learningActive',
      (v) => v.setUint16(0, 39 * 32, true),
    ],
    [
      'a learning cell that does not exist',
      'is out of order or does not exist',
      'learningActive',
      (v) => v.setUint16(0, 7, true),
    ],
    ['too many learning cells', 'learning cells for', 'learningCounters', (v) => v.setUint32(8, 41, true)],
    ['a pam counter above pamLength', 'pam counter', 'learningCounters', (v) => v.setUint32(0, 3, true)],
    ['a generator index out of range', 'generator', 'memoryRandom', (v) => v.setUint32(31 * 4, 31, true)],
    ['a history that is too long', 'a history has 8', 'inferenceHistory', (v) => v.setUint32(0, 8, true)],
    [
      'a learning history that is too long',
      'a history has 6',
      'learningHistory',
      (v) => v.setUint32(0, 6, true),
    ],
    [
      'active cells that do not exist',
      'active or predicted',
      'inferenceActive',
      (v) => v.setUint32(0, 64, true),
    ],
    [
      'predicted cells that do not exist',
      'active or predicted',
      'inferencePredicted',
      (v) => v.setUint32(4, 64, true),
    ],
    [
      'confident columns that do not exist',
      'have confidence',
      'confidentColumns',
      (v) => v.setUint32(4, 256, true),
    ],
    ['a reset flag that is none', 'reset flag', 'afterReset', (v) => v.setUint32(0, 2, true)],
    ['an impossible density', 'density', 'averageInputDensity', (v) => v.setFloat32(0, -1, true)],
  ])('with %s are refused', (_, complaint, section, damage) => {
    expect(() => loaded(damaged(section, damage), p)).toThrow(
      expect.objectContaining({
        name: 'ArenaFormatError',
        message: expect.stringContaining(complaint) as string,
      }),
    );
  });

  /** The saved bytes with another number of segments or other ones. */
  function withSegments(
    count: number,
    change: (segments: PlainSegments) => Partial<PlainSegments>,
  ): Uint8Array {
    const index = schema.findIndex(({ name }) => name === 'segments');
    const most = p.maxSynapsesPerSegment;
    const sources = new Uint16Array(memory.segmentCount * most);
    const packed = savedSection(good, index);
    const tables = unpackSegments(packed, memory.segmentCount, p, true, sources, most);
    const segments = {
      ...tables,
      sources: sources.filter((_, i) => i % most < tables.sizes[Math.floor(i / most)]),
    };
    const bytes = withSavedSection(good, index, packSegments({ ...segments, ...change(segments) }));
    const counters = new DataView(bytes.buffer).getUint32(16 + (index - 1) * 12 + 8, true);
    new DataView(bytes.buffer).setUint32(counters + 4, count, true);
    return bytes;
  }

  const count = memory.segmentCount;

  it.each<[string, RegExp, number, (segments: PlainSegments) => Partial<PlainSegments>]>([
    ['more rows than parameters allow', /^1000000 segments/, 1e6, () => ({})],
    ['more rows than were packed', /./, count + 1, () => ({})],
    ['fewer rows than were packed', /./, count - 1, () => ({})],
    ['an owner that is a start cell', /cannot own/, count, ({ owners }) => ({ owners: owners.with(0, 0) })],
    ['an owner beyond its column', /cannot own/, count, ({ owners }) => ({ owners: owners.with(0, 6) })],
    [
      'an owner beyond the columns',
      /cannot own/,
      count,
      ({ owners }) => ({ owners: owners.with(0, 40 * 32 + 1) }),
    ],
    [
      'more segments on a cell than it may have',
      /has more than 20 segments/,
      count,
      ({ owners }) => ({ owners: owners.map((owner, i) => (i < 21 ? 1 : owner)) }),
    ],
    [
      'too many synapses',
      /a segment has 9 synapses/,
      count,
      ({ sizes, sources, permanences }) => ({
        sizes: sizes.with(0, 9),
        sources: Uint16Array.of(...range(0, 6), ...range(32, 3), ...sources.subarray(sizes[0])),
        permanences: Uint8Array.of(...Array<number>(9).fill(1), ...permanences.subarray(sizes[0])),
      }),
    ],
    [
      'an empty slot that was never released',
      /has release/,
      count,
      ({ sizes, sources, permanences }) => ({
        sizes: sizes.with(0, 0),
        sources: sources.subarray(sizes[0]),
        permanences: permanences.subarray(sizes[0]),
      }),
    ],
    [
      'a source that does not exist',
      /source 6 of a group/,
      count,
      ({ sources }) => ({ sources: sources.with(0, 6) }),
    ],
    [
      'a permanence of 0',
      /has permanence 0/,
      count,
      ({ permanences }) => ({ permanences: permanences.fill(0, 0, 1) }),
    ],
    [
      'too high a permanence',
      /has permanence 255/,
      count,
      ({ permanences }) => ({ permanences: permanences.fill(255) }),
    ],
    [
      'a duty cycle that is no number',
      /has duty cycle/,
      count,
      ({ duties }) => ({ duties: duties.with(0, NaN) }),
    ],
    [
      'a duty cycle of the future',
      /has duty cycle/,
      count,
      ({ dutyIterations }) => ({ dutyIterations: dutyIterations.with(0, 1e6) }),
    ],
  ])('with %s are refused', (_, message, rows, change) => {
    const bytes = withSegments(rows, change);
    expect(() => loaded(bytes, p)).toThrow(ArenaFormatError);
    expect(() => loaded(bytes, p)).toThrow(message);
  });

  it('that are repacked as they were are accepted', () => {
    expect(withSegments(count, () => ({}))).toEqual(good);
  });

  it('with queued updates that add too much are refused', () => {
    // Segments are made with five of six learning cells: as long as these stay, the sixth must not be added.
    const q = { ...p, newSynapseCount: 5, activationThreshold: 4 };
    const queueing = created(q);
    for (let t = 0; t < 40; t++) fast(queueing.memory).compute(range((t % 3) * 6, 6));
    expect(queueing.memory.inspect().learningPredicted.length).toBeGreaterThan(0);
    const saved = queueing.arena.bytes();
    const index = BacktrackingMemory.schema(q).findIndex((spec) => spec.name === 'queuedSources');
    const offset = new DataView(saved.buffer).getUint32(16 + index * 12 + 8, true);
    const accepted = range(0, 64).filter((mask) => {
      const bytes = saved.slice();
      bytes[offset] = mask;
      try {
        loaded(bytes, q);
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted).toEqual([0]);
  });

  it('of any kind are refused or can be computed with', () => {
    const header = new DataView(good.buffer);
    const sections = schema.map((_, index) => {
      const end = index + 1 < schema.length ? header.getUint32(16 + (index + 1) * 12 + 8, true) : good.length;
      return { start: header.getUint32(16 + index * 12 + 8, true), end };
    });
    const change = fc
      .constantFrom(...sections)
      .chain(({ start, end }) =>
        fc.record({ at: fc.integer({ min: start, max: end - 1 }), to: fc.nat(255) }),
      );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = good.slice();
        for (const { at, to } of changes) bytes[at] = to;
        let restored: BacktrackingMemory;
        try {
          restored = loaded(bytes, p).memory;
        } catch (error) {
          expect(error).toBeInstanceOf(ArenaFormatError);
          return;
        }
        const unpredicted = stream(p, 9, 40).map((s) => step(fast(restored), s));
        expect(Math.max(...unpredicted)).toBeLessThanOrEqual(p.columnCount);
      }),
      { numRuns: 500 },
    );
  });
});

/** Sources and permanences of all segments, comparable as text. */
function synapsesOf(segments: ReturnType<BacktrackingMemory['segments']>): string {
  return JSON.stringify(segments.map(({ cell, sources, permanences }) => [cell, sources, permanences]));
}
