import { describe, expect, it } from 'vitest';
import type { FoldOutcome } from '../../../src/store/log.ts';
import { CONSUMER, request, samples, START, type StoreFixture } from './fixture.ts';

/** What holds when the engine stops, is killed, or asks for many things at once. */
export function durabilityTests(current: () => StoreFixture): void {
  it('keeps everything when it is closed and opened again', async () => {
    const fixture = current();
    const { log, catalogue } = fixture.store;
    const scored = await fixture.monitored('scored', 9);
    await fixture.score(scored, 0, 6);
    await log.recordRawScores(fixture.raw(scored, 6, 8));
    await log.advanceCursor(fixture.move(scored, 0, 5));
    const waiting = await fixture.metric('waiting', 3);
    await catalogue.monitor(waiting, request());
    const before = [await fixture.everything(scored), await fixture.everything(waiting)];
    const totals = await fixture.store.queries.totals();
    await fixture.reopen();
    expect([await fixture.everything(scored), await fixture.everything(waiting)]).toEqual(before);
    expect(await fixture.store.queries.totals()).toEqual(totals);
    expect(await fixture.store.log.cursor(CONSUMER, scored)).toMatchObject({ rowid: 5, scoredRowid: 6 });
    expect(await fixture.store.catalogue.activate(waiting, 'allRows')).not.toBeNull();
    // The leases outlive the store: what was started under the old epoch goes on until they are taken.
    expect(await fixture.store.log.recordRawScores(fixture.raw(scored, 8, 9))).toEqual({ refused: null });
  });

  it('keeps what it acknowledged to a process that is killed', async () => {
    const fixture = current();
    await fixture.under.appendAndBeKilled([samples('killed', 1, 50), samples('another', 1, 1)]);
    const metric = await fixture.store.catalogue.findMetric('killed');
    expect(await fixture.data(metric?.metricId ?? '')).toHaveLength(50);
    const [outcome] = await fixture.append(samples('killed', 50, 51));
    expect(outcome).toMatchObject({ metricId: metric?.metricId, created: false, lastRowid: 51 });
  });

  it('answers the ping', async () => {
    const { store } = current();
    await store.ping();
    await store.ping();
  });

  it('finishes what was begun when it is closed, and refuses what comes after', async () => {
    const fixture = current();
    const { store } = fixture;
    const begun = Array.from({ length: 20 }, (_, index) => fixture.append(samples(`m${index}`, 1, 10)));
    const closed = store.close();
    const late = { code: 'stopped' };
    await expect(store.ping()).rejects.toMatchObject(late);
    await expect(store.log.modelTask('x')).rejects.toMatchObject(late);
    expect(await Promise.all(begun)).toHaveLength(20);
    await closed;
    await store.close();
    await expect(store.queries.totals()).rejects.toMatchObject(late);
    await fixture.reopen();
    expect((await fixture.store.queries.totals()).rows).toBe(200);
  });

  describe('many calls at once', () => {
    it('creates a metric once and gives its rows consecutive numbers', async () => {
      const fixture = current();
      const calls = Array.from({ length: 60 }, (_, index) =>
        fixture.append({ name: 'shared', timestamps: [START + index], values: [index] }),
      );
      const outcomes = (await Promise.all(calls)).flat();
      const ids = new Set(outcomes.map((outcome) => outcome.metricId));
      expect(ids.size).toBe(1);
      expect(outcomes.filter((outcome) => outcome.created)).toHaveLength(1);
      const [metricId = ''] = ids;
      const rows = await fixture.data(metricId);
      expect(rows.map((row) => row.rowid)).toEqual(rows.map((_, index) => index + 1));
      const refused = outcomes.filter((outcome) => outcome.refused.length > 0).length;
      expect(rows).toHaveLength(60 - refused);
      expect(rows.map((row) => row.timestamp)).toEqual(
        rows.map((row) => row.timestamp).sort((a, b) => a - b),
      );
    });

    it('lets exactly one of several folds from the same watermark win', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      async function race(folds: Promise<FoldOutcome>[]): Promise<void> {
        const outcomes = await Promise.all(folds);
        expect(outcomes.filter((outcome) => outcome.refused === null)).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome.refused === 'watermark')).toHaveLength(folds.length - 1);
      }
      const eight = Array.from({ length: 8 });
      await race(eight.map(() => log.recordRawScores(fixture.raw(metricId, 0, 5))));
      await race(eight.map(() => log.recordAnomalyScores(fixture.scored(metricId, 0, 5))));
      await race(eight.map(() => log.advanceCursor(fixture.move(metricId, 0, 5))));
    });

    it('does not let those that fail hurt the others', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 3);
      const failing = await fixture.monitored('b', 3);
      const results = await Promise.allSettled([
        fixture.append(samples('before', 1, 1)),
        // Fails after it has written: row 4 does not exist.
        log.recordRawScores(fixture.raw(failing, 0, 4)),
        catalogue.monitor(metricId, request()),
        catalogue.createMetric('\n'),
        catalogue.discardMetric(metricId),
        log.recordRawScores(fixture.raw(metricId, 1, 2)),
        log.recordRawScores(fixture.raw(metricId, 0, 2)),
        fixture.append(samples('after', 1, 1)),
      ]);
      expect(results.map((result) => result.status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'rejected',
        'rejected',
        'fulfilled',
        'fulfilled',
        'fulfilled',
      ]);
      expect(results[5]).toMatchObject({ value: { refused: 'watermark' } });
      expect(results[6]).toMatchObject({ value: { refused: null } });
      expect((await log.modelTask(metricId))?.processedRowid).toBe(2);
      expect(await catalogue.findMetric('before')).not.toBeNull();
      expect(await catalogue.findMetric('after')).not.toBeNull();
    });

    it('shows a caller what it was told is stored', async () => {
      const fixture = current();
      const seen = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const [outcome] = await fixture.append(samples(`m${index}`, 1, 3));
          return (await fixture.data(outcome?.metricId ?? '')).length;
        }),
      );
      expect(seen).toEqual(Array(50).fill(3));
    });
  });
}
