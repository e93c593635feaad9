import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import type { DataSelection } from '../../../src/store/queries.ts';
import {
  anomalyScoreOf,
  paramsWith,
  rawScoreOf,
  request,
  requestWithRange,
  samples,
  timeOf,
  type StoreFixture,
} from './fixture.ts';

/** The first fit comes with the sixth row. */
const shortLikelihood = { ...request().likelihood, learningPeriod: 3, estimationSamples: 2 };

/** What people and programs look at. */
export function queryTests(current: () => StoreFixture): void {
  describe('listMetrics and describeMetric', () => {
    it('tell what there is of each metric', async () => {
      const fixture = current();
      const { queries, log } = fixture.store;
      const empty = await fixture.metric('1 empty', 0);
      const stored = await fixture.metric('2 stored', 3);
      const scored = await fixture.monitored('3 scored', 5);
      await fixture.score(scored, 0, 3);
      await log.recordRawScores(fixture.raw(scored, 3, 4));
      const failed = await fixture.monitored('4 failed', 2);
      await log.failModel({ metricId: failed, generation: 1, epoch: fixture.epoch, message: 'row 1' });
      const none = {
        message: null,
        rows: 0,
        scoredRows: 0,
        lastTimestamp: null,
        lastValue: null,
        lastScoredTimestamp: null,
        lastAnomalyScore: null,
        generation: null,
        learning: null,
        spec: null,
      };
      const { spec } = request();
      const expected = [
        { ...none, metricId: empty, name: '1 empty', status: MetricStatus.UNMONITORED },
        {
          ...none,
          metricId: stored,
          name: '2 stored',
          status: MetricStatus.UNMONITORED,
          rows: 3,
          lastTimestamp: timeOf(3),
          lastValue: 3,
        },
        {
          ...none,
          metricId: scored,
          name: '3 scored',
          status: MetricStatus.ACTIVE,
          rows: 5,
          scoredRows: 3,
          lastTimestamp: timeOf(5),
          lastValue: 5,
          lastScoredTimestamp: timeOf(3),
          lastAnomalyScore: anomalyScoreOf(3),
          generation: 1,
          learning: { rows: 3, of: 388 },
          spec,
        },
        {
          ...none,
          metricId: failed,
          name: '4 failed',
          status: MetricStatus.ERROR,
          message: 'row 1',
          rows: 2,
          lastTimestamp: timeOf(2),
          lastValue: 2,
          generation: 1,
          learning: { rows: 0, of: 388 },
          spec,
        },
      ];
      expect(await queries.listMetrics('', 100)).toEqual(expected);
      for (const summary of expected) expect(await queries.describeMetric(summary.name)).toEqual(summary);
      expect(await queries.describeMetric('5')).toBeNull();
    });

    it('count only rows that are still stored', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 9);
      await fixture.score(metricId, 0, 6);
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid <= 4`);
      expect(await fixture.store.queries.describeMetric('a')).toMatchObject({ rows: 5, scoredRows: 2 });
    });

    it('tell how far a metric is from its first fit', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const learning = async () => (await queries.describeMetric('a'))?.learning;
      const metricId = await fixture.metric('a', 4);
      expect(await learning()).toBeNull();
      await catalogue.monitor(metricId, request({ minimumRows: 6, likelihood: shortLikelihood }));
      expect(await learning()).toEqual({ rows: 4, of: 6 });
      await fixture.append(samples('a', 5, 12));
      // Rows that are gone were seen all the same.
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid <= 2`);
      await catalogue.activate(metricId, 'firstRows');
      expect(await learning()).toEqual({ rows: 0, of: 5 });
      await fixture.score(metricId, 2, 7);
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid <= 5`);
      expect(await learning()).toEqual({ rows: 5, of: 5 });
      await fixture.score(metricId, 7, 8);
      expect(await learning()).toBeNull();
    });

    it('go in pages through names in the order of their bytes', async () => {
      const fixture = current();
      // UTF-16 would put the last two the other way round.
      const names = ['A', 'B', 'a', 'b', 'é', '\uffee', '🦄'];
      await fixture.append(...names.toReversed().map((name) => samples(name, 1, 1)));
      const listed = async (after: string, limit: number) =>
        (await fixture.store.queries.listMetrics(after, limit)).map((metric) => metric.name);
      expect(await listed('', 100)).toEqual(names);
      expect(await listed('', 3)).toEqual(['A', 'B', 'a']);
      expect(await listed('a', 3)).toEqual(['b', 'é', '\uffee']);
      expect(await listed('aa', 1)).toEqual(['b']);
      expect(await listed('🦄', 3)).toEqual([]);
      for (const limit of [0, 10_001]) await expect(listed('', limit)).rejects.toThrow(RangeError);
    });
  });

  describe('describeModel', () => {
    it('tells what was asked for and what came of it', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const metricId = await fixture.metric('a', 3);
      expect(await queries.describeModel(metricId)).toBeNull();
      expect(await queries.describeModel('0'.repeat(32))).toBeNull();
      await catalogue.monitor(metricId, request({ minimumRows: 4 }));
      expect(await queries.describeModel(metricId)).toEqual({
        generation: 1,
        range: null,
        resolution: null,
        likelihood: request().likelihood,
        algorithmRevision: 3,
        startRowid: null,
        processedRowid: null,
        scoredRowid: null,
        backlogRowid: 3,
        modelParams: null,
        commands: [],
        likelihoodState: null,
      });
      await fixture.append(samples('a', 4, 8));
      await catalogue.activate(metricId, 'firstRows');
      await fixture.score(metricId, 0, 5);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 5, 7));
      const reset = await catalogue.changeModel(metricId, { what: 'reset' }, 0);
      const opened = await queries.describeModel(metricId);
      // Values 1 to 4: 3 + 2 * 0.6.
      expect(opened?.range?.min).toBeCloseTo(0.4, 12);
      expect(opened?.range?.max).toBeCloseTo(4.6, 12);
      expect(opened?.resolution).toBeCloseTo(4.2 / 130, 12);
      expect(opened).toMatchObject({
        startRowid: 1,
        processedRowid: 7,
        scoredRowid: 5,
        backlogRowid: 3,
        modelParams: paramsWith(opened?.resolution ?? 0),
        commands: [reset],
        likelihoodState: Uint8Array.of(1, 2, 5),
      });
      await fixture.nextGeneration(metricId);
      expect(await queries.describeModel(metricId)).toMatchObject({
        generation: 2,
        range: { min: 0, max: 130 },
        scoredRowid: 0,
        backlogRowid: 8,
      });
    });
  });

  describe('recentScores', () => {
    it('gives the newest scores of the present generation, oldest first', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const plain = await fixture.metric('plain', 3);
      const short = await fixture.monitored('short', 3);
      await fixture.score(short, 0, 2);
      const long = await fixture.monitored('long', 9);
      await fixture.score(long, 0, 8);
      await fixture.store.log.recordRawScores(fixture.raw(long, 8, 9));
      const byId = async (rows: number) =>
        new Map(
          (await queries.recentScores([plain, short, long], rows)).map((recent) => [recent.metricId, recent]),
        );
      const three = await byId(3);
      expect([...three.keys()].sort()).toEqual([short, long].sort());
      expect(three.get(short)).toEqual({
        metricId: short,
        generation: 1,
        scoredRowid: 2,
        anomalyScores: [anomalyScoreOf(1), anomalyScoreOf(2)],
      });
      expect(three.get(long)?.anomalyScores).toEqual([6, 7, 8].map(anomalyScoreOf));
      expect((await byId(1)).get(long)?.anomalyScores).toEqual([anomalyScoreOf(8)]);
      // What a closed generation left does not show in the next.
      await catalogue.unmonitor(long);
      expect((await byId(3)).has(long)).toBe(false);
      await catalogue.clearResults(long, 1000);
      await catalogue.monitor(long, requestWithRange());
      expect((await byId(3)).has(long)).toBe(false);
      await fixture.score(long, 0, 2, 2);
      expect((await byId(1000)).get(long)).toMatchObject({
        generation: 2,
        scoredRowid: 2,
        anomalyScores: [anomalyScoreOf(1), anomalyScoreOf(2)],
      });
    });

    it('is asked for a bounded number of metrics and rows', async () => {
      const { queries } = current().store;
      for (const [metrics, rows] of [
        [0, 1],
        [1001, 1],
        [1, 0],
        [1, 1001],
      ] as const) {
        const ids = Array.from({ length: metrics }, () => '0'.repeat(32));
        await expect(queries.recentScores(ids, rows)).rejects.toThrow(RangeError);
      }
    });
  });

  describe('readData', () => {
    async function rowids(metricId: string, selection: DataSelection): Promise<number[]> {
      return (await current().store.queries.readData(metricId, selection)).map((row) => row.rowid);
    }

    it('gives rows with what is known of them', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 2);
      await fixture.score(metricId, 0, 1);
      expect(await fixture.data(metricId)).toEqual([
        {
          rowid: 1,
          timestamp: timeOf(1),
          value: 1,
          rawAnomalyScore: rawScoreOf(1),
          anomalyScore: anomalyScoreOf(1),
          displayValue: 10,
          multiStepBestPredictions: null,
        },
        {
          rowid: 2,
          timestamp: timeOf(2),
          value: 2,
          rawAnomalyScore: null,
          anomalyScore: null,
          displayValue: null,
          multiStepBestPredictions: null,
        },
      ]);
    });

    it('hides raw scores of rows that are not scored yet', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 3);
      await fixture.score(metricId, 0, 1);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 1, 3));
      expect((await fixture.data(metricId)).map((row) => row.rawAnomalyScore)).toEqual([
        rawScoreOf(1),
        null,
        null,
      ]);
    });

    it('selects by time, both bounds included, between rows and beyond them too', async () => {
      const metricId = await current().metric('a', 9);
      const between = (fromTimestamp: number, toTimestamp: number) =>
        rowids(metricId, { limit: 100, fromTimestamp, toTimestamp });
      expect(await between(timeOf(3), timeOf(5))).toEqual([3, 4, 5]);
      expect(await between(timeOf(3) - 1, timeOf(5) + 1)).toEqual([3, 4, 5]);
      expect(await between(timeOf(3) + 0.5, timeOf(5) - 0.5)).toEqual([4]);
      expect(await between(timeOf(3) + 1, timeOf(4) - 1)).toEqual([]);
      expect(await between(0, timeOf(2))).toEqual([1, 2]);
      expect(await between(timeOf(8), 9e9)).toEqual([8, 9]);
      expect(await between(9e9, 9e9)).toEqual([]);
      expect(await between(0, 1)).toEqual([]);
      expect(await between(timeOf(5), timeOf(3))).toEqual([]);
      expect(await rowids(metricId, { limit: 100, fromTimestamp: timeOf(8) })).toEqual([8, 9]);
      expect(await rowids(metricId, { limit: 100, toTimestamp: timeOf(2) })).toEqual([1, 2]);
    });

    it('finds times among the rows that are left after the first ones are gone', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 9);
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid <= 4`);
      expect(
        await rowids(metricId, { limit: 100, fromTimestamp: timeOf(2), toTimestamp: timeOf(6) }),
      ).toEqual([5, 6]);
    });

    it('goes on after a row, the newest first or the oldest, at most so many', async () => {
      const metricId = await current().metric('a', 9);
      expect(await rowids(metricId, { limit: 3 })).toEqual([1, 2, 3]);
      expect(await rowids(metricId, { limit: 3, afterRowid: 3 })).toEqual([4, 5, 6]);
      expect(await rowids(metricId, { limit: 3, newestFirst: true })).toEqual([9, 8, 7]);
      const both = { afterRowid: 3, fromTimestamp: timeOf(2), toTimestamp: timeOf(6) };
      expect(await rowids(metricId, { limit: 9, ...both })).toEqual([4, 5, 6]);
      expect(await rowids(metricId, { limit: 2, newestFirst: true, ...both })).toEqual([6, 5]);
    });

    it('gives up to a hundred thousand rows', async () => {
      const fixture = current();
      for (let first = 1; first <= 12_000; first += 6000)
        await fixture.append(samples('a', first, first + 5999));
      const metricId = (await fixture.store.catalogue.findMetric('a'))?.metricId ?? '';
      expect(await rowids(metricId, { limit: 100_000 })).toHaveLength(12_000);
      await expect(rowids(metricId, { limit: 100_001 })).rejects.toThrow(RangeError);
      await expect(rowids(metricId, { limit: 0 })).rejects.toThrow(RangeError);
    });

    it('gives nothing for a metric that does not exist or has no rows', async () => {
      const metricId = await current().metric('a', 0);
      const selection = { limit: 10, fromTimestamp: 1, toTimestamp: 9e9 };
      expect(await rowids(metricId, selection)).toEqual([]);
      expect(await rowids('0'.repeat(32), selection)).toEqual([]);
    });
  });

  describe('readBuckets', () => {
    const bucket = (first: number, last: number, anomalyScore: number | null) => ({
      firstRowid: first,
      lastRowid: last,
      firstTimestamp: timeOf(first),
      lastTimestamp: timeOf(last),
      lowest: first,
      highest: last,
      anomalyScore,
    });

    it('keeps the extremes of runs of rows, and hides scores that do not count', async () => {
      const fixture = current();
      const { queries } = fixture.store;
      const metricId = await fixture.monitored('a', 10);
      await fixture.score(metricId, 0, 5);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 5, 8));
      expect(await queries.readBuckets(metricId, { buckets: 3 })).toEqual([
        bucket(1, 4, anomalyScoreOf(4)),
        bucket(5, 8, anomalyScoreOf(5)),
        bucket(9, 10, null),
      ]);
      expect(await queries.readBuckets(metricId, { buckets: 1 })).toEqual([bucket(1, 10, anomalyScoreOf(5))]);
      // As many as there are rows: each its own.
      expect(await queries.readBuckets(metricId, { buckets: 10_000 })).toHaveLength(10);
      // Scores of a closed generation are still in the rows, and must not show.
      await fixture.store.catalogue.unmonitor(metricId);
      expect(await queries.readBuckets(metricId, { buckets: 1 })).toEqual([bucket(1, 10, null)]);
    });

    it('keeps a peak among very many rows', async () => {
      const fixture = current();
      for (let first = 1; first <= 120_000; first += 10_000) {
        const run = samples('long', first, first + 9999);
        await fixture.append({
          ...run,
          values: run.values.map((value) => (value === 70_001 ? 1e9 : value % 7)),
        });
      }
      const metricId = (await fixture.store.catalogue.findMetric('long'))?.metricId ?? '';
      const buckets = await fixture.store.queries.readBuckets(metricId, { buckets: 7 });
      expect(buckets).toHaveLength(7);
      expect(buckets.map(({ highest }) => highest)).toEqual([6, 6, 6, 6, 1e9, 6, 6]);
      expect(
        buckets.map(({ firstRowid, lastRowid }) => lastRowid - firstRowid + 1).reduce((a, b) => a + b),
      ).toBe(120_000);
    });

    it('selects by time, both bounds included', async () => {
      const { queries } = current().store;
      const metricId = await current().metric('a', 9);
      const between = async (fromTimestamp: number, toTimestamp: number) =>
        (await queries.readBuckets(metricId, { buckets: 2, fromTimestamp, toTimestamp })).map(
          ({ firstRowid, lastRowid }) => [firstRowid, lastRowid],
        );
      expect(await between(timeOf(3), timeOf(6))).toEqual([
        [3, 4],
        [5, 6],
      ]);
      expect(await between(0, timeOf(1))).toEqual([[1, 1]]);
      expect(await between(9e9, 9e9)).toEqual([]);
      expect(await between(timeOf(5), timeOf(3))).toEqual([]);
      expect(await queries.readBuckets('0'.repeat(32), { buckets: 2 })).toEqual([]);
      await expect(queries.readBuckets(metricId, { buckets: 0 })).rejects.toThrow(RangeError);
    });
  });

  describe('anomalyBars', () => {
    it('gives what was folded into them, of monitored metrics by name', async () => {
      const fixture = current();
      const { queries, catalogue } = fixture.store;
      await fixture.metric('0 stored', 3);
      const scored = await fixture.monitored('1 scored', 5);
      await fixture.score(scored, 0, 3);
      const plain = await fixture.monitored('2 plain', 2);
      const listed = { metricId: scored, name: '1 scored', status: MetricStatus.ACTIVE };
      const bars = { ...listed, bars: Uint8Array.of(3, 4, 3) };
      const none = { metricId: plain, name: '2 plain', status: MetricStatus.CREATE_PENDING, bars: null };
      expect(await queries.anomalyBars('', 10)).toEqual([bars, none]);
      expect(await queries.anomalyBars('', 1)).toEqual([bars]);
      expect(await queries.anomalyBars('1 scored', 10)).toEqual([none]);
      // They are the generation's.
      await fixture.nextGeneration(scored);
      const [next] = await queries.anomalyBars('', 1);
      expect(next?.bars).toBeNull();
      await catalogue.unmonitor(scored);
      expect(await queries.anomalyBars('', 10)).toEqual([none]);
      await expect(queries.anomalyBars('', 0)).rejects.toThrow(RangeError);
    });
  });

  describe('totals', () => {
    it('counts metrics by state, rows, and rows that models have before them', async () => {
      const fixture = current();
      const { queries, catalogue, log } = fixture.store;
      expect(await queries.totals()).toEqual({ metrics: {}, rows: 0, unprocessedRows: 0 });
      await fixture.metric('unmonitored', 4);
      await fixture.metric('empty', 0);
      const waiting = await fixture.metric('waiting', 3);
      await catalogue.monitor(waiting, request());
      await fixture.monitored('pending', 5);
      const active = await fixture.monitored('active', 7);
      await log.recordRawScores(fixture.raw(active, 0, 4));
      const failed = await fixture.monitored('failed', 2);
      await log.failModel({ metricId: failed, generation: 1, epoch: fixture.epoch, message: 'x' });
      await fixture.under.execute(`delete from metric_data where uid = '${active}' and rowid = 1`);
      expect(await queries.totals()).toEqual({
        metrics: {
          [MetricStatus.UNMONITORED]: 2,
          [MetricStatus.PENDING_DATA]: 1,
          [MetricStatus.CREATE_PENDING]: 1,
          [MetricStatus.ACTIVE]: 1,
          [MetricStatus.ERROR]: 1,
        },
        rows: 4 + 3 + 5 + 6 + 2,
        unprocessedRows: 5 + 3,
      });
    });
  });
}
