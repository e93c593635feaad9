import { describe, expect, it } from 'vitest';
import type { PurgeRequest } from '../../../src/store/retention.ts';
import { CONSUMER, request, requestWithRange, samples, timeOf, type StoreFixture } from './fixture.ts';

/** What is purged, and everything that keeps rows. */
export function retentionTests(current: () => StoreFixture): void {
  /** The likelihood looks back over so many rows; a small window makes short tests. */
  const WINDOW = 10;
  const NOW = timeOf(1000);

  const likelihood = {
    ...request().likelihood,
    learningPeriod: 5,
    estimationSamples: 2,
    historicWindowSize: WINDOW,
  };

  /** Rows before that of `row` are too old. */
  function purge(metricId: string, row: number, overrides: Partial<PurgeRequest> = {}) {
    return current().store.retention.purgeRows({
      metricId,
      generation: 1,
      olderThan: timeOf(row),
      checkpointRowids: [],
      now: NOW,
      cursorIdleSeconds: 100,
      limit: 1000,
      ...overrides,
    });
  }

  async function firstRow(metricId: string): Promise<number | undefined> {
    return (await current().data(metricId))[0]?.rowid;
  }

  /** 50 rows, all scored, the consumer past them all: checkpoints at 45 and 40 leave the likelihood's window as the limit. */
  async function scoredMetric(name = 'a'): Promise<string> {
    const fixture = current();
    const metricId = await fixture.metric(name, 50);
    await fixture.store.catalogue.monitor(metricId, requestWithRange({ likelihood }));
    await fixture.score(metricId, 0, 50);
    await fixture.store.log.advanceCursor(fixture.move(metricId, 0, 50));
    return metricId;
  }
  const CHECKPOINTS = [45, 42];

  describe('purgeRows', () => {
    it('purges the rows that are too old, and no other', async () => {
      const metricId = await scoredMetric();
      const other = await current().metric('b', 50);
      expect(await purge(metricId, 21, { checkpointRowids: CHECKPOINTS })).toEqual({
        purgedRows: 20,
        keptBy: null,
        limitReached: false,
        droppedCursors: [],
      });
      expect(await firstRow(metricId)).toBe(21);
      expect(await firstRow(other)).toBe(1);
    });

    it('keeps exactly the rows that the next fit of the likelihood looks back over', async () => {
      const metricId = await scoredMetric();
      const outcome = await purge(metricId, 60, { checkpointRowids: CHECKPOINTS });
      expect(outcome).toMatchObject({ purgedRows: 50 - WINDOW, keptBy: 'likelihood' });
      expect(await firstRow(metricId)).toBe(50 - WINDOW + 1);
    });

    it('counts only rows with scores as those', async () => {
      const metricId = await scoredMetric();
      await current().under.execute(
        `update metric_data set raw_anomaly_score = null where uid = '${metricId}' and rowid in (44, 46)`,
      );
      await purge(metricId, 60, { checkpointRowids: CHECKPOINTS });
      expect(await firstRow(metricId)).toBe(50 - WINDOW + 1 - 2);
    });

    it('keeps what the older of the two checkpoints is not past', async () => {
      const metricId = await scoredMetric();
      const outcome = await purge(metricId, 60, { checkpointRowids: [45, 30] });
      expect(outcome).toMatchObject({ purgedRows: 30, keptBy: 'checkpoints' });
    });

    it.each([[[]], [[45]], [[60, 45]]])(
      'purges nothing unless two checkpoints can be loaded: at %s',
      async (checkpointRowids) => {
        const metricId = await scoredMetric();
        const outcome = await purge(metricId, 60, { checkpointRowids });
        expect(outcome).toMatchObject({ purgedRows: 0, keptBy: 'checkpoints' });
        expect(await firstRow(metricId)).toBe(1);
      },
    );

    it('keeps what the model or the likelihood has not had', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 50);
      await fixture.store.catalogue.monitor(
        metricId,
        requestWithRange({ likelihood: { ...likelihood, historicWindowSize: 10 } }),
      );
      await fixture.score(metricId, 0, 30);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 30, 40));
      expect(await purge(metricId, 60, { checkpointRowids: [40, 35] })).toMatchObject({
        purgedRows: 20,
        keptBy: 'likelihood',
      });
    });

    it('keeps what a consumer has not had', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 50);
      await fixture.store.catalogue.monitor(metricId, requestWithRange({ likelihood }));
      await fixture.score(metricId, 0, 50);
      await fixture.store.log.advanceCursor(fixture.move(metricId, 0, 50));
      await fixture.store.log.advanceCursor(fixture.move(metricId, 0, 12, { consumer: 'slow' }));
      const outcome = await purge(metricId, 60, { checkpointRowids: CHECKPOINTS });
      expect(outcome).toMatchObject({ purgedRows: 12, keptBy: 'cursor', droppedCursors: [] });
      expect(await firstRow(metricId)).toBe(13);
    });

    it('drops a cursor that has kept rows at one place for too long, and only that', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await scoredMetric();
      await log.advanceCursor(fixture.move(metricId, 0, 12, { consumer: 'gone' }));
      await log.advanceCursor(fixture.move(metricId, 0, 12, { consumer: 'slow' }));
      const attempt = (now: number) => purge(metricId, 60, { checkpointRowids: CHECKPOINTS, now });
      expect(await attempt(NOW)).toMatchObject({ purgedRows: 12, droppedCursors: [] });
      await log.advanceCursor(fixture.move(metricId, 12, 20, { consumer: 'slow' }));
      expect(await attempt(NOW + 99)).toMatchObject({ purgedRows: 0, droppedCursors: [] });
      expect(await attempt(NOW + 100)).toMatchObject({
        purgedRows: 8,
        keptBy: 'cursor',
        droppedCursors: [{ consumer: 'gone', rowid: 12 }],
      });
      expect((await log.cursor('gone', metricId))?.rowid).toBe(0);
      expect((await log.cursor('slow', metricId))?.rowid).toBe(20);
      // The slow one is given its own time, from when it was found where it stands now.
      expect(await attempt(NOW + 198)).toMatchObject({ purgedRows: 0, droppedCursors: [] });
      expect(await attempt(NOW + 199)).toMatchObject({ droppedCursors: [{ consumer: 'slow' }] });
    });

    it('leaves alone a cursor that is in nobody’s way, however long it stands', async () => {
      const fixture = current();
      const metricId = await scoredMetric();
      const attempt = (now: number) => purge(metricId, 21, { checkpointRowids: CHECKPOINTS, now });
      await attempt(NOW);
      await attempt(NOW + 1_000_000);
      expect((await fixture.store.log.cursor(CONSUMER, metricId))?.rowid).toBe(50);
    });

    it('purges by age alone where there is no generation, but never the last row', async () => {
      const metricId = await current().metric('a', 20);
      expect(await purge(metricId, 11, { generation: null })).toMatchObject({
        purgedRows: 10,
        keptBy: null,
      });
      expect(await purge(metricId, 60, { generation: null })).toMatchObject({
        purgedRows: 9,
        keptBy: 'last_row',
      });
      const [outcome] = await current().append(samples('a', 20, 21));
      expect(outcome).toMatchObject({ lastRowid: 21, refused: [{ index: 0, reason: 'duplicate' }] });
    });

    it('never purges a metric that waits for rows', async () => {
      const fixture = current();
      const metricId = await fixture.metric('a', 5);
      await fixture.store.catalogue.monitor(metricId, request());
      expect(await purge(metricId, 60, { generation: null })).toMatchObject({
        purgedRows: 0,
        keptBy: 'state',
      });
    });

    it('purges nothing if another generation is open than was looked at', async () => {
      const fixture = current();
      const metricId = await scoredMetric();
      const checkpointRowids = CHECKPOINTS;
      for (const generation of [null, 2])
        expect(await purge(metricId, 60, { checkpointRowids, generation })).toMatchObject({
          purgedRows: 0,
          keptBy: 'state',
        });
      await fixture.nextGeneration(metricId);
      expect(await purge(metricId, 60, { checkpointRowids })).toMatchObject({ purgedRows: 0 });
      expect(await firstRow(metricId)).toBe(1);
    });

    it('goes in batches', async () => {
      const metricId = await scoredMetric();
      const batch = () => purge(metricId, 60, { checkpointRowids: CHECKPOINTS, limit: 30 });
      expect(await batch()).toMatchObject({ purgedRows: 30, limitReached: true });
      expect(await batch()).toMatchObject({ purgedRows: 10, limitReached: false, keptBy: 'likelihood' });
      expect(await batch()).toMatchObject({ purgedRows: 0, keptBy: 'likelihood' });
    });

    it('leaves scoring to go on, and a discarded metric alone', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await scoredMetric();
      await purge(metricId, 60, { checkpointRowids: CHECKPOINTS });
      await fixture.append(samples('a', 51, 60));
      await fixture.score(metricId, 50, 60);
      expect(await log.modelTask(metricId)).toMatchObject({ processedRowid: 60, firstRowid: 41 });
      await fixture.unmonitor(metricId);
      await catalogue.discardMetric(metricId);
      expect(await purge(metricId, 99, { generation: null })).toMatchObject({ purgedRows: 0 });
    });

    it('never lets a purge and an opening generation miss each other', async () => {
      const fixture = current();
      const { catalogue, log } = fixture.store;
      for (let time = 0; time < 5; time++) {
        const metricId = await fixture.metric(`m${time}`, 20);
        await Promise.all([
          purge(metricId, 11, { generation: null }),
          catalogue.monitor(metricId, requestWithRange()),
        ]);
        const task = await log.modelTask(metricId);
        expect(task?.generation.startRowid).toBe(task?.firstRowid);
      }
    });
  });

  describe('listRetained and ages', () => {
    it('lists metrics that have rows, with the age of their own', async () => {
      const fixture = current();
      const { retention, catalogue } = fixture.store;
      const a = await fixture.monitored('a', 5);
      const b = await fixture.metric('b', 7);
      await fixture.metric('empty', 0);
      await catalogue.monitor(await fixture.metric('waiting', 3), request());
      await retention.setMaxAge(b, 86_400);
      await purge(b, 3, { generation: null });
      const expected = [
        { metricId: a, name: 'a', firstTimestamp: timeOf(1), rows: 5, maxAgeSeconds: null, generation: 1 },
        {
          metricId: b,
          name: 'b',
          firstTimestamp: timeOf(3),
          rows: 5,
          maxAgeSeconds: 86_400,
          generation: null,
        },
      ].sort((one, other) => (one.metricId < other.metricId ? -1 : 1));
      expect(await retention.listRetained('', 10)).toEqual(expected);
      const [first] = await retention.listRetained('', 1);
      expect([first, ...(await retention.listRetained(first?.metricId ?? '', 10))]).toEqual(expected);
    });

    it('an age can be changed, be for ever, and be given back', async () => {
      const fixture = current();
      const { retention } = fixture.store;
      const metricId = await fixture.metric('a', 1);
      expect(await retention.maxAge(metricId)).toBeNull();
      for (const age of [3600, 0, 7200, null]) {
        await retention.setMaxAge(metricId, age);
        expect(await retention.maxAge(metricId)).toBe(age);
      }
      await expect(retention.setMaxAge('0'.repeat(32), 1)).rejects.toMatchObject({
        code: 'metric_not_found',
      });
      await expect(retention.setMaxAge(metricId, -1)).rejects.toThrow(RangeError);
    });
  });
}
