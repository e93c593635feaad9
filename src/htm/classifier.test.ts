import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena, ArenaFormatError } from './arena.ts';
import type { ClassifierParameters } from './classifier.ts';
import { ClassifierCapacityError, SdrClassifier } from './classifier.ts';
import { exp } from './numeric.ts';

const KIND = 7;

const TINY: ClassifierParameters = {
  steps: [1],
  alpha: 0.5,
  actValueAlpha: 0.3,
  cells: 10,
  cellsPerColumn: 1,
  maxActiveCells: 10,
  maxBuckets: 1000,
};

function created(p: ClassifierParameters): { arena: Arena; classifier: SdrClassifier } {
  const arena = Arena.create(KIND, SdrClassifier.schema(p));
  return { arena, classifier: SdrClassifier.create(arena, 0, p) };
}

function loaded(bytes: Uint8Array, p: ClassifierParameters): SdrClassifier {
  return SdrClassifier.attach(Arena.from(bytes, KIND, SdrClassifier.schema(p)), 0, p);
}

/** Section 8 word by word, with a full matrix: what the sparse rows must amount to. */
class FullMatrixClassifier {
  readonly #p: ClassifierParameters;
  readonly #weights: number[][][];
  #actual: (number | undefined)[] = [undefined];
  readonly #history: { record: number; cells: number[] }[] = [];

  constructor(p: ClassifierParameters) {
    this.#p = p;
    this.#weights = p.steps.map(() => Array.from({ length: p.cells }, () => [0]));
  }

