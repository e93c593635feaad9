import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import {
  CONSUMER,
  paramsWith,
  request,
  requestWithRange,
  samples,
  timeOf,
  type StoreFixture,
} from './fixture.ts';

/** How a generation is asked for, opens, and closes. */
export function monitoringTests(current: () => StoreFixture): void {
  describe('monitor', () => {
    it('opens at once with a range', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 3);
      // 130 steps of 2 between the bounds.
      const given = requestWithRange({ range: { min: -60, max: 200 }, resource: 'rack 7' });
      expect(await catalogue.monitor(metricId, given)).toBe(MetricStatus.CREATE_PENDING);
      const metric = await catalogue.getMetric(metricId);
      expect(metric).toMatchObject({
        status: MetricStatus.CREATE_PENDING,
        parameters: given.spec,
        server: 'rack 7',
        message: null,
      });
      expect(JSON.parse(metric?.modelParams ?? '')).toEqual(paramsWith(2));
      expect((await log.modelTask(metricId))?.generation).toMatchObject({
        modelParams: paramsWith(2),
        backlogRowid: 3,
      });
    });

    it('uses the smallest resolution that is allowed where the range is narrow', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const narrow = { min: 0, max: 0.013 };
      const byDefault = await fixture.metric('default', 0);
      await catalogue.monitor(byDefault, requestWithRange({ range: narrow }));
      expect((await log.modelTask(byDefault))?.generation.modelParams).toEqual(paramsWith(0.001));
      const given = await fixture.metric('given', 0);
      await catalogue.monitor(given, requestWithRange({ range: narrow, minResolution: 0.5 }));
      expect((await log.modelTask(given))?.generation.modelParams).toEqual(paramsWith(0.5));
    });

    it('opens at once with complete parameters, which stay as they are', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 1);
      const complete = request({ resolutionPath: null, modelParams: { own: [1, 'two', null] } });
      expect(await catalogue.monitor(metricId, complete)).toBe(MetricStatus.CREATE_PENDING);
      expect((await log.modelTask(metricId))?.generation.modelParams).toEqual({ own: [1, 'two', null] });
    });

    it('opens at once if enough rows are stored, with the range of all of them', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      // Values 1 to 14: 20 % of 13 on both sides, so 18.2 in 130 steps of 0.14.
      const metricId = await fixture.metric('a', 14);
      expect(await catalogue.monitor(metricId, request())).toBe(MetricStatus.CREATE_PENDING);
      const task = await log.modelTask(metricId);
      const { encoders } = task?.generation.modelParams as { encoders: [{ resolution: number }] };
      expect(encoders[0].resolution).toBeCloseTo(0.14, 12);
      expect(task).toMatchObject({ processedRowid: 0, generation: { startRowid: 1, backlogRowid: 14 } });
    });

    it('waits if there are fewer, and the range of a constant metric is 1 wide', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 9);
      expect(await catalogue.monitor(metricId, request({ resource: 'rack' }))).toBe(
        MetricStatus.PENDING_DATA,
      );
      expect(await catalogue.getMetric(metricId)).toMatchObject({
        status: MetricStatus.PENDING_DATA,
        parameters: request().spec,
        modelParams: null,
        server: 'rack',
      });
      const timestamps = Array.from({ length: 10 }, (_, index) => timeOf(index + 1));
      await fixture.append({ name: 'constant', timestamps, values: timestamps.map(() => 5) });
      const constant = (await catalogue.findMetric('constant'))?.metricId ?? '';
      expect(await catalogue.monitor(constant, request())).toBe(MetricStatus.CREATE_PENDING);
      const { encoders } = (await log.modelTask(constant))?.generation.modelParams as {
        encoders: [{ resolution: number }];
      };
      expect(encoders[0].resolution).toBeCloseTo(1.4 / 130, 12);
    });

    it('starts at the lowest row that is stored', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 20);
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid < 6`);
      await catalogue.monitor(metricId, request());
      expect(await log.modelTask(metricId)).toMatchObject({
        processedRowid: 5,
        firstRowid: 6,
        generation: { startRowid: 6, backlogRowid: 20 },
      });
      expect((await log.anomalyTask(metricId))?.scoredRowid).toBe(5);
      const slice = fixture.raw(metricId, 5, 8);
      expect(await log.recordRawScores(slice)).toEqual({ refused: null });
    });

    it('counts the rows that are stored, not those that were', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 12);
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid < 4`);
      expect(await fixture.store.catalogue.monitor(metricId, request())).toBe(MetricStatus.PENDING_DATA);
    });

    it('refuses a metric that is monitored already, in whatever state, and changes nothing', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const waiting = await fixture.metric('waiting', 1);
      await catalogue.monitor(waiting, request());
      const pending = await fixture.monitored('pending', 1);
      const active = await fixture.monitored('active', 1);
      await log.recordRawScores(fixture.raw(active, 0, 1));
      const failed = await fixture.monitored('failed', 1);
      await log.failModel({ metricId: failed, generation: 1, epoch: fixture.epoch, message: 'x' });
      for (const metricId of [waiting, pending, active, failed]) {
        const before = await fixture.everything(metricId);
        const again = catalogue.monitor(metricId, requestWithRange({ spec: '"other"' }));
        await expect(again).rejects.toMatchObject({
          code: 'metric_already_monitored',
          details: { metricId },
        });
        expect(await fixture.everything(metricId)).toEqual(before);
      }
    });

    it('refuses what does not exist or makes no sense', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const nobody = catalogue.monitor('0'.repeat(32), request());
      await expect(nobody).rejects.toMatchObject({ code: 'metric_not_found' });
      const metricId = await fixture.metric('a', 1);
      for (const range of [
        { min: 1, max: 1 },
        { min: 2, max: 1 },
        { min: Number.NaN, max: 1 },
        { min: 0, max: Number.POSITIVE_INFINITY },
      ]) {
        const refused = catalogue.monitor(metricId, request({ range }));
        await expect(refused).rejects.toMatchObject({ code: 'invalid_range' });
      }
      for (const wrong of [{ minimumRows: 0 }, { minimumRows: 1.5 }, { minResolution: 0 }]) {
        await expect(catalogue.monitor(metricId, request(wrong))).rejects.toThrow(RangeError);
      }
      expect((await catalogue.getMetric(metricId))?.status).toBe(MetricStatus.UNMONITORED);
    });
  });

  describe('activate', () => {
    it('opens from exactly the first rows, however many came', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 9);
      await catalogue.monitor(metricId, request());
      expect(await catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.PENDING_DATA);
      expect(await log.modelTask(metricId)).toBeNull();
      await fixture.append(samples('a', 10, 500));
      expect(await catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
      const task = await log.modelTask(metricId);
      // Values 1 to 10: 9 + 2 * 1.8 = 12.6 in 130 steps.
      const { encoders } = task?.generation.modelParams as { encoders: [{ resolution: number }] };
      expect(encoders[0].resolution).toBeCloseTo(12.6 / 130, 12);
      // Backlog ends at monitor's commit, not where the generation opened.
      expect(task).toMatchObject({ processedRowid: 0, generation: { startRowid: 1, backlogRowid: 9 } });
      const metric = await catalogue.getMetric(metricId);
      expect(JSON.parse(metric?.modelParams ?? '')).toEqual(task?.generation.modelParams);
    });

    it('opens from all rows when it is asked to, with everything that was asked for before', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 2);
      await catalogue.monitor(metricId, request({ minResolution: 7, algorithmRevision: 9 }));
      await fixture.append(samples('a', 3, 4));
      expect(await catalogue.activate(metricId, 'allRows')).toBe(MetricStatus.CREATE_PENDING);
      expect((await log.modelTask(metricId))?.generation).toMatchObject({
        modelParams: paramsWith(7),
        algorithmRevision: 9,
        backlogRowid: 2,
      });
    });

    it('takes the lowest rows that are stored, if some are gone', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 5);
      await catalogue.monitor(metricId, request());
      await fixture.append(samples('a', 6, 30));
      await fixture.under.execute(`delete from metric_data where uid = '${metricId}' and rowid < 11`);
      await catalogue.activate(metricId, 'firstRows');
      const task = await log.modelTask(metricId);
      const { encoders } = task?.generation.modelParams as { encoders: [{ resolution: number }] };
      expect(encoders[0].resolution).toBeCloseTo(12.6 / 130, 12);
      expect(task?.generation.startRowid).toBe(11);
    });

    it('needs one row', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const metricId = await fixture.metric('a', 0);
      await catalogue.monitor(metricId, request());
      const activated = catalogue.activate(metricId, 'allRows');
      await expect(activated).rejects.toMatchObject({ code: 'statistics_not_ready' });
      expect(await catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.PENDING_DATA);
    });

    it('leaves every other state as it is and tells it', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 20);
      async function expectUnchanged(status: MetricStatus): Promise<void> {
        const before = await fixture.everything(metricId);
        expect(await catalogue.activate(metricId, 'allRows')).toBe(status);
        expect(await catalogue.activate(metricId, 'firstRows')).toBe(status);
        expect(await fixture.everything(metricId)).toEqual(before);
      }
      await expectUnchanged(MetricStatus.UNMONITORED);
      await catalogue.monitor(metricId, request());
      await expectUnchanged(MetricStatus.CREATE_PENDING);
      await log.recordRawScores(fixture.raw(metricId, 0, 1));
      await expectUnchanged(MetricStatus.ACTIVE);
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'x' });
      await expectUnchanged(MetricStatus.ERROR);
      const nobody = catalogue.activate('0'.repeat(32), 'allRows');
      await expect(nobody).rejects.toMatchObject({ code: 'metric_not_found' });
    });
  });

  describe('unmonitor', () => {
    it('ends monitoring from whatever state, and keeps the rows', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const waiting = await fixture.metric('waiting', 1);
      await catalogue.monitor(waiting, request());
      const pending = await fixture.monitored('pending', 1);
      const active = await fixture.monitored('active', 1);
      await fixture.score(active, 0, 1);
      await log.advanceCursor(fixture.move(active, 0, 1));
      const failed = await fixture.monitored('failed', 1);
      await log.failModel({ metricId: failed, generation: 1, epoch: fixture.epoch, message: 'x' });
      for (const metricId of [waiting, pending, active, failed]) {
        expect(await catalogue.unmonitor(metricId)).toBe(true);
        expect(await catalogue.getMetric(metricId)).toMatchObject({
          status: MetricStatus.UNMONITORED,
          parameters: null,
          modelParams: null,
          message: null,
          lastRowid: 1,
        });
        expect(await log.cursor(CONSUMER, metricId)).toBeNull();
        expect(await fixture.data(metricId)).toHaveLength(1);
        expect(await catalogue.unmonitor(metricId)).toBe(false);
      }
      const nobody = catalogue.unmonitor('0'.repeat(32));
      await expect(nobody).rejects.toMatchObject({ code: 'metric_not_found' });
    });

    it('never gives a generation’s number again', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.metric('a', 3);
      for (const generation of [1, 2]) {
        await catalogue.monitor(metricId, requestWithRange());
        expect((await log.modelTask(metricId))?.generation.generation).toBe(generation);
        await fixture.unmonitor(metricId);
      }
      // One that never opened counts too.
      await catalogue.monitor(metricId, request());
      await fixture.unmonitor(metricId);
      await fixture.reopen();
      await fixture.store.catalogue.monitor(metricId, requestWithRange());
      expect((await fixture.store.log.modelTask(metricId))?.generation.generation).toBe(4);
      // Another metric counts for itself, even under the same name.
      await fixture.unmonitor(metricId);
      await fixture.store.catalogue.discardMetric(metricId);
      const next = await fixture.monitored('a', 1);
      expect((await fixture.store.log.modelTask(next))?.generation.generation).toBe(1);
    });
  });
}
