import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import type { RowDeletion } from '../../../src/store/retention.ts';
import {
  anomalyScoreOf,
  request,
  requestWithRange,
  samples,
  SECONDS_PER_ROW,
  timeOf,
  type StoreFixture,
} from './fixture.ts';

/** Rows that people delete. */
export function deletingTests(current: () => StoreFixture): void {
  const likelihood = {
    ...request().likelihood,
    learningPeriod: 5,
    estimationSamples: 2,
    historicWindowSize: 10,
  };

  /** The rows from `first` to `last`, as they were given. */
  function remove(metricId: string, first: number, last: number, overrides: Partial<RowDeletion> = {}) {
    return current().store.retention.deleteRows({
      metricId,
      times: { fromTimestamp: timeOf(first), toTimestamp: timeOf(last) },
      generation: 1,
      checkpointRowids: [45, 42],
      relearn: null,
      ...overrides,
    });
  }

  /** Rowids, and the values, each the rowid that the row had first. */
  const rows = async (metricId: string) =>
    (await current().data(metricId)).map(({ rowid, value }) => [rowid, value]);

  /** 50 rows, all scored and with the consumer. */
  async function scoredMetric(): Promise<string> {
    const fixture = current();
    const metricId = await fixture.metric('a', 50);
    await fixture.store.catalogue.monitor(metricId, requestWithRange({ likelihood }));
    await fixture.score(metricId, 0, 50);
    await fixture.store.log.advanceCursor(fixture.move(metricId, 0, 50));
    return metricId;
  }

  describe('deleteRows', () => {
    it('lets the rows before move up, so that rowids have no gaps and the last stays', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 9);
      const other = await fixture.metric('b', 9);
      const untouched = await fixture.everything(other);
      expect(await remove(metricId, 4, 6)).toEqual({ deletedRows: 3, keptBy: null });
      expect(await rows(metricId)).toEqual(
        [4, 5, 6, 7, 8, 9].map((rowid, i) => [rowid, [1, 2, 3, 7, 8, 9][i]]),
      );
      expect(await remove(metricId, 4, 6)).toEqual({ deletedRows: 0, keptBy: null });
      expect(await fixture.store.queries.describeMetric('a')).toMatchObject({
        rows: 6,
        lastTimestamp: timeOf(9),
      });
      // Between two rows there is nothing, and one second more is one row.
      const times = { fromTimestamp: timeOf(7) + 1, toTimestamp: timeOf(8) - 1 };
      expect(await remove(metricId, 0, 0, { times })).toMatchObject({ deletedRows: 0 });
      const more = { ...times, toTimestamp: times.toTimestamp + 1 };
      expect(await remove(metricId, 0, 0, { times: more })).toMatchObject({ deletedRows: 1 });
      const [outcome] = await fixture.append(samples('a', 9, 10));
      expect(outcome).toMatchObject({ lastRowid: 10, refused: [{ reason: 'duplicate' }] });
      expect((await rows(metricId)).at(-1)).toEqual([10, 10]);
      expect(await fixture.everything(other)).toEqual(untouched);
    });

    it('takes samples again that are older than a newest row that went', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 5);
      await remove(metricId, 4, 5);
      expect(await fixture.store.catalogue.getMetric(metricId)).toMatchObject({
        lastRowid: 5,
        lastTimestamp: timeOf(3),
      });
      const [outcome] = await fixture.append({
        name: 'a',
        timestamps: [timeOf(3), timeOf(4)],
        values: [0, 44],
      });
      expect(outcome).toMatchObject({ lastRowid: 6, refused: [{ index: 0 }] });
      await remove(metricId, 1, 9);
      expect(await fixture.store.queries.describeMetric('a')).toMatchObject({ rows: 0, lastTimestamp: null });
      await fixture.append(samples('a', 1, 2));
      expect(await rows(metricId)).toEqual([
        [7, 1],
        [8, 2],
      ]);
      await fixture.store.catalogue.monitor(metricId, requestWithRange());
      expect(await fixture.store.log.modelTask(metricId)).toMatchObject({
        firstRowid: 7,
        processedRowid: 6,
        generation: { startRowid: 7 },
      });
    });

    it('of a monitored metric deletes only what nothing needs, and scoring goes on', async () => {
      const fixture = current();
      const { log, queries } = fixture.store;
      const metricId = await scoredMetric();
      const before = await rows(metricId);
      for (const [first, last, keptBy, overrides] of [
        [30, 41, 'likelihood', {}],
        [50, 50, 'likelihood', {}],
        [30, 40, 'checkpoints', { checkpointRowids: [45] }],
        [30, 40, 'checkpoints', { checkpointRowids: [45, 39] }],
        [30, 40, 'state', { generation: null }],
      ] as const)
        expect(await remove(metricId, first, last, overrides)).toEqual({ deletedRows: 0, keptBy });
      await log.advanceCursor(fixture.move(metricId, 0, 12, { consumer: 'slow' }));
      expect(await remove(metricId, 12, 13)).toMatchObject({ keptBy: 'cursor' });
      expect(await rows(metricId)).toEqual(before);
      await log.advanceCursor(fixture.move(metricId, 12, 50, { consumer: 'slow' }));
      expect(await remove(metricId, 11, 40)).toEqual({ deletedRows: 30, keptBy: null });
      expect((await rows(metricId)).slice(8, 12)).toEqual([
        [39, 9],
        [40, 10],
        [41, 41],
        [42, 42],
      ]);
      const data = await fixture.data(metricId);
      expect(data.map(({ value, anomalyScore }) => anomalyScore === anomalyScoreOf(value))).not.toContain(
        false,
      );
      expect(await queries.describeMetric('a')).toMatchObject({ rows: 20, scoredRows: 20 });
      await fixture.append(samples('a', 51, 52));
      await fixture.score(metricId, 50, 52);
      expect(await log.modelTask(metricId)).toMatchObject({ processedRowid: 52, firstRowid: 31 });
    });

    it('deletes any rows if the metric learns anew, in one transaction with that', async () => {
      const fixture = current();
      const { catalogue, log, queries } = fixture.store;
      const metricId = await scoredMetric();
      const interval = { fromTimestamp: timeOf(60), toTimestamp: timeOf(70) };
      await catalogue.changeModel(metricId, { what: 'doNotLearn', ...interval }, 0);
      expect(await remove(metricId, 41, 50, { relearn: request() })).toEqual({
        deletedRows: 10,
        keptBy: null,
      });
      expect((await catalogue.getMetric(metricId))?.status).toBe(MetricStatus.PENDING_DATA);
      // Rows that wait keep being there; but learning anew once more is possible.
      expect(await remove(metricId, 1, 1, { generation: null })).toMatchObject({ keptBy: 'state' });
      expect(await remove(metricId, 1, 5, { generation: null, relearn: request() })).toMatchObject({
        deletedRows: 5,
      });
      while (await catalogue.clearResults(metricId, 7));
      expect(await catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
      const data = await fixture.data(metricId);
      expect(data.map(({ value }) => value)).toEqual(Array.from({ length: 35 }, (_, i) => i + 6));
      expect(data.every(({ rawAnomalyScore }) => rawAnomalyScore === null)).toBe(true);
      const stored = await log.readRows(metricId, 0, 99, 100);
      expect([...stored.rawScores].every(Number.isNaN)).toBe(true);
      // Values 6 to 40: a fifth of 34 on each side.
      const model = await queries.describeModel(metricId);
      expect(model?.range?.max).toBeCloseTo(40 + 6.8, 12);
      expect(model).toMatchObject({ generation: 3, startRowid: 16, processedRowid: 15 });
      expect(model?.commands).toMatchObject([{ change: { what: 'doNotLearn', ...interval } }]);
      expect(await remove(metricId, 41, 50, { relearn: request() })).toEqual({
        deletedRows: 0,
        keptBy: null,
      });
      expect((await queries.describeModel(metricId))?.generation).toBe(3);
    });

    it.each([
      ['before', 1, 3],
      ['around the beginning of', 3, 6],
      ['within', 7, 8],
      ['around the end of', 10, 13],
      ['all of', 1, 20],
      ['behind', 13, 15],
    ] as const)('clears the old results of what is left when rows %s them go', async (_, first, last) => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 20);
      await fixture.score(metricId, 0, 12);
      await catalogue.unmonitor(metricId);
      await catalogue.clearResults(metricId, 4);
      await remove(metricId, first, last);
      while (await catalogue.clearResults(metricId, 2));
      const { rawScores, rowids } = await log.readRows(metricId, 0, 99, 100);
      expect(rowids).toHaveLength(20 - (last - first + 1));
      expect([...rawScores].every(Number.isNaN)).toBe(true);
      expect(await catalogue.metricsToClear(10)).toEqual([]);
    });

    it('takes the spans that lay in it along, and ends a copy that is being made', async () => {
      const fixture = current();
      const { catalogue, log, incidents } = fixture.store;
      const metricId = await fixture.monitored('a', 12);
      await log.recordRawScores(fixture.raw(metricId, 0, 12));
      const span = (first: number, last: number) => ({
        openedRowid: first,
        openedAt: timeOf(first),
        lastRowid: last,
        lastAt: timeOf(last),
        peakScore: 1,
        peakAt: timeOf(first),
        lowestValue: 1,
        highestValue: 2,
        ended: true,
      });
      await log.recordAnomalyScores(fixture.scored(metricId, 0, 12, { spans: [span(2, 4), span(6, 9)] }));
      const copy = await catalogue.beginCopy(metricId);
      await catalogue.copyRows(copy, 3);
      await catalogue.unmonitor(metricId);
      await remove(metricId, 6, 9);
      const spans = await incidents.spans({ limit: 10 });
      expect(spans.map(({ openedRowid }) => openedRowid)).toEqual([2]);
      await expect(catalogue.copyRows(copy, 3)).rejects.toMatchObject({ code: 'metric_status_changed' });
    });

    it('refuses what is not there', async () => {
      await expect(remove('0'.repeat(32), 1, 2)).rejects.toMatchObject({ code: 'metric_not_found' });
      const metricId = await current().metric('a', 2);
      await expect(remove(metricId, 1, 2, { relearn: request() })).rejects.toMatchObject({
        code: 'metric_not_monitored',
      });
      const times = { fromTimestamp: timeOf(2), toTimestamp: timeOf(2) - SECONDS_PER_ROW };
      await expect(remove(metricId, 0, 0, { times })).rejects.toThrow(RangeError);
    });
  });
}
