import { describe, expect, it } from 'vitest';
import { CONSUMER, request, samples, type StoreFixture } from './fixture.ts';

/** The searches that find what lost wake-ups left behind. */
export function sweepTests(current: () => StoreFixture): void {
  /** Reads all pages of a sweep. */
  async function allPages(
    page: (after: string, limit: number) => Promise<string[]>,
    limit: number,
  ): Promise<string[]> {
    const found: string[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const metrics: string[] = await page(after, limit);
      found.push(...metrics);
      after = metrics.at(-1);
    }
    return found;
  }

  describe('modelsWithWork', () => {
    it('finds models that are to be built or have rows to process, until they have neither', async () => {
      const fixture = current();
      const { log } = fixture.store;
      await fixture.metric('not monitored', 3);
      const waiting = await fixture.metric('waiting', 3);
      await fixture.store.catalogue.monitor(waiting, request());
      const empty = await fixture.monitored('empty', 0);
      const behind = await fixture.monitored('behind', 3);
      const done = await fixture.monitored('done', 3);
      const failed = await fixture.monitored('failed', 3);
      await log.failModel({ metricId: failed, generation: 1, epoch: fixture.epoch, message: 'x' });
      await log.recordRawScores(fixture.raw(behind, 0, 2));
      await log.recordRawScores(fixture.raw(done, 0, 3));
      expect(await log.modelsWithWork('', 100)).toEqual([empty, behind].sort());
      await log.recordRawScores(fixture.raw(empty, 0, 0));
      await log.recordRawScores(fixture.raw(behind, 2, 3));
      expect(await log.modelsWithWork('', 100)).toEqual([]);
      await fixture.append(samples('done', 4, 4));
      expect(await log.modelsWithWork('', 100)).toEqual([done]);
    });

    it('gives pages in uid order', async () => {
      const fixture = current();
      const ids = [];
      for (const name of 'abcdefg') ids.push(await fixture.monitored(name, 1));
      const { log } = fixture.store;
      const sorted = ids.sort();
      expect(await allPages((after, limit) => log.modelsWithWork(after, limit), 3)).toEqual(sorted);
      expect(await log.modelsWithWork(sorted[2] ?? '', 2)).toEqual(sorted.slice(3, 5));
    });
  });

  describe('metricsToScore', () => {
    it('finds metrics with raw scores that have no anomaly score yet, in pages', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const ids = [];
      for (const name of 'abcde') {
        const metricId = await fixture.monitored(name, 3);
        await log.recordRawScores(fixture.raw(metricId, 0, 2));
        ids.push(metricId);
      }
      await fixture.monitored('unprocessed', 3);
      ids.sort();
      expect(await allPages((after, limit) => log.metricsToScore(after, limit), 2)).toEqual(ids);
      const [first = ''] = ids;
      await log.recordAnomalyScores(fixture.scored(first, 0, 1));
      expect(await log.metricsToScore('', 100)).toEqual(ids);
      await log.recordAnomalyScores(fixture.scored(first, 1, 2));
      expect(await log.metricsToScore('', 100)).toEqual(ids.slice(1));
    });
  });

  describe('metricsToPublish', () => {
    it('finds metrics with scored rows after the consumer’s cursor, in pages', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const ids = [];
      for (const name of 'abcde') {
        const metricId = await fixture.monitored(name, 3);
        await fixture.score(metricId, 0, 2);
        ids.push(metricId);
      }
      const unscored = await fixture.monitored('unscored', 3);
      await log.recordRawScores(fixture.raw(unscored, 0, 2));
      ids.sort();
      expect(await allPages((after, limit) => log.metricsToPublish(CONSUMER, after, limit), 2)).toEqual(ids);
      const [first = ''] = ids;
      await log.advanceCursor(fixture.move(first, 0, 1));
      expect(await log.metricsToPublish(CONSUMER, '', 100)).toEqual(ids);
      await log.advanceCursor(fixture.move(first, 1, 2));
      expect(await log.metricsToPublish(CONSUMER, '', 100)).toEqual(ids.slice(1));
      expect(await log.metricsToPublish('another', '', 100)).toEqual(ids);
    });
  });

  describe('metricsToActivate', () => {
    it('finds waiting metrics that have their rows, in pages', async () => {
      const fixture = current();
      const { catalogue } = fixture.store;
      const ids = [];
      for (const name of 'abcde') {
        const metricId = await fixture.metric(name, 9);
        await catalogue.monitor(metricId, request());
        ids.push(metricId);
      }
      await fixture.metric('not monitored', 20);
      expect(await catalogue.metricsToActivate('', 100)).toEqual([]);
      await fixture.append(...Array.from('abcd', (name) => samples(name, 10, 10)));
      const ready = ids.slice(0, 4).sort();
      expect(await allPages((after, limit) => catalogue.metricsToActivate(after, limit), 3)).toEqual(ready);
      await catalogue.activate(ready[0] ?? '', 'firstRows');
      expect(await catalogue.metricsToActivate('', 100)).toEqual(ready.slice(1));
    });
  });

  it('sweeps refuse to give more than 10,000 metrics', async () => {
    const { log, catalogue } = current().store;
    for (const limit of [0, 10_001]) {
      await expect(log.modelsWithWork('', limit)).rejects.toThrow(RangeError);
      await expect(log.metricsToScore('', limit)).rejects.toThrow(RangeError);
      await expect(log.metricsToPublish(CONSUMER, '', limit)).rejects.toThrow(RangeError);
      await expect(catalogue.metricsToActivate('', limit)).rejects.toThrow(RangeError);
      await expect(catalogue.metricsToClear(limit)).rejects.toThrow(RangeError);
    }
  });
}
