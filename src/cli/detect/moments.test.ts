import { describe, expect, it } from 'vitest';
import { LEARNING_ROWS, type RowScores } from '../../detect/detector.ts';
import { Moments } from './moments.ts';
import { PlotSeries } from './plot-series.ts';
import type { SeriesRow } from '../../detect/series-reader.ts';

const row = (i: number, value = i): SeriesRow => ({
  line: i + 2,
  fields: [],
  timestampSeconds: 60 * i,
  value,
});
const scores = (anomalyScore: number): RowScores => ({
  rawScore: anomalyScore,
  anomalyScore,
  logLikelihood: anomalyScore,
  prediction: null,
});

function momentsOf(rows: number, scoreOf: (i: number) => number) {
  const moments = new Moments();
  for (let i = 0; i < rows; i++) moments.add(row(i), scores(scoreOf(i)));
  return moments.top();
}

describe('moments', () => {
  it('are the highest of rows close together, the highest of all first', () => {
    const high = new Map([
      [500, 0.95],
      [503, 0.999999],
      [506, 0.999],
      [600, 0.99997],
      [700, 0.95],
    ]);
    const found = momentsOf(1000, (i) => high.get(i) ?? 0.3);
    expect(found.map(({ line, level }) => [line, level])).toEqual([
      [505, 'red'],
      [602, 'yellow'],
      [702, 'green'],
    ]);
  });

  it('are none of the rows the likelihood learns from', () => {
    expect(momentsOf(LEARNING_ROWS, () => 1)).toEqual([]);
    expect(momentsOf(LEARNING_ROWS + 1, () => 1)).toHaveLength(1);
  });

  it('are at most ten, of any number', () => {
    const found = momentsOf(3000, (i) => (i % 20 === 0 ? 0.9 + i / 40_000 : 0));
    expect(found.map(({ line }) => line - 2)).toEqual(Array.from({ length: 10 }, (_, k) => 2980 - 20 * k));
  });
});

describe('the points of a plot', () => {
  it('are the rows while they are few', () => {
    const series = new PlotSeries(1);
    series.add(row(0, 7), scores(0.5));
    series.add(row(1, 8), scores(0.999999));
    expect(series.points.map(({ lowest, highest }) => [lowest, highest])).toEqual([
      [7, 7],
      [8, 8],
    ]);
    expect(series.spans()).toEqual([{ fromSeconds: 60, toSeconds: 60, level: 'red' }]);
    expect(series.learningUntilSeconds).toBe(0);
  });

  it('are a bounded number that hides no extreme, however many rows there are', () => {
    const rows = 50_001;
    const series = new PlotSeries(0);
    for (let i = 0; i < rows; i++)
      series.add(
        row(i, i === 31_111 ? 999 : i === 7 ? -5 : 1),
        scores(i === 40_000 ? 0.999999 : i === 20_000 ? 0.99997 : 0),
      );
    const { points } = series;
    expect(points.length).toBeLessThanOrEqual(4000);
    expect(points.length).toBeGreaterThan(1000);
    expect([points[0]?.fromSeconds, points.at(-1)?.toSeconds]).toEqual([0, 60 * (rows - 1)]);
    expect(points.filter(({ highest }) => highest === 999)).toHaveLength(1);
    expect(points.filter(({ lowest }) => lowest === -5)).toHaveLength(1);
    for (const [i, point] of points.entries())
      if (i > 0) expect(point.fromSeconds).toBe((points[i - 1]?.toSeconds ?? NaN) + 60);
    expect(series.spans().map(({ level }) => level)).toEqual(['yellow', 'red']);
  });

  it('that are anomalous and close together are one stretch, red if one of them is', () => {
    const series = new PlotSeries(0);
    for (let i = 0; i < 100; i++)
      series.add(row(i), scores(i === 10 || i === 90 ? 0.99997 : i === 15 ? 0.999999 : 0));
    expect(series.spans()).toEqual([
      { fromSeconds: 600, toSeconds: 900, level: 'red' },
      { fromSeconds: 5400, toSeconds: 5400, level: 'yellow' },
    ]);
  });
});
