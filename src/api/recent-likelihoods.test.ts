import { describe, expect, it } from 'vitest';
import type { Result } from '../metric.ts';
import type { MetricSummary } from '../store/queries.ts';
import { RecentLikelihoods } from './recent-likelihoods.ts';

/** Metrics with `stored` scores in a store that counts how often it is read; what is told live is up to the test. */
function make(maxMetrics = 100) {
  const stored = new Map<string, { generation: number; scores: number[] }>();
  const reads: string[][] = [];
  let listener: (results: readonly Result[]) => void = () => undefined;
  const recent = new RecentLikelihoods({
    queries: {
      recentScores: (metricIds, rows) => {
        reads.push([...metricIds]);
        return Promise.resolve(
          metricIds.flatMap((metricId) => {
            const { generation = 0, scores = [] } = stored.get(metricId) ?? {};
            const scoredRowid = scores.length;
            return [{ metricId, generation, scoredRowid, anomalyScores: scores.slice(-rows) }];
          }),
        );
      },
    },
    live: {
      open: () => Promise.resolve(),
      listen: (given) => {
        listener = given;
        return () => undefined;
      },
    },
    logLikelihood: (score) => score,
    maxMetrics,
  });
  const store = (metricId: string, generation: number, scores: number[]) =>
    stored.set(metricId, { generation, scores });
  const tell = (metricId: string, generation: number, rowid: number, anomalyScore: number) =>
    listener([{ metricId, generation, rowid, anomalyScore } as Result]);
  const strip = async (metricId: string, rows = 120) => {
    const { generation = 0, scores = [] } = stored.get(metricId) ?? {};
    const summary = { metricId, generation, scoredRows: scores.length } as MetricSummary;
    return (await recent.of([summary], rows)).get(metricId);
  };
  return { store, tell, strip, reads, recent };
}

describe('RecentLikelihoods', () => {
  it('reads a metric once and is told the rest', async () => {
    const { store, tell, strip, reads } = make();
    store('a', 1, [0.1, 0.2]);
    expect(await strip('a')).toEqual([0.1, 0.2]);
    tell('a', 1, 2, 0.9);
    tell('a', 1, 3, 0.333_333);
    expect(await strip('a')).toEqual([0.1, 0.2, 0.3333]);
    expect(await strip('a', 2)).toEqual([0.2, 0.3333]);
    expect(reads).toHaveLength(1);
  });

  it('keeps 120 of them', async () => {
    const { store, tell, strip } = make();
    store(
      'a',
      1,
      Array.from({ length: 500 }, () => 0),
    );
    await strip('a');
    for (let rowid = 501; rowid <= 510; rowid += 1) tell('a', 1, rowid, 1);
    expect(await strip('a')).toEqual([...Array<number>(110).fill(0), ...Array<number>(10).fill(1)]);
  });

  it('reads again after a gap and in another generation', async () => {
    const { store, tell, strip, reads } = make();
    store('a', 1, [0.1]);
    await strip('a');
    tell('a', 1, 3, 0.3);
    store('a', 1, [0.1, 0.2, 0.3]);
    expect(await strip('a')).toEqual([0.1, 0.2, 0.3]);
    store('a', 2, [0.7]);
    expect(await strip('a')).toEqual([0.7]);
    tell('a', 3, 1, 0.8);
    store('a', 3, [0.8]);
    expect(await strip('a')).toEqual([0.8]);
    expect(reads).toHaveLength(4);
  });

  it('asks for nothing where there is nothing, and keeps a bounded number', async () => {
    const { store, strip, reads, recent } = make(2);
    expect(await strip('none')).toBeUndefined();
    expect(reads).toEqual([]);
    for (const metricId of 'abc') store(metricId, 1, [0.5]);
    for (const metricId of 'abc') await strip(metricId);
    await strip('c');
    expect(reads.flat()).toEqual(['a', 'b', 'c']);
    await strip('a');
    expect(reads.flat()).toEqual(['a', 'b', 'c', 'a']);
    const many = Array.from({ length: 250 }, (_, i) => ({ metricId: `m${i}`, generation: 1, scoredRows: 1 }));
    await recent.of(many as MetricSummary[], 10);
    expect(Math.max(...reads.map((ids) => ids.length))).toBe(100);
  });
});
