import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { expectRefused, rawScoreOf, type StoreFixture } from './fixture.ts';

/** T1 and failures of models: what they write, and everything that must make them write nothing. */
export function rawScoreTests(current: () => StoreFixture): void {
  async function addCommand(metricId: string, sequence: number, afterRowid: number): Promise<void> {
    await current().under.execute(
      `insert into model_command (uid, generation, sequence, after_rowid, what) values ('${metricId}', 1, ${sequence}, ${afterRowid}, 'reset')`,
    );
  }

  describe('recordRawScores', () => {
    it('writes the scores, moves the watermark and makes the metric ACTIVE', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      expect(await log.recordRawScores(fixture.raw(metricId, 0, 3))).toEqual({ refused: null });
      expect(await log.modelTask(metricId)).toMatchObject({
        status: MetricStatus.ACTIVE,
        processedRowid: 3,
        lastRowid: 5,
      });
      expect(await catalogue.getMetric(metricId)).toMatchObject({ status: MetricStatus.ACTIVE });
      const { rawScores } = await log.readRows(metricId, 0, 10, 10);
      expect(Array.from(rawScores)).toEqual([
        rawScoreOf(1),
        rawScoreOf(2),
        rawScoreOf(3),
        Number.NaN,
        Number.NaN,
      ]);
    });

    it('keeps predictions with their rows', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 2);
      const predictions = ['{"1":0.5}', '{"1":"é"}'];
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 2, { predictions }));
      await fixture.store.log.recordAnomalyScores(fixture.scored(metricId, 0, 2));
      expect((await fixture.data(metricId)).map((row) => row.multiStepBestPredictions)).toEqual(predictions);
    });

    it('leaves the metric in CREATE_PENDING while its model is not built', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 2);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 1, { modelBuilt: false }));
      expect((await fixture.store.log.modelTask(metricId))?.status).toBe(MetricStatus.CREATE_PENDING);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 1, 2));
      expect((await fixture.store.log.modelTask(metricId))?.status).toBe(MetricStatus.ACTIVE);
    });

    it('makes a metric without rows ACTIVE', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 0);
      expect(await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 0))).toEqual({ refused: null });
      expect(await fixture.store.log.modelTask(metricId)).toMatchObject({
        status: MetricStatus.ACTIVE,
        processedRowid: 0,
      });
    });

    it('may leave rows of its slice without a score', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 3);
      const rowids = Int32Array.of(1, 3);
      const rawScores = Float64Array.of(0.25, 0.75);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 3, { rowids, rawScores }));
      const rows = await fixture.store.log.readRows(metricId, 0, 3, 10);
      expect(Array.from(rows.rawScores)).toEqual([0.25, Number.NaN, 0.75]);
    });

    it('refuses a generation that is closed, even if the next one stands at the same row', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 5);
      await fixture.store.catalogue.unmonitor(metricId);
      const late = () => fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 3));
      await expectRefused(fixture, metricId, late, 'generation');
      await fixture.nextGeneration(metricId);
      await expectRefused(fixture, metricId, late, 'generation');
      const next = fixture.raw(metricId, 0, 3, { generation: 2 });
      expect(await fixture.store.log.recordRawScores(next)).toEqual({ refused: null });
    });

    it('refuses a metric that is in ERROR or does not exist', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'row 1' });
      await expectRefused(
        fixture,
        metricId,
        () => log.recordRawScores(fixture.raw(metricId, 0, 3)),
        'generation',
      );
      const nobody = fixture.raw('0'.repeat(32), 0, 0);
      expect(await log.recordRawScores(nobody)).toEqual({ refused: 'generation' });
    });

    it('refuses the epoch of a lease that was taken over', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 5);
      const late = fixture.raw(metricId, 0, 3);
      await fixture.takeLeases();
      await expectRefused(fixture, metricId, () => fixture.store.log.recordRawScores(late), 'epoch');
    });

    it('looks at the lease of its own stage and of the metric’s partition only', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      const partition = (await catalogue.getMetric(metricId))?.partition ?? -1;
      const others = `stage <> 'scheduler' or "partition" <> ${partition}`;
      await fixture.under.execute(`update lease set epoch = 99 where ${others}`);
      expect(await log.recordRawScores(fixture.raw(metricId, 0, 1))).toEqual({ refused: null });
      await fixture.under.execute(`update lease set epoch = 99 where not (${others})`);
      await expectRefused(fixture, metricId, () => log.recordRawScores(fixture.raw(metricId, 1, 2)), 'epoch');
    });

    it.each([
      [0, 3],
      [1, 3],
      [3, 3],
    ])('refuses a slice from row %i when the watermark stands at row 2', async (from, to) => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 5);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 2));
      const other = fixture.raw(metricId, from, to, {
        rawScores: new Float64Array(to - from).fill(0.9),
      });
      await expectRefused(fixture, metricId, () => fixture.store.log.recordRawScores(other), 'watermark');
    });

    it('refuses a slice into which a command falls that it has not applied', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 9);
      await log.recordRawScores(fixture.raw(metricId, 0, 2));
      await addCommand(metricId, 1, 4);
      // It takes effect after row 4: up to there nothing changes.
      expect(await log.recordRawScores(fixture.raw(metricId, 2, 3))).toEqual({ refused: null });
      await expectRefused(
        fixture,
        metricId,
        () => log.recordRawScores(fixture.raw(metricId, 3, 5)),
        'command',
      );
      expect(await log.recordRawScores(fixture.raw(metricId, 3, 4))).toEqual({ refused: null });
      await expectRefused(
        fixture,
        metricId,
        () => log.recordRawScores(fixture.raw(metricId, 4, 5)),
        'command',
      );
      const applied = fixture.raw(metricId, 4, 6, { commandSequence: 1 });
      expect(await log.recordRawScores(applied)).toEqual({ refused: null });
      await addCommand(metricId, 2, 6);
      const older = fixture.raw(metricId, 6, 7, { commandSequence: 1 });
      await expectRefused(fixture, metricId, () => log.recordRawScores(older), 'command');
    });

    it('does not mind the commands of another generation or metric', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 3);
      const other = await fixture.monitored('b', 3);
      await addCommand(other, 1, 0);
      expect(await fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 3))).toEqual({ refused: null });
      await addCommand(metricId, 1, 0);
      await fixture.nextGeneration(metricId);
      const next = fixture.raw(metricId, 0, 3, { generation: 2 });
      expect(await fixture.store.log.recordRawScores(next)).toEqual({ refused: null });
    });

    it('throws on a slice that contradicts itself or the rows, and writes nothing', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      const before = await fixture.everything(metricId);
      const slices = [
        fixture.raw(metricId, 2, 1, { rowids: new Int32Array(), rawScores: new Float64Array() }),
        fixture.raw(metricId, 0, 2, { rowids: Int32Array.of(1, 1) }),
        fixture.raw(metricId, 0, 2, { rowids: Int32Array.of(2, 1) }),
        fixture.raw(metricId, 0, 2, { rowids: Int32Array.of(1, 3) }),
        fixture.raw(metricId, 0, 2, { rowids: Int32Array.of(0, 1) }),
        fixture.raw(metricId, 0, 2, { rawScores: Float64Array.of(0.5) }),
        fixture.raw(metricId, 0, 2, { rawScores: Float64Array.of(0.5, Number.NaN) }),
        fixture.raw(metricId, 0, 2, { predictions: ['{}'] }),
        fixture.raw(metricId, 0, 4),
      ];
      for (const slice of slices) await expect(log.recordRawScores(slice)).rejects.toThrow(RangeError);
      expect(await fixture.everything(metricId)).toEqual(before);
    });
  });

  describe('failModel', () => {
    it('puts a metric into ERROR with the reason, and rows go on being stored', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      for (const built of [false, true]) {
        const metricId = await fixture.monitored(`built ${built}`, 5);
        await log.recordRawScores(fixture.raw(metricId, 0, 1, { modelBuilt: built }));
        const failure = { metricId, generation: 1, epoch: fixture.epoch, message: 'row 2: overflow' };
        expect(await log.failModel(failure)).toEqual({ refused: null });
        expect(await catalogue.getMetric(metricId)).toMatchObject({
          status: MetricStatus.ERROR,
          message: 'row 2: overflow',
        });
        expect(await log.modelTask(metricId)).toBeNull();
        const timestamps = [2_000_000_000];
        const [outcome] = await fixture.append({ name: `built ${built}`, timestamps, values: [1] });
        expect(outcome).toMatchObject({ status: MetricStatus.ERROR, lastRowid: 6 });
      }
    });

    it('is refused for another generation, an old epoch, or a metric that is in ERROR already', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      const failure = { metricId, generation: 1, epoch: fixture.epoch, message: 'first' };
      await expectRefused(
        fixture,
        metricId,
        () => log.failModel({ ...failure, generation: 2 }),
        'generation',
      );
      await expectRefused(fixture, metricId, () => log.failModel({ ...failure, epoch: 0 }), 'epoch');
      await log.failModel(failure);
      await expectRefused(
        fixture,
        metricId,
        () => log.failModel({ ...failure, message: 'second' }),
        'generation',
      );
      await fixture.nextGeneration(metricId);
      await expectRefused(fixture, metricId, () => log.failModel(failure), 'generation');
    });
  });
}
