import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { request, requestWithRange, samples, type StoreFixture } from './fixture.ts';

/** Results of a closed generation: hidden at once, cleared bit by bit, never mixed with new ones. */
export function clearingTests(current: () => StoreFixture): void {
  describe('clearResults', () => {
    it('hides results at once and clears them in steps', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 7);
      const predictions = Array.from({ length: 7 }, () => '{"1":1}');
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 7, { predictions }));
      await fixture.store.log.recordAnomalyScores(fixture.scored(metricId, 0, 6));
      await catalogue.unmonitor(metricId);
      const bare = {
        rawAnomalyScore: null,
        anomalyScore: null,
        displayValue: null,
        multiStepBestPredictions: null,
      };
      expect(await fixture.data(metricId)).toEqual(Array(7).fill(expect.objectContaining(bare)));
      expect(await catalogue.metricsToClear(10)).toEqual([metricId]);
      expect(await catalogue.clearResults(metricId, 3)).toBe(true);
      expect(await catalogue.clearResults(metricId, 3)).toBe(true);
      expect(await catalogue.metricsToClear(10)).toEqual([metricId]);
      expect(await catalogue.clearResults(metricId, 3)).toBe(false);
      expect(await catalogue.metricsToClear(10)).toEqual([]);
      expect(await catalogue.clearResults(metricId, 3)).toBe(false);
      // In the new generation every row is visible once it is scored: nothing old may show.
      await catalogue.monitor(metricId, requestWithRange());
      const none = { generation: 2, rowids: new Int32Array(), rawScores: new Float64Array() };
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 7, none));
      const unscored = {
        ...none,
        anomalyScores: new Float64Array(),
        displayValues: new Int32Array(),
      };
      await fixture.store.log.recordAnomalyScores(fixture.scored(metricId, 0, 7, unscored));
      expect(await fixture.data(metricId)).toEqual(Array(7).fill(expect.objectContaining(bare)));
    });

    it.each([
      ['a range', requestWithRange()],
      ['none', request({ minimumRows: 100 })],
    ])('must be finished before a new generation, with %s, is asked for', async (_, next) => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 3));
      await catalogue.unmonitor(metricId);
      for (let step = 0; step < 3; step += 1) {
        await expect(catalogue.monitor(metricId, next)).rejects.toMatchObject({
          code: 'metric_status_changed',
          message: expect.stringContaining('cleared') as string,
          details: { status: MetricStatus.UNMONITORED },
        });
        await catalogue.clearResults(metricId, 1);
      }
      expect(await catalogue.monitor(metricId, next)).not.toBe(MetricStatus.UNMONITORED);
    });

    it('has nothing to do for a generation without results', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const pending = await fixture.metric('pending', 1);
      await catalogue.monitor(pending, request());
      const empty = await fixture.monitored('empty', 0);
      await log.recordRawScores(fixture.raw(empty, 0, 0));
      for (const metricId of [pending, empty]) {
        await catalogue.unmonitor(metricId);
        await catalogue.monitor(metricId, requestWithRange());
      }
      expect(await catalogue.metricsToClear(10)).toEqual([]);
    });

    it('goes on while rows are appended, and after a restart', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 4);
      await fixture.score(metricId, 0, 4);
      await fixture.store.catalogue.unmonitor(metricId);
      await fixture.store.catalogue.clearResults(metricId, 1);
      await fixture.append(samples('a', 5, 6));
      await fixture.reopen();
      expect(await fixture.store.catalogue.metricsToClear(10)).toEqual([metricId]);
      expect(await fixture.store.catalogue.clearResults(metricId, 3)).toBe(false);
    });

    it('lists a limited number of metrics', async () => {
      const fixture = current();
      for (const name of 'abc') {
        const metricId = await fixture.monitored(name, 1);
        await fixture.score(metricId, 0, 1);
        await fixture.store.catalogue.unmonitor(metricId);
      }
      expect(await fixture.store.catalogue.metricsToClear(2)).toHaveLength(2);
    });
  });
}
