import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { RELEARNING, request, requestWithRange, samples, timeOf, type StoreFixture } from './fixture.ts';

/** Models that begin again. */
export function restartingTests(current: () => StoreFixture): void {
  const status = async (metricId: string) => (await current().store.catalogue.getMetric(metricId))?.status;

  describe('retry', () => {
    it('takes a metric out of ERROR with its generation as it stood', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await fixture.score(metricId, 0, 3);
      expect(await catalogue.retry(metricId)).toBe(false);
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'row 4' });
      expect(await log.modelTask(metricId)).toBeNull();
      expect(await catalogue.retry(metricId)).toBe(true);
      expect(await catalogue.getMetric(metricId)).toMatchObject({
        status: MetricStatus.CREATE_PENDING,
        message: null,
      });
      expect(await log.modelTask(metricId)).toMatchObject({
        processedRowid: 3,
        generation: { generation: 1 },
      });
      expect(await log.modelsWithWork('', 10)).toEqual([metricId]);
      expect(await log.recordRawScores(fixture.raw(metricId, 3, 5))).toEqual({ refused: null });
      expect(await status(metricId)).toBe(MetricStatus.ACTIVE);
      await expect(catalogue.retry('0'.repeat(32))).rejects.toMatchObject({ code: 'metric_not_found' });
    });
  });

  describe('relearn', () => {
    it('asks for the next generation at once, and opens it when the old results are cleared', async () => {
      const fixture = current();
      const { catalogue, log, queries } = fixture.store;
      const metricId = await fixture.monitored('a', 12);
      await fixture.score(metricId, 0, 7);
      await catalogue.relearn(metricId, request({ spec: '{"other":1}' }), RELEARNING);
      expect(await catalogue.getMetric(metricId)).toMatchObject({
        status: MetricStatus.PENDING_DATA,
        parameters: '{"other":1}',
        modelParams: null,
      });
      expect(await log.modelTask(metricId)).toBeNull();
      expect((await fixture.data(metricId)).every(({ anomalyScore }) => anomalyScore === null)).toBe(true);
      // Rows that come now change nothing of the range, which is that of the twelve.
      const [outcome] = await fixture.append(samples('a', 13, 40));
      expect(outcome?.readyToActivate).toBe(false);
      for (let step = 0; step < 3; step += 1) {
        expect(await catalogue.metricsToClear(10)).toEqual([metricId]);
        expect(await catalogue.metricsToActivate('', 10)).toEqual([]);
        expect(await catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.PENDING_DATA);
        await expect(catalogue.activate(metricId, 'allRows')).rejects.toMatchObject({
          code: 'metric_status_changed',
        });
        await catalogue.clearResults(metricId, 3);
      }
      expect(await catalogue.metricsToActivate('', 10)).toEqual([metricId]);
      expect(await catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
      const model = await queries.describeModel(metricId);
      // Values 1 to 12: a fifth of 11 on each side.
      expect(model?.range?.min).toBeCloseTo(1 - 2.2, 12);
      expect(model?.range?.max).toBeCloseTo(12 + 2.2, 12);
      expect(model).toMatchObject({ generation: 2, startRowid: 1, processedRowid: 0, backlogRowid: 12 });
    });

    it('keeps a range that is given, and waits for rows without one', async () => {
      const fixture = current();
      const { catalogue, log, queries } = fixture.store;
      const given = await fixture.monitored('given', 0);
      await catalogue.relearn(given, requestWithRange(), RELEARNING);
      expect(await catalogue.metricsToActivate('', 10)).toEqual([given]);
      expect(await catalogue.activate(given, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
      expect(await queries.describeModel(given)).toMatchObject({
        range: { min: 0, max: 130 },
        startRowid: 1,
      });
      const few = await fixture.monitored('few', 4);
      await log.recordRawScores(fixture.raw(few, 0, 4));
      await catalogue.relearn(few, request(), RELEARNING);
      await catalogue.clearResults(few, 100);
      expect(await catalogue.activate(few, 'firstRows')).toBe(MetricStatus.PENDING_DATA);
      const [outcome] = await fixture.append(samples('few', 5, 11));
      expect(outcome?.readyToActivate).toBe(true);
      expect(await catalogue.activate(few, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
    });

    it('needs no rows for parameters that came complete, as at first', async () => {
      const fixture = current();
      const { catalogue, queries } = fixture.store;
      const complete = request({ resolutionPath: null, modelParams: { own: 1 } });
      const metricId = await fixture.metric('a', 20);
      await catalogue.monitor(metricId, complete);
      await catalogue.relearn(metricId, complete, RELEARNING);
      expect(await catalogue.metricsToActivate('', 10)).toEqual([metricId]);
      expect(await catalogue.activate(metricId, 'firstRows')).toBe(MetricStatus.CREATE_PENDING);
      expect(await queries.describeModel(metricId)).toMatchObject({ generation: 2, range: null });
    });

    it('leaves times out, of what it learns and of the range it takes, and keeps them unless told otherwise', async () => {
      const fixture = current();
      const { catalogue, log, queries } = fixture.store;
      const metricId = await fixture.metric('a', 20);
      await catalogue.monitor(metricId, request());
      await fixture.score(metricId, 0, 4);
      const between = (first: number, last: number) => ({
        fromTimestamp: timeOf(first),
        toTimestamp: timeOf(last),
      });
      await catalogue.changeModel(metricId, { what: 'doNotLearn', ...between(19, 30) }, 0);
      await catalogue.changeModel(metricId, { what: 'learning', on: false }, 0);
      const relearn = async (relearning: Partial<typeof RELEARNING>) => {
        const done = await catalogue.relearn(metricId, request(), { ...RELEARNING, ...relearning });
        while (await catalogue.clearResults(metricId, 100));
        await catalogue.activate(metricId, 'firstRows');
        return done;
      };
      const leftOut = async () =>
        (await log.modelTask(metricId))?.commands.map(({ afterRowid, change }) => [afterRowid, change]);
      expect(await relearn({ leaveOut: [between(1, 2), between(2, 2)], generation: 1 })).toBe(true);
      expect(await leftOut()).toEqual([
        [0, { what: 'doNotLearn', ...between(19, 30) }],
        [0, { what: 'doNotLearn', ...between(1, 2) }],
      ]);
      // Values 3 to 18: a fifth of 15 on each side.
      expect(await queries.describeModel(metricId)).toMatchObject({
        generation: 2,
        range: { min: 0, max: 21 },
      });
      expect(await relearn({ generation: 1 })).toBe(false);
      expect(await relearn({ keepLeftOut: false, generation: 2 })).toBe(true);
      expect(await leftOut()).toEqual([]);
      // Where every row is left out the range has to come from those.
      await relearn({ leaveOut: [between(1, 99)] });
      expect((await queries.describeModel(metricId))?.range?.max).toBeCloseTo(20 + 3.8, 12);
    });

    it('can be asked for from whatever state but UNMONITORED, twice too', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      const plain = await fixture.metric('plain', 1);
      await expect(catalogue.relearn(plain, request(), RELEARNING)).rejects.toMatchObject({
        code: 'metric_not_monitored',
      });
      await expect(catalogue.relearn('0'.repeat(32), request(), RELEARNING)).rejects.toMatchObject({
        code: 'metric_not_found',
      });
      const failed = await fixture.monitored('failed', 2);
      await fixture.score(failed, 0, 1);
      await log.failModel({ metricId: failed, generation: 1, epoch: fixture.epoch, message: 'x' });
      await catalogue.relearn(failed, requestWithRange(), RELEARNING);
      expect(await catalogue.getMetric(failed)).toMatchObject({ message: null });
      await catalogue.relearn(failed, requestWithRange(), RELEARNING);
      expect(await catalogue.metricsToClear(10)).toEqual([failed]);
      await catalogue.clearResults(failed, 100);
      await catalogue.activate(failed, 'firstRows');
      expect((await log.modelTask(failed))?.generation.generation).toBe(3);
      // What the first generation's stages still hold is refused.
      expect(await log.recordRawScores(fixture.raw(failed, 0, 1))).toEqual({ refused: 'generation' });
    });
  });
}