  compute(record: number, cells: number[], bucket: number, value: number, learn: boolean) {
    const { steps, alpha, actValueAlpha } = this.#p;
    if (record !== this.#history.at(-1)?.record) this.#history.push({ record, cells });
    this.#history.splice(0, this.#history.length - Math.max(...steps) - 1);
    const values = this.#actual.map((known) => known ?? (steps[0] === 0 ? 0 : value));
    const likelihoods = steps.map((_, step) => this.#likelihoods(step, cells));
    if (learn && bucket >= 0) {
      while (this.#actual.length <= bucket) {
        this.#actual.push(undefined);
        for (const row of this.#weights.flat()) row.push(0);
      }
      const known = this.#actual[bucket];
      this.#actual[bucket] =
        known === undefined ? value : (1 - actValueAlpha) * known + actValueAlpha * value;
      for (const entry of this.#history) {
        const step = steps.indexOf(record - entry.record);
        if (step < 0) continue;
        const errors = this.#likelihoods(step, entry.cells).map((p, b) => (b === bucket ? 1 : 0) - p);
        for (const cell of entry.cells)
          errors.forEach((error, b) => (this.#weights[step][cell][b] += alpha * error));
      }
    }
    return { likelihoods, best: likelihoods.map((list) => bestOf(values, list)) };
  }

  #likelihoods(step: number, cells: number[]): number[] {
    const sums = this.#actual.map((_, bucket) =>
      cells.reduce((sum, cell) => sum + this.#weights[step][cell][bucket], 0),
    );
    const max = Math.max(...sums);
    const powers = sums.map((sum) => exp(sum - max));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / total);
  }
}

/** Section 8.4, rule 1. */
function bestOf(values: number[], likelihoods: number[]): number {
  const merged = new Map<number, number>();
  let best = NaN;
  let bestLikelihood = 0;
  values.forEach((value, bucket) => {
    const likelihood = (merged.get(value) ?? 0) + likelihoods[bucket];
    merged.set(value, likelihood);
    if (likelihood > bestLikelihood) [best, bestLikelihood] = [value, likelihood];
  });
  return best;
}

/** Expected values: model reference, section 12.9; where it shows the original's softmax, those of the correct one (issue 3). */
describe('classifier, one step', () => {
  const compute = (
    classifier: SdrClassifier,
    records: [record: number, bucket: number, value: number, cells: number[]][],
  ) =>
    records.map(([record, bucket, value, cells]) => {
      classifier.compute(record, Uint32Array.from(cells), cells.length, bucket, value, true);
      return [...classifier.bucketLikelihoods(0)];
    });
  const near = (found: number[], expected: number[], tolerance: number) => {
    expect(found.length).toBe(expected.length);
    expected.forEach((value, i) => expect(Math.abs(found[i] - value)).toBeLessThan(tolerance));
  };
  const times = (count: number, value: number) => new Array<number>(count).fill(value);

  it('learns which bucket follows', () => {
    const { classifier } = created(TINY);
    const found = compute(classifier, [
      [0, 4, 34.7, [1, 5, 9]],
      [1, 5, 41.7, [0, 6]],
      [2, 5, 44.9, [1, 5, 9]],
      [3, 4, 42.9, [1, 5, 9]],
      [4, 4, 34.7, [1, 5, 9]],
      [5, 4, 34.7, [1, 5, 9]],
    ]);
    near(found[0], [1], 1e-15);
    near(found[1], times(5, 0.2), 1e-15);
    near(found[2], [...times(5, 0.1054664409), 0.4726677955], 1e-10);
    near(found[3], [...times(5, 0.1054664409), 0.4726677955], 1e-10);
    near(found[4], [...times(4, 0.0903724), 0.40502098, 0.23348944], 1e-8);
    near(found[5], [...times(4, 0.05372517), 0.67310995, 0.11198937], 1e-8);
    const predictions = classifier.predictions(0);
    near(
      predictions.map(({ value }) => value),
      [36.422, 34.7, 42.66],
      1e-12,
    );
    near(
      predictions.map(({ likelihood }) => likelihood),
      [0.67310995, 4 * 0.05372517, 0.11198937],
      1e-7,
    );
    expect(classifier.bestPredictions).toEqual(Float64Array.of(predictions[0].value));
  });

  it('keeps a likelihood for buckets in between that were never seen', () => {
    const { classifier } = created({ ...TINY, alpha: 1 });
    const found = compute(classifier, [
      [0, 0, 10, [0]],
      [1, 2, 30, [0]],
      [2, 0, 20, [0]],
      [3, 0, 20, [0]],
      [4, 0, 20, [0]],
    ]);
    near(found[2], [0.2119415576, 0.2119415576, 0.5761168848], 1e-10);
    near(found[3], [0.4848135, 0.17835292, 0.33683357], 1e-8);
    near(found[4], [0.67557383, 0.12421613, 0.20021005], 1e-8);
    const predictions = classifier.predictions(0);
    near(
      predictions.map(({ value }) => value),
      [15.1, 30, 20],
      1e-12,
    );
  });
});

describe('classifier', () => {
  const p: ClassifierParameters = {
    steps: [0, 1, 3],
    alpha: 0.3,
    actValueAlpha: 0.3,
    cells: 24,
    cellsPerColumn: 4,
    maxActiveCells: 24,
    maxBuckets: 60,
  };
  const records = (steps: number[][]) =>
    fc.array(
      fc.record({
        skip: fc.integer({ min: 0, max: 3 }),
        cells: fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { maxLength: 9 }),
        bucket: fc.integer({ min: -1, max: 59 }),
        learn: fc.boolean(),
        steps: fc.constantFrom(...steps),
      }),
      { maxLength: 40 },
    );

  it.each([[[0, 1, 3]], [[1]], [[2, 5]]])(
    'with steps %j equals one with a full matrix, bit for bit',
    (steps) => {
      fc.assert(
        fc.property(records([steps]), (stream) => {
          const { classifier } = created({ ...p, steps });
          const full = new FullMatrixClassifier({ ...p, steps });
          let record = 1;
          for (const { skip, cells, bucket, learn } of stream) {
            record += skip;
            // Neighbouring buckets have equal values here, so that merging is seen.
            const value = bucket < 0 ? NaN : 1 + (bucket >> 1);
            classifier.compute(record, Uint32Array.from(cells), cells.length, bucket, value, learn);
            const expected = full.compute(record, cells, bucket, value, learn);
            expect(steps.map((_, i) => [...classifier.bucketLikelihoods(i)])).toEqual(expected.likelihoods);
            expect([...classifier.bestPredictions]).toEqual(expected.best);
          }
        }),
      );
    },
  );

  it('goes on from saved bytes as if never interrupted', () => {
    fc.assert(
      fc.property(records([[]]), fc.nat(40), (stream, cut) => {
        const { arena, classifier } = created(p);
        let now = classifier;
        stream.forEach(({ cells, bucket, learn }, i) => {
          if (i === cut) now = loaded(arena.bytes(), p);
          for (const one of new Set([classifier, now]))
            one.compute(i, Uint32Array.from(cells), cells.length, bucket, bucket, learn);
          expect(now.bestPredictions).toEqual(classifier.bestPredictions);
          expect(now.predictions(2)).toEqual(classifier.predictions(2));
        });
      }),
    );
  });

  it('names at most eight values, and beside the best none that is next to impossible', () => {
    const { classifier } = created({ ...TINY, alpha: 5 });
    // Cell 0 is followed by one of ten values in turn; cell 1 always by the value 3.
    for (let i = 0; i < 2000; i++) {
      classifier.compute(2 * i, Uint32Array.of(0), 1, 3, 3, true);
      classifier.compute(2 * i + 1, Uint32Array.of(1), 1, i % 10, i % 10, true);
    }
    const spread = classifier.predictions(0);
    expect(spread.map(({ value }) => Math.round(value))).toEqual([3]);
    classifier.compute(4000, Uint32Array.of(0), 1, 3, 3, false);
    const likelihoods = classifier.predictions(0).map(({ likelihood }) => likelihood);
    expect(likelihoods.length).toBeLessThanOrEqual(8);
    expect(likelihoods.length).toBeGreaterThan(1);
    expect(likelihoods).toEqual(likelihoods.toSorted((a, b) => b - a));
    expect(likelihoods.every((likelihood) => likelihood >= 0.0001)).toBe(true);
  });

  it('knows no value for a record without one until it has learned', () => {
    const { classifier } = created(TINY);
    classifier.compute(1, Uint32Array.of(1), 1, -1, NaN, true);
    expect(classifier.bestPredictions[0]).toBeNaN();
    classifier.compute(2, Uint32Array.of(1), 1, 0, 12, true);
    classifier.compute(3, Uint32Array.of(1), 1, -1, NaN, true);
    expect(classifier.bestPredictions[0]).toBe(12);
  });

  it('has no prediction before the first record', () => {
    const { classifier } = created(p);
    expect([...classifier.bestPredictions]).toEqual([NaN, NaN, NaN]);
    expect(classifier.predictions(0)).toEqual([]);
    expect(classifier.bucketLikelihoods(0)).toEqual(new Float64Array(0));
  });

  it('refuses a record out of order, a bucket and cells beyond its bounds', () => {
    const { classifier } = created(TINY);
    classifier.compute(5, Uint32Array.of(1), 1, 0, 1, true);
    expect(() => classifier.compute(4, Uint32Array.of(1), 1, 0, 1, true)).toThrow(RangeError);
    expect(() => classifier.compute(6, Uint32Array.of(1), 1, 1000, 1, true)).toThrow(RangeError);
    expect(() => classifier.compute(6, new Uint32Array(11), 11, 0, 1, true)).toThrow(RangeError);
  });

  it('stops with a clear error when the weights outgrow their limit', () => {
    const { classifier } = created({ ...TINY, maxWeightBytes: 5000 });
    const feed = () => {
      for (let i = 0; i < 100; i++) classifier.compute(i, Uint32Array.of(i % 10), 1, 5 * i, i, true);
    };
    expect(feed).toThrow(ClassifierCapacityError);
    expect(feed).toThrow(RangeError);
  });

  it.each([
    { steps: [] },
    { steps: [2, 1] },
    { steps: [101] },
    { steps: [0.5] },
    { alpha: 0 },
    { alpha: NaN },
    { actValueAlpha: 1.1 },
    { cells: 0 },
    { cellsPerColumn: 11 },
    { maxActiveCells: -1 },
    { maxBuckets: 0 },
    { maxWeightBytes: NaN },
  ])('refuses the parameters %o', (wrong) => {
    expect(() => SdrClassifier.schema({ ...TINY, ...wrong })).toThrow(`classifier.${Object.keys(wrong)[0]}`);
  });

  it('refuses damaged sections or goes on in bounds, whichever byte is damaged', () => {
    const { arena, classifier } = created(TINY);
    for (let i = 0; i < 12; i++)
      classifier.compute(i, Uint32Array.of(i % 10, (i + 3) % 10), 2, 3 * i, i, true);
    const bytes = arena.bytes();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice();
        damaged[at] ^= flip;
        try {
          const survivor = loaded(damaged, TINY);
          survivor.compute(2 ** 53 - 1, Uint32Array.of(1), 1, 2, 2, true);
        } catch (error) {
          expect(error).toBeInstanceOf(ArenaFormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
