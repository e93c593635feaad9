import { describe, expect, it } from 'vitest';
import { anomalySpans } from './anomaly-spans.ts';

const calm = (count: number) => Array.from({ length: count }, () => 0.03);
/** Spans of `scores` at times 0, 1, 2... */
const spansOf = (scores: (number | null)[]) => anomalySpans([...scores.keys()], scores);

describe('anomalous spans', () => {
  it('are none while no score reaches 0.5', () => {
    expect(spansOf([])).toEqual([]);
    expect(spansOf([...calm(5), 0.4999, 0.4999, ...calm(5)])).toEqual([]);
  });

  it('open at 0.5 and reach to the last row that held them', () => {
    const scores = [...calm(3), 0.5, 0.29999999, 0.8, 0.29, ...calm(12)];
    expect(spansOf(scores)).toEqual([{ from: 3, to: 6, peak: 0.8, peakAt: 5, rows: 4, open: false }]);
  });

  it('stay open over 11 usual rows and close after 12', () => {
    const eleven = spansOf([0.6, ...calm(11), 0.3, ...calm(12)]);
    expect(eleven.map(({ from, to, rows }) => [from, to, rows])).toEqual([[0, 12, 13]]);
    const twelve = spansOf([0.6, ...calm(12), 0.3, ...calm(12)]);
    expect(twelve.map(({ from, to, rows }) => [from, to, rows])).toEqual([[0, 0, 1]]);
  });

  it('a row below 0.29 counts to the close though it is far from usual', () => {
    expect(spansOf([0.6, ...Array.from({ length: 12 }, () => 0.2899)])[0]?.open).toBe(false);
  });

  it('may follow one another, and the last is open until 12 rows have followed', () => {
    const spans = spansOf([0.9, ...calm(12), 0.7, ...calm(11)]);
    expect(spans.map(({ from, open }) => [from, open])).toEqual([
      [0, false],
      [13, true],
    ]);
  });

  it('neither close nor open over rows that are not scored', () => {
    const unscored = Array.from({ length: 30 }, () => null);
    expect(spansOf([...unscored, 0.9, ...unscored])).toMatchObject([
      { from: 30, to: 30, rows: 1, open: true },
    ]);
  });
});
