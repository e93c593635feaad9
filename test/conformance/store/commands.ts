import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { expectRefused, request, timeOf, type StoreFixture } from './fixture.ts';

/** Commands that change a model are rows of the log. */
export function commandTests(current: () => StoreFixture): void {
  describe('changeModel', () => {
    it('numbers commands and tells the scheduler all of them', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 9);
      await log.recordRawScores(fixture.raw(metricId, 0, 3));
      const changes = [
        { what: 'learning', on: false },
        { what: 'reset' },
        { what: 'doNotLearn', fromTimestamp: timeOf(5), toTimestamp: timeOf(8) },
      ] as const;
      const given = [];
      for (const [i, change] of changes.entries())
        given.push(await catalogue.changeModel(metricId, change, i * 3));
      expect(given).toEqual([
        { sequence: 1, afterRowid: 3, change: changes[0] },
        { sequence: 2, afterRowid: 3, change: changes[1] },
        { sequence: 3, afterRowid: 6, change: changes[2] },
      ]);
      expect((await log.modelTask(metricId))?.commands).toEqual(given);
    });

    it('makes T1 refuse a slice that was computed without it', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 9);
      await log.recordRawScores(fixture.raw(metricId, 0, 3));
      await catalogue.changeModel(metricId, { what: 'reset' }, 5);
      await expectRefused(
        fixture,
        metricId,
        () => log.recordRawScores(fixture.raw(metricId, 3, 6)),
        'command',
      );
      expect(await log.recordRawScores(fixture.raw(metricId, 3, 5))).toEqual({ refused: null });
      const knowing = fixture.raw(metricId, 5, 6, { commandSequence: 1 });
      expect(await log.recordRawScores(knowing)).toEqual({ refused: null });
    });

    it('gives no command twice, and does not mind whether the rows of an interval have come', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 9);
      const interval = { what: 'doNotLearn', fromTimestamp: timeOf(4), toTimestamp: timeOf(20) } as const;
      const part = { ...interval, toTimestamp: timeOf(12) };
      const off = { what: 'learning', on: false } as const;
      expect(await catalogue.changeModel(metricId, { what: 'learning', on: true }, 0)).toBeNull();
      for (const change of [interval, off, { what: 'reset' }] as const)
        expect(await catalogue.changeModel(metricId, change, 0), change.what).not.toBeNull();
      for (const change of [interval, part, off, { what: 'reset' }] as const)
        expect(await catalogue.changeModel(metricId, change, 0), change.what).toBeNull();
      await log.recordRawScores(fixture.raw(metricId, 0, 6, { commandSequence: 3 }));
      // What is left out already is so, however many of its rows have been processed.
      expect(await catalogue.changeModel(metricId, interval, 0)).toBeNull();
      expect((await log.modelTask(metricId))?.commands).toHaveLength(3);
    });

    it('can be given while the generation waits for rows', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 3);
      await catalogue.monitor(metricId, request());
      const off = { what: 'learning', on: false } as const;
      const command = await catalogue.changeModel(metricId, off, 0);
      expect(command).toEqual({ sequence: 1, afterRowid: 0, change: off });
      await catalogue.activate(metricId, 'allRows');
      expect((await log.modelTask(metricId))?.commands).toEqual([command]);
    });

    it('belongs to one generation', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 3);
      await fixture.store.catalogue.changeModel(metricId, { what: 'reset' }, 0);
      await fixture.nextGeneration(metricId);
      expect((await fixture.store.log.modelTask(metricId))?.commands).toEqual([]);
    });

    it('refuses what cannot be: rows learned already, a metric without a model, none at all', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await log.recordRawScores(fixture.raw(metricId, 0, 3));
      const leaveOut = (fromTimestamp: number, toTimestamp: number) =>
        catalogue.changeModel(metricId, { what: 'doNotLearn', fromTimestamp, toTimestamp }, 0);
      await expect(leaveOut(timeOf(3), timeOf(9))).rejects.toMatchObject({
        code: 'interval_learned',
        details: { processedRowid: 3, processedTimestamp: timeOf(3) },
      });
      await expect(leaveOut(timeOf(5), timeOf(4))).rejects.toThrow(RangeError);
      expect((await log.modelTask(metricId))?.commands).toEqual([]);
      await catalogue.unmonitor(metricId);
      await expect(catalogue.changeModel(metricId, { what: 'reset' }, 0)).rejects.toMatchObject({
        code: 'metric_not_monitored',
      });
      await expect(catalogue.changeModel('0'.repeat(32), { what: 'reset' }, 0)).rejects.toMatchObject({
        code: 'metric_not_found',
      });
    });
  });

  describe('skipRow', () => {
    it('takes a metric out of ERROR without the row at which it failed', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 6);
      await fixture.score(metricId, 0, 3);
      expect(await catalogue.skipRow(metricId)).toBeNull();
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'row 4' });
      expect(await catalogue.skipRow(metricId)).toBe(4);
      expect(await catalogue.getMetric(metricId)).toMatchObject({
        status: MetricStatus.CREATE_PENDING,
        message: null,
      });
      const command = { sequence: 1, afterRowid: 3, change: { what: 'skip' } };
      expect(await log.modelTask(metricId)).toMatchObject({ processedRowid: 3, commands: [command] });
      const without = fixture.raw(metricId, 3, 6, {
        rowids: Int32Array.of(5, 6),
        rawScores: Float64Array.of(0.5, 0.25),
        commandSequence: 1,
      });
      expect(await log.recordRawScores(without)).toEqual({ refused: null });
      const { rawScores } = await log.readRows(metricId, 3, 6, 10);
      expect(Array.from(rawScores)).toEqual([Number.NaN, 0.5, 0.25]);
      await expect(catalogue.skipRow('0'.repeat(32))).rejects.toMatchObject({ code: 'metric_not_found' });
    });

    it('says so when there is no row to skip', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      await fixture.score(metricId, 0, 3);
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'x' });
      await expect(catalogue.skipRow(metricId)).rejects.toMatchObject({ code: 'metric_status_changed' });
      expect(await catalogue.getMetric(metricId)).toMatchObject({ status: MetricStatus.ERROR, message: 'x' });
    });
  });
}
