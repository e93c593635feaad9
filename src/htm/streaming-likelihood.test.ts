import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logLikelihood } from './likelihood.ts';
import { erfc } from './numeric.ts';
import type { LikelihoodHistory, LikelihoodParameters } from './streaming-likelihood.ts';
import { LikelihoodStateError, LikelihoodWithHistory, StreamingLikelihood } from './streaming-likelihood.ts';

/** The small object of the model reference, section 12.6. */
const SMALL: Partial<LikelihoodParameters> = {
  learningPeriod: 2,
  estimationSamples: 10,
  historicWindowSize: 100,
  reestimationPeriod: 50,
  tail: 'two-sided',
};

/** A metric with some rhythm and some surprises. */
function rows(n: number) {
  return {
    values: Float64Array.from({ length: n }, (_, i) => (i * i) % 17),
    rawScores: Float64Array.from({ length: n }, (_, i) => ((i * 7919) % 41) / 40 / (1 + (i % 9))),
  };
}

/** Runs rows `from` to `to` through `likelihood` with views into the whole arrays as history. */
function run(
  likelihood: StreamingLikelihood,
  all: ReturnType<typeof rows>,
  from: number,
  to: number,
): number[] {
  const scores: number[] = [];
  for (let i = from; i < to; i++) {
    const length = likelihood.needsHistory();
    const history: LikelihoodHistory = { ...all, offset: i - length, length };
    scores.push(likelihood.next(all.values[i], all.rawScores[i], history));
  }
  return scores;
}

/** Sections 7.3 to 7.5 in the plainest words: the score of the last raw score, the rows before it being the history. */
function scoreOfLast(rawScores: Float64Array, skip: number): number {
  const mean = (list: Float64Array) => list.reduce((sum, x) => sum + x, 0) / list.length;
  const averages = rawScores.map((_, i) => mean(rawScores.subarray(Math.max(0, i - 9), i + 1)));
  const fitted = averages.subarray(skip, -1);
  const center = mean(fitted);
  const variance = mean(fitted.map((average) => (average - center) ** 2));
  const distance = averages[averages.length - 1] - Math.max(0.03, center);
  return 1 - 0.5 * erfc(distance / Math.sqrt(Math.max(0.0003, variance)) / 1.4142);
}

