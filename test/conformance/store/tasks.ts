import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { CONSUMER, paramsWith, request, requestWithRange, timeOf, type StoreFixture } from './fixture.ts';

/** What the stages read before they work. */
export function taskTests(current: () => StoreFixture): void {
  describe('modelTask and anomalyTask', () => {
    it('tell all that a model and its scores follow from', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.metric('a', 7);
      await catalogue.monitor(metricId, requestWithRange());
      const generation = {
        metricId,
        generation: 1,
        modelParams: paramsWith(1),
        likelihood: requestWithRange().likelihood,
        algorithmRevision: 3,
        startRowid: 1,
        backlogRowid: 7,
      };
      const metric = await catalogue.getMetric(metricId);
      expect(await log.modelTask(metricId)).toEqual({
        generation,
        status: MetricStatus.CREATE_PENDING,
        partition: metric?.partition,
        processedRowid: 0,
        lastRowid: 7,
        firstRowid: 1,
        commands: [],
      });
      expect(await log.anomalyTask(metricId)).toEqual({
        generation,
        partition: metric?.partition,
        scoredRowid: 0,
        processedRowid: 0,
        state: null,
        openSpan: null,
        bars: null,
      });
    });

    it('are null unless a generation is open', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.metric('a', 3);
      async function expectNone(): Promise<void> {
        expect(await log.modelTask(metricId)).toBeNull();
        expect(await log.anomalyTask(metricId)).toBeNull();
        expect(await log.cursor(CONSUMER, metricId)).toBeNull();
      }
      await expectNone();
      await catalogue.monitor(metricId, request());
      await expectNone();
      await catalogue.activate(metricId, 'allRows');
      expect(await log.modelTask(metricId)).not.toBeNull();
      await catalogue.unmonitor(metricId);
      await expectNone();
      expect(await log.modelTask('0'.repeat(32))).toBeNull();
    });

    it('tell the lowest row that is still stored', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 7);
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid < 4`);
      expect((await fixture.store.log.modelTask(metricId))?.firstRowid).toBe(4);
      const empty = await fixture.monitored('b', 0);
      expect(await fixture.store.log.modelTask(empty)).toMatchObject({ firstRowid: 0, lastRowid: 0 });
    });
  });

  describe('readRows', () => {
    it('gives the rows after one and through another, ascending, at most so many', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.metric('a', 9);
      await fixture.metric('b', 9);
      const read = async (after: number, through: number, limit: number) =>
        Array.from((await log.readRows(metricId, after, through, limit)).rowids);
      expect(await read(0, 9, 100)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(await read(3, 6, 100)).toEqual([4, 5, 6]);
      expect(await read(3, 9, 2)).toEqual([4, 5]);
      expect(await read(9, 100, 10)).toEqual([]);
      expect(await read(5, 5, 10)).toEqual([]);
    });

    it('gives ten thousand rows at once, and refuses to give more', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.metric('a', 10_000);
      const rows = await log.readRows(metricId, 0, 20_000, 10_000);
      expect(rows.timestamps).toHaveLength(10_000);
      expect(rows.timestamps.at(-1)).toBe(timeOf(10_000));
      for (const limit of [10_001, 0, -1, 1.5, Number.NaN]) {
        await expect(log.readRows(metricId, 0, 20_000, limit)).rejects.toThrow(RangeError);
      }
    });

    it('hides the raw scores that a closed generation left', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      await log.recordRawScores(fixture.raw(metricId, 0, 3));
      await catalogue.unmonitor(metricId);
      const rows = await log.readRows(metricId, 0, 3, 10);
      expect(Array.from(rows.rawScores)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
      expect(Array.from(rows.values)).toEqual([1, 2, 3]);
    });
  });

  describe('cursor and readScoredRows', () => {
    it('tell where a consumer stands and what it may read', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 9);
      await fixture.score(metricId, 0, 6);
      await log.advanceCursor(fixture.move(metricId, 0, 2));
      const metric = await catalogue.getMetric(metricId);
      expect(await log.cursor(CONSUMER, metricId)).toEqual({
        metricId,
        name: 'a',
        generation: 1,
        partition: metric?.partition,
        backlogRowid: 9,
        rowid: 2,
        scoredRowid: 6,
      });
      const read = async (after: number, through: number, limit: number) =>
        (await log.readScoredRows(metricId, 1, after, through, limit)).map((row) => row.rowid);
      expect(await read(2, 6, 10)).toEqual([3, 4, 5, 6]);
      expect(await read(2, 6, 3)).toEqual([3, 4, 5]);
      expect(await read(2, 4, 10)).toEqual([3, 4]);
      expect(await read(0, 9, 10)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('begin before the first row of a new generation, whatever the last one saw', async () => {
      const fixture = current();
      const { log, catalogue, queries } = fixture.store;
      const metricId = await fixture.monitored('a', 9);
      await fixture.score(metricId, 0, 6);
      await log.advanceCursor(fixture.move(metricId, 0, 6));
      await fixture.unmonitor(metricId);
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid < 4`);
      await catalogue.monitor(metricId, requestWithRange());
      expect(await log.cursor(CONSUMER, metricId)).toMatchObject({ generation: 2, rowid: 3, scoredRowid: 3 });
      expect(await log.readScoredRows(metricId, 2, 0, 9, 10)).toEqual([]);
      expect((await queries.describeMetric('a'))?.scoredRows).toBe(0);
      await fixture.score(metricId, 3, 6, 2);
      expect(await log.readScoredRows(metricId, 2, 0, 9, 10)).toHaveLength(3);
      expect((await queries.describeMetric('a'))?.scoredRows).toBe(3);
    });

    it('give the rows of one generation only', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      await fixture.score(metricId, 0, 3);
      expect(await log.readScoredRows(metricId, 2, 0, 3, 10)).toEqual([]);
      await catalogue.unmonitor(metricId);
      expect(await log.readScoredRows(metricId, 1, 0, 3, 10)).toEqual([]);
      await fixture.nextGeneration(metricId);
      await fixture.score(metricId, 0, 3, 2);
      // A consumer that still works on the generation before must not be given these.
      expect(await log.readScoredRows(metricId, 1, 0, 3, 10)).toEqual([]);
      expect(await log.readScoredRows(metricId, 2, 0, 3, 10)).toHaveLength(3);
    });

    it('hide what a row carries beyond the watermark, whoever left it there', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 3);
      await fixture.score(metricId, 0, 2);
      await fixture.under.execute(
        `update metric_data set raw_anomaly_score = 1, anomaly_score = 1, display_value = 1 where uid = '${metricId}' and rowid = 3`,
      );
      expect(await fixture.store.log.readScoredRows(metricId, 1, 0, 3, 10)).toHaveLength(2);
      expect((await fixture.data(metricId)).at(-1)).toMatchObject({ anomalyScore: null, displayValue: null });
    });

    it('leave out rows that have no score', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      const rowids = Int32Array.of(1, 3);
      const two = Float64Array.of(0.5, 0.5);
      await log.recordRawScores(fixture.raw(metricId, 0, 3, { rowids, rawScores: two }));
      const displayValues = Int32Array.of(0, 0);
      await log.recordAnomalyScores(
        fixture.scored(metricId, 0, 3, { rowids, anomalyScores: two, displayValues }),
      );
      const rows = await log.readScoredRows(metricId, 1, 0, 3, 10);
      expect(rows.map((row) => row.rowid)).toEqual([1, 3]);
    });
  });
}
