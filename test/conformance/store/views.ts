import { describe, expect, it } from 'vitest';
import { logLikelihood } from '../../../src/htm/index.ts';
import { anomalyScoreOf, rawScoreOf, timeOf, type StoreFixture } from './fixture.ts';

/** What people who plot with SQL may rely on. */
export function viewTests(current: () => StoreFixture): void {
  describe('the views', () => {
    it('have every row with its time and value, and scores up to the watermark', async () => {
      const fixture = current();
      await fixture.score(await fixture.monitored('a', 5), 0, 3);
      await fixture.metric('unmonitored', 1);
      const rows = await fixture.under.select(
        "select * from htmengine_results where metric = 'a' order by time",
      );
      expect(rows.map(({ row_id: rowid, time, value }) => [rowid, Number(time), value])).toEqual(
        [1, 2, 3, 4, 5].map((rowid) => [rowid, timeOf(rowid), rowid]),
      );
      expect(rows.map((row) => row.raw_anomaly_score)).toEqual([1, 2, 3].map(rawScoreOf).concat(NONE));
      expect(rows.map((row) => row.anomaly_score)).toEqual([1, 2, 3].map(anomalyScoreOf).concat(NONE));
      for (const [index, { log_likelihood: found }] of rows.slice(0, 3).entries())
        expect(found).toBeCloseTo(logLikelihood(anomalyScoreOf(index + 1)), 12);
      expect(rows[0]).toMatchObject({ generation: 1, state: 'ACTIVE', display_value: 10 });
      expect(rows[4]).toMatchObject({ log_likelihood: null, display_value: null });
    });

    it('hide what a closed generation has left', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 4);
      await fixture.score(metricId, 0, 4);
      await fixture.store.catalogue.unmonitor(metricId);
      const rows = await fixture.under.select('select anomaly_score, state from htmengine_results');
      expect(rows).toEqual(Array(4).fill({ anomaly_score: null, state: 'UNMONITORED' }));
    });

    it('list metrics, but not those that are being removed', async () => {
      const fixture = current();
      await fixture.score(await fixture.monitored('a', 5), 0, 3);
      const gone = await fixture.metric('gone', 2);
      await fixture.store.catalogue.discardMetric(gone);
      const metrics = await fixture.under.select('select * from htmengine_metrics');
      expect(metrics).toMatchObject([
        { metric: 'a', state: 'ACTIVE', message: null, generation: 1, last_rowid: 5, scored_rowid: 3 },
      ]);
      expect(Number(metrics[0]?.last_time)).toBe(timeOf(5));
      expect(
        await fixture.under.select("select metric from htmengine_results where metric = 'gone'"),
      ).toEqual([]);
    });
  });
}

const NONE = [null, null] as unknown as number[];
