import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Series, Window } from '../../bench/nab-corpus.ts';
import { listSeries, readSeries, readWindows } from '../../bench/nab-corpus.ts';
import { detect, likelihoodFor, withRangeRule } from '../../bench/nab-detector.ts';
import type { LabelledSeries } from '../../bench/nab-score.ts';
import { bestScore, labelSeries, PROFILES, scoreAt } from '../../bench/nab-score.ts';
import { RangeRule } from '../../src/htm/range-rule.ts';
import { nabDirectory } from '../support/nab.ts';

/** 100 rows a second apart, of which the first 15 do not count, and one labelled window. */
const WINDOW: Window = { start: 40, end: 49 };
const seconds = Float64Array.from({ length: 100 }, (_, i) => i);
const labelled = labelSeries(seconds, [WINDOW]);
const detectedAt = (...rows: number[]) => seconds.map((_, i) => (rows.includes(i) ? 1 : 0));
const [standard, lowFalsePositives, lowFalseNegatives] = PROFILES.map(
  (profile) =>
    (...rows: number[]) =>
      scoreAt(1, [labelled], [detectedAt(...rows)], profile),
);

/** Hand computation: 2 / (1 + e^(5 x)) - 1. */
const sigmoid = (x: number) => 2 / (1 + Math.exp(5 * x)) - 1;

describe('benchmark score', () => {
  it('gives full worth at the first row of a window and less at each later one', () => {
    expect(standard?.(40)).toMatchObject({ normalized: 100, windowsFound: 1, falsePositiveRows: 0 });
    expect(standard?.(44).total).toBeCloseTo(sigmoid(-0.6) / sigmoid(-1), 14);
    expect(standard?.(49).total).toBeCloseTo(sigmoid(-0.1) / sigmoid(-1), 14);
  });

  it('counts only the best detection of a window', () => {
    expect(standard?.(44, 45, 49).total).toBe(standard?.(44).total);
  });

  it('charges what lies outside, the more the farther behind the window', () => {
    const missed = standard?.().total ?? NaN;
    expect(missed).toBe(-1);
    expect((standard?.(20).total ?? NaN) - missed).toBeCloseTo(-0.11, 14);
    expect((standard?.(58).total ?? NaN) - missed).toBeCloseTo(0.11 * sigmoid(1), 14);
    expect((standard?.(90).total ?? NaN) - missed).toBeCloseTo(-0.11, 14);
  });

  it('weighs by profile', () => {
    expect(lowFalsePositives?.(20).total).toBeCloseTo(-1.22, 14);
    expect(lowFalseNegatives?.(20).total).toBeCloseTo(-2.11, 14);
  });

  it('passes over the first 15 % of a series', () => {
    expect(standard?.(0, 14).falsePositiveRows).toBe(0);
    expect(standard?.(15).falsePositiveRows).toBe(1);
    const early = labelSeries(seconds, [{ start: 3, end: 9 }, WINDOW]);
    expect(early.windowCount).toBe(1);
  });

  it('finds the best threshold, the highest of equal ones, or keeps silent', () => {
    const profile = PROFILES[0];
    if (!profile) throw new Error('no profile');
    const scores = seconds.map((_, i) => ({ 20: 0.3, 40: 0.7, 41: 0.6, 90: 0.9 })[i] ?? 0);
    expect(bestScore([labelled], [scores], profile)).toMatchObject({ threshold: 0.7, falsePositiveRows: 1 });
    const useless = seconds.map((_, i) => (i === 20 ? 1 : 0));
    expect(bestScore([labelSeries(seconds, [])], [useless], profile)).toMatchObject({
      normalized: null,
      total: 0,
      falsePositiveRows: 0,
    });
  });

  it('refuses a window that does not belong to the series', () => {
    expect(() => labelSeries(seconds, [{ start: 40.5, end: 49 }])).toThrow(RangeError);
  });
});

const corpus = nabDirectory();

describe.skipIf(corpus === null)('score of the results stored with the corpus', () => {
  const directory = corpus ?? '';
  let series: Series[];
  let labels: LabelledSeries[];
  beforeAll(() => {
    const windows = readWindows(directory);
    series = listSeries(directory).map((name) => readSeries(directory, name));
    labels = series.map(({ name, seconds }) => labelSeries(seconds, windows?.get(name) ?? []));
  });
  const column = (index: number) =>
    series.map(({ name }) => {
      const file = join(directory, 'results/numenta', name.replace('/', '/numenta_'));
      const lines = readFileSync(file, 'utf8').trim().split(/\r?\n/).slice(1);
      return Float64Array.from(lines, (line) => Number(line.split(',')[index]));
    });

  /** Printed by the corpus's own nabscore.py: normalized, threshold, windows found, rows of false positives. */
  it.each([
    [
      'anomaly_score',
      2,
      [
        [70.08199029119817, 0.554199560222, 48, 74],
        [63.42602341493192, 0.554199560222, 48, 74],
        [74.4807791409705, 0.504178337413, 49, 99],
      ],
    ],
    [
      'raw_score',
      3,
      [
        [49.704415712552056, 1, 39, 140],
        [37.13125066456631, 1, 39, 140],
        [55.55007024514965, 1, 39, 140],
      ],
    ],
  ])('%s equals that of the independent scorer', (_, index, expected) => {
    const scores = column(index);
    PROFILES.forEach((profile, i) => {
      const { normalized, threshold, windows, windowsFound, falsePositiveRows } = bestScore(
        labels,
        scores,
        profile,
      );
      expect(normalized).toBeCloseTo(expected[i]?.[0] ?? NaN, 9);
      expect([threshold, windowsFound, falsePositiveRows]).toEqual(expected[i]?.slice(1));
      expect(windows).toBe(58);
    });
  });

  it('at a given threshold equals it too', () => {
    const scores = column(2);
    const normalized = PROFILES.map((profile) => scoreAt(0.5, labels, scores, profile).normalized);
    [69.38496457864339, 60.40770354754647, 74.41756259265881].forEach((expected, i) =>
      expect(normalized[i]).toBeCloseTo(expected, 9),
    );
  });

  it('of the range rule alone is the one in the notes of the corpus', () => {
    const scores = series.map(({ values }) => {
      const rule = new RangeRule();
      return values.map((value) => (rule.next(value) ? 1 : 0));
    });
    const normalized = PROFILES.map((profile) => bestScore(labels, scores, profile).normalized?.toFixed(2));
    expect(normalized).toEqual(['50.83', '49.82', '52.85']);
  });

  /** Raw scores of the compiled original; what they score is in the notes of the corpus. */
  it.each([
    ['nupic-cpp', ['70.87', '64.11', '75.41']],
    ['nupic-tm-cpp', ['65.60', '60.83', '69.60']],
  ])(
    'of %s through likelihood and range rule is the one in the notes of the corpus',
    (original, expected) => {
      const scores = series.map((one) => {
        const rows = readFileSync(join(directory, 'results', original, one.name), 'utf8')
          .trim()
          .split(/\r?\n/);
        const unpredicted = rows.slice(1).map((row) => Number(row.split(',')[1]));
        const rawScoreOf = (row: number) => Math.fround((unpredicted[row] ?? NaN) / 40);
        return withRangeRule(detect(one, rawScoreOf, likelihoodFor(unpredicted.length)));
      });
      const normalized = PROFILES.map((profile) => bestScore(labels, scores, profile).normalized?.toFixed(2));
      expect(normalized).toEqual(expected);
    },
  );
});
