import { describe, expect, it } from 'vitest';
import { anomalyScoreOf, expectRefused, rawScoreOf, timeOf, type StoreFixture } from './fixture.ts';

/** T2: what it writes, and everything that must make it write nothing. */
export function anomalyScoreTests(current: () => StoreFixture): void {
  describe('recordAnomalyScores', () => {
    it('writes scores, display values and the state, and moves the watermark', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await log.recordRawScores(fixture.raw(metricId, 0, 4));
      expect(await log.recordAnomalyScores(fixture.scored(metricId, 0, 3))).toEqual({ refused: null });
      expect(await log.anomalyTask(metricId)).toMatchObject({
        scoredRowid: 3,
        processedRowid: 4,
        state: Uint8Array.of(1, 2, 3),
      });
      expect(await log.readScoredRows(metricId, 1, 0, 10, 10)).toEqual(
        [1, 2, 3].map((rowid) => ({
          rowid,
          timestamp: timeOf(rowid),
          value: rowid,
          rawAnomalyScore: rawScoreOf(rowid),
          anomalyScore: anomalyScoreOf(rowid),
          displayValue: rowid * 10,
          multiStepBestPredictions: null,
        })),
      );
    });

    it('keeps a state that is a window into a larger buffer', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 1);
      await log.recordRawScores(fixture.raw(metricId, 0, 1));
      const large = Uint8Array.from({ length: 1000 }, (_, index) => index);
      const state = large.subarray(10, 14);
      await log.recordAnomalyScores(fixture.scored(metricId, 0, 1, { state }));
      expect((await log.anomalyTask(metricId))?.state).toEqual(Uint8Array.of(10, 11, 12, 13));
      expect(large).toHaveLength(1000);
    });

    it('goes on while the metric is in ERROR: what is processed is scored', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 2);
      await log.recordRawScores(fixture.raw(metricId, 0, 2));
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'row 3' });
      expect(await log.recordAnomalyScores(fixture.scored(metricId, 0, 2))).toEqual({ refused: null });
    });

    it('refuses a generation that is closed, even if the next one stands at the same row', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await log.recordRawScores(fixture.raw(metricId, 0, 3));
      await catalogue.unmonitor(metricId);
      const late = () => log.recordAnomalyScores(fixture.scored(metricId, 0, 3));
      await expectRefused(fixture, metricId, late, 'generation');
      await fixture.nextGeneration(metricId);
      await log.recordRawScores(fixture.raw(metricId, 0, 3, { generation: 2 }));
      await expectRefused(fixture, metricId, late, 'generation');
    });

    it('refuses the epoch of a lease that was taken over, of its own stage only', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await log.recordRawScores(fixture.raw(metricId, 0, 3));
      await fixture.under.execute("update lease set epoch = 99 where stage <> 'anomaly'");
      expect(await log.recordAnomalyScores(fixture.scored(metricId, 0, 1))).toEqual({ refused: null });
      await fixture.under.execute("update lease set epoch = 99 where stage = 'anomaly'");
      await expectRefused(
        fixture,
        metricId,
        () => log.recordAnomalyScores(fixture.scored(metricId, 1, 2)),
        'epoch',
      );
    });

    it.each([
      [0, 3],
      [1, 3],
      [3, 3],
    ])('refuses a slice from row %i when the watermark stands at row 2', async (from, to) => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await log.recordRawScores(fixture.raw(metricId, 0, 5));
      await log.recordAnomalyScores(fixture.scored(metricId, 0, 2));
      const other = fixture.scored(metricId, from, to, {
        anomalyScores: new Float64Array(to - from).fill(0.9),
      });
      await expectRefused(fixture, metricId, () => log.recordAnomalyScores(other), 'watermark');
    });

    it('throws on a slice that contradicts itself or has no raw scores yet, and writes nothing', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      await log.recordRawScores(fixture.raw(metricId, 0, 2));
      const before = await fixture.everything(metricId);
      const slices = [
        fixture.scored(metricId, 0, 2, { rowids: Int32Array.of(2, 1) }),
        fixture.scored(metricId, 0, 2, { anomalyScores: Float64Array.of(0.5) }),
        fixture.scored(metricId, 0, 2, { displayValues: Int32Array.of(1) }),
        fixture.scored(metricId, 0, 2, { anomalyScores: Float64Array.of(0.5, Number.NaN) }),
        fixture.scored(metricId, 0, 3),
      ];
      for (const slice of slices) await expect(log.recordAnomalyScores(slice)).rejects.toThrow(RangeError);
      expect(await fixture.everything(metricId)).toEqual(before);
    });
  });
}