describe('streaming likelihood', () => {
  it('gives the values of the reference, with the run of extremes filtered', () => {
    const likelihood = new LikelihoodWithHistory(SMALL);
    const scores = Array.from({ length: 24 }, (_, t) => likelihood.next(t % 5, t >= 16 && t <= 19 ? 1 : 0));
    for (let t = 0; t < 24; t++) {
      const [score, log] =
        t < 12
          ? [0.5, 0.030103]
          : t < 16
            ? [0.9583692202575875, 0.1380585]
            : t === 16
              ? [0.9999734437495621, 0.4575832]
              : t === 17
                ? [1, 1]
                : [0.999, 0.3];
      expect(Math.abs(scores[t] - score), `row ${t}`).toBeLessThan(1e-14);
      expect(Math.abs(logLikelihood(scores[t]) - log), `row ${t}`).toBeLessThan(1e-6);
    }
  });

  it('holds nothing against a flat metric', () => {
    const likelihood = new LikelihoodWithHistory(SMALL);
    const scores = Array.from({ length: 15 }, (_, t) => likelihood.next(7, t === 13 ? 1 : 0));
    [0.5001994730448449, 0.5001595784382697, 0.5001595784382697].forEach((expected, i) =>
      expect(scores[12 + i]).toBeCloseTo(expected, 14),
    );
  });

  it.each([
    [388, 288],
    [8700, 228],
    [9000, 0],
  ])('at row %d leaves the first %d rows of its window out of the fit', (row, skip) => {
    const all = rows(row + 1);
    const likelihood = new StreamingLikelihood();
    const score = run(likelihood, all, 0, row + 1)[row];
    const window = all.rawScores.subarray(Math.max(0, row - 8640), row + 1);
    expect(score).toBeCloseTo(scoreOfLast(window, skip), 12);
    expect(Math.abs(score - scoreOfLast(window, skip + 1))).toBeGreaterThan(1e-9);
  });

  it('gives 0.5 to exactly the probation, then stays within its range', () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), probability), { maxLength: 80 }),
        fc.constantFrom('one-sided' as const, 'two-sided' as const),
        (points, tail) => {
          const likelihood = new LikelihoodWithHistory({ ...SMALL, reestimationPeriod: 7, tail });
          const scores = points.map(([value, rawScore]) => likelihood.next(value, rawScore));
          expect(scores.slice(0, 12).every((score) => score === 0.5)).toBe(true);
          const least = tail === 'one-sided' ? 0 : 0.5;
          expect(scores.every((score) => score >= least && score <= 1)).toBe(true);
        },
      ),
    );
  });

  it('asks for history only before a fit', () => {
    const likelihood = new StreamingLikelihood({ ...SMALL, historicWindowSize: 40 });
    const all = rows(151);
    const needs = Array.from({ length: 151 }, (_, i) => {
      const needed = likelihood.needsHistory();
      run(likelihood, all, i, i + 1);
      return needed;
    });
    const asked = needs.flatMap((needed, i) => (needed ? [[i, needed]] : []));
    expect(asked).toEqual([
      [12, 12],
      [50, 40],
      [100, 40],
      [150, 40],
    ]);
  });

  it('remembering the rows itself gives what a caller with a store gets', () => {
    const all = rows(3000);
    const parameters = { historicWindowSize: 900, reestimationPeriod: 30 };
    const remembering = new LikelihoodWithHistory(parameters);
    const scores = Array.from(all.values, (value, i) => remembering.next(value, all.rawScores[i]));
    expect(scores).toEqual(run(new StreamingLikelihood(parameters), all, 0, 3000));
  });

  it('goes on from its bytes at any row as if never interrupted', () => {
    const all = rows(130);
    const expected = run(new StreamingLikelihood(SMALL), all, 0, 130);
    for (let cut = 0; cut < 130; cut++) {
      const first = new StreamingLikelihood(SMALL);
      run(first, all, 0, cut);
      const second = StreamingLikelihood.decodeState(SMALL, first.encodeState());
      expect(second.rowsSeen).toBe(cut);
      expect(run(second, all, cut, 130), `cut at ${cut}`).toEqual(expected.slice(cut));
    }
  });

  it('refuses what would spoil it and stays as it was', () => {
    const all = rows(13);
    const likelihood = new StreamingLikelihood(SMALL);
    run(likelihood, all, 0, 12);
    const before = likelihood.encodeState();
    const history = { ...all, offset: 0, length: 12 };
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(() => likelihood.next(bad, 0, history)).toThrow(RangeError);
      expect(() => likelihood.next(0, bad, history)).toThrow(RangeError);
    }
    expect(() => likelihood.next(0, 0)).toThrow('needs the last 12 rows');
    expect(() => likelihood.next(0, 0, { ...history, length: 11 })).toThrow('needs the last 12 rows');
    expect(() => likelihood.next(0, 0, { ...history, offset: 2 })).toThrow('reach beyond');
    expect(likelihood.encodeState()).toEqual(before);
  });

  it.each([
    { learningPeriod: -1 },
    { estimationSamples: 0 },
    { reestimationPeriod: 0.5 },
    { averagingWindow: NaN },
    { historicWindowSize: 99 },
    { historicWindowSize: 1e9 },
    { tail: 'both' as 'two-sided' },
  ])('refuses the constants %o', (parameters) => {
    expect(() => new StreamingLikelihood(parameters)).toThrow(`likelihood.${Object.keys(parameters)[0]}`);
  });
});

describe('stored likelihood state', () => {
  const state = () => {
    const likelihood = new StreamingLikelihood(SMALL);
    run(likelihood, rows(60), 0, 60);
    return likelihood.encodeState();
  };

  it('is small', () => {
    expect(state().length).toBeLessThan(150);
  });

  it('is refused with any damaged byte, and when cut or padded', () => {
    const bytes = state();
    for (let i = 0; i < bytes.length; i++) {
      for (const flip of [1, 128, 255]) {
        const damaged = bytes.slice();
        damaged[i] ^= flip;
        expect(() => StreamingLikelihood.decodeState(SMALL, damaged), `byte ${i}`).toThrow(
          LikelihoodStateError,
        );
      }
      expect(() => StreamingLikelihood.decodeState(SMALL, bytes.subarray(0, i))).toThrow(
        LikelihoodStateError,
      );
    }
    expect(() => StreamingLikelihood.decodeState(SMALL, Uint8Array.of(...bytes, 0))).toThrow(
      LikelihoodStateError,
    );
  });

  it('is refused under other parameters', () => {
    const other = (parameters: Partial<LikelihoodParameters>) => () =>
      StreamingLikelihood.decodeState({ ...SMALL, ...parameters }, state());
    expect(other({ averagingWindow: 9 })).toThrow(LikelihoodStateError);
    expect(other({ learningPeriod: 288 })).toThrow(LikelihoodStateError);
  });

  it('is refused, never crashed on, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => StreamingLikelihood.decodeState(SMALL, bytes)).toThrow(LikelihoodStateError);
      }),
    );
  });
});
