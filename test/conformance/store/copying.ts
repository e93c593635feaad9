import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { RELEARNING, request, requestWithRange, samples, timeOf, type StoreFixture } from './fixture.ts';

/** Copies of metrics with their frozen parameters. */
export function copyingTests(current: () => StoreFixture): void {
  const spec =
    '{"datasource":"custom","metricSpec":{"metric":"a","unit":"%"},"modelParams":{"minResolution":1}}';

  async function copyAll(metricId: string, name: string, limit = 3): Promise<string> {
    const { catalogue } = current().store;
    const copy = await catalogue.beginCopy(metricId);
    while (await catalogue.copyRows(copy, limit));
    await catalogue.finishCopy(copy, name);
    return copy.copyId;
  }

  describe('copies', () => {
    it('have the rows and the frozen parameters, no results, and begin at the first row', async () => {
      const fixture = current();
      const { catalogue, log, queries } = fixture.store;
      const source = await fixture.metric('a', 12);
      await catalogue.monitor(source, request({ spec }));
      await fixture.score(source, 0, 6);
      await fixture.under.execute(`delete from metric_data where uid = '${source}' and rowid <= 2`);
      const copy = await copyAll(source, 'b');
      expect(copy).not.toBe(source);
      const bare = {
        rawAnomalyScore: null,
        anomalyScore: null,
        displayValue: null,
        multiStepBestPredictions: null,
      };
      expect(await fixture.data(copy)).toEqual(
        Array.from({ length: 10 }, (_, i) => ({
          rowid: i + 1,
          timestamp: timeOf(i + 3),
          value: i + 3,
          ...bare,
        })),
      );
      const [task, original] = [await log.modelTask(copy), await log.modelTask(source)];
      expect(task).toMatchObject({
        status: MetricStatus.CREATE_PENDING,
        processedRowid: 0,
        firstRowid: 1,
        lastRowid: 10,
      });
      expect(task?.generation).toEqual({
        ...original?.generation,
        metricId: copy,
        generation: 1,
        startRowid: 1,
        backlogRowid: 10,
      });
      const [described, model] = [await queries.describeModel(copy), await queries.describeModel(source)];
      expect([described?.range, described?.resolution]).toEqual([model?.range, model?.resolution]);
      expect(await catalogue.findMetric('b')).toMatchObject({
        metricId: copy,
        server: 'b',
        lastTimestamp: timeOf(12),
      });
      expect(JSON.parse((await catalogue.getMetric(copy))?.parameters ?? '')).toEqual({
        datasource: 'custom',
        metricSpec: { metric: 'b', unit: '%' },
        modelParams: { minResolution: 1 },
      });
      // It works on as any other: rows, scores, the end.
      await fixture.append(samples('b', 13, 14));
      await fixture.score(copy, 0, 12);
      expect(await queries.describeMetric('b')).toMatchObject({ rows: 12, scoredRows: 12 });
      expect(await catalogue.unmonitor(copy)).toBe(true);
      expect(await queries.describeMetric('a')).toMatchObject({ rows: 10, scoredRows: 4 });
    });

    it('have no rows if none are copied, and wait if the source waits', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const source = await fixture.monitored('a', 5);
      const empty = await catalogue.beginCopy(source);
      expect(await catalogue.finishCopy(empty, 'b')).toBe(MetricStatus.CREATE_PENDING);
      expect(await log.modelTask(empty.copyId)).toMatchObject({
        lastRowid: 0,
        generation: { startRowid: 1, backlogRowid: 0 },
      });
      await fixture.append(samples('b', 1, 2));
      expect(await log.recordRawScores(fixture.raw(empty.copyId, 0, 2))).toEqual({ refused: null });
      const waiting = await fixture.metric('waiting', 4);
      await catalogue.monitor(waiting, request());
      const copy = await copyAll(waiting, 'also waiting');
      expect((await catalogue.getMetric(copy))?.status).toBe(MetricStatus.PENDING_DATA);
      const [outcome] = await fixture.append(samples('also waiting', 5, 10));
      expect(outcome?.readyToActivate).toBe(true);
      expect(await catalogue.activate(copy, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
    });

    it('are seen by nobody before they are finished, and can be given up', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const source = await fixture.monitored('a', 5);
      const before = await queries.totals();
      const copy = await catalogue.beginCopy(source);
      await catalogue.copyRows(copy, 3);
      expect(await queries.totals()).toEqual(before);
      expect(await queries.listMetrics('', 10)).toHaveLength(1);
      expect(await catalogue.getMetric(copy.copyId)).toBeNull();
      await catalogue.beginCopy(source);
      await catalogue.abandonCopies(copy.copyId);
      while (await catalogue.removeDiscarded(2));
      await expect(catalogue.copyRows(copy, 3)).rejects.toThrow();
      await fixture.reopen();
      await fixture.store.catalogue.abandonCopies();
      expect(await fixture.store.catalogue.removeDiscarded(100)).toBe(false);
      expect(await fixture.store.queries.totals()).toEqual(before);
    });

    it('take the name of a metric that is nothing but a name, and of no other', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const source = await fixture.monitored('a', 2);
      await fixture.metric('empty', 0);
      await fixture.metric('stored', 1);
      await catalogue.monitor(await fixture.metric('monitored', 0), requestWithRange());
      expect((await queries.describeMetric('empty'))?.metricId).not.toBe(await copyAll(source, 'empty'));
      for (const [name, code] of [
        ['stored', 'metric_already_exists'],
        ['monitored', 'metric_already_monitored'],
        ['a', 'metric_already_monitored'],
        ['bad\n', 'invalid_metric_name'],
      ] as const) {
        await expect(copyAll(source, name), name).rejects.toMatchObject({ code });
      }
      expect(await queries.describeMetric('stored')).toMatchObject({ rows: 1 });
    });

    it('need a source that stays as it is', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const plain = await fixture.metric('plain', 2);
      await expect(catalogue.beginCopy(plain)).rejects.toMatchObject({ code: 'metric_not_monitored' });
      await expect(catalogue.beginCopy('0'.repeat(32))).rejects.toMatchObject({ code: 'metric_not_found' });
      const source = await fixture.monitored('a', 9);
      const purged = await catalogue.beginCopy(source);
      await fixture.under.execute(`delete from metric_data where uid = '${source}' and rowid <= 2`);
      await expect(catalogue.copyRows(purged, 5)).rejects.toMatchObject({ code: 'metric_status_changed' });
      const relearnt = await catalogue.beginCopy(source);
      await catalogue.relearn(source, requestWithRange(), RELEARNING);
      await expect(catalogue.finishCopy(relearnt, 'b')).rejects.toMatchObject({
        code: 'metric_status_changed',
      });
      const gone = await catalogue.beginCopy(source);
      await catalogue.unmonitor(source);
      await expect(catalogue.finishCopy(gone, 'b')).rejects.toMatchObject({ code: 'metric_not_monitored' });
    });
  });
}
