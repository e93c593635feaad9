import { describe, expect, it } from 'vitest';
import type { AnomalySpan, Mute, UsualPattern } from '../../../src/store/incidents.ts';
import { timeOf, type StoreFixture } from './fixture.ts';

/** A span over rows `first` to `last`. */
function span(first: number, last: number, overrides: Partial<AnomalySpan> = {}): AnomalySpan {
  return {
    openedRowid: first,
    openedAt: timeOf(first),
    lastRowid: last,
    lastAt: timeOf(last),
    peakScore: 0.99999,
    peakAt: timeOf(first),
    lowestValue: first,
    highestValue: last + 0.1,
    ended: false,
    ...overrides,
  };
}

const ID = 'a'.repeat(32);
const OTHER_ID = 'b'.repeat(32);
/** Beyond what 32 bits hold. */
const FAR = 4_000_000_000;

/** Spans, written by T2, and what people say of them. */
export function incidentTests(current: () => StoreFixture): void {
  /** A metric with raw scores for rows 1 to 10. */
  async function processed(name: string): Promise<string> {
    const metricId = await current().monitored(name, 10);
    await current().store.log.recordRawScores(current().raw(metricId, 0, 10));
    return metricId;
  }

  describe('anomalous spans', () => {
    it('are kept with the scores that make them, and go on where they were', async () => {
      const { store, ...fixture } = { store: current().store, scored: current().scored.bind(current()) };
      const metricId = await processed('a');
      expect((await store.log.anomalyTask(metricId))?.openSpan).toBeNull();
      const first = [span(1, 2, { ended: true }), span(4, 4)];
      await store.log.recordAnomalyScores(fixture.scored(metricId, 0, 4, { spans: first }));
      expect((await store.log.anomalyTask(metricId))?.openSpan).toEqual(span(4, 4));
      await store.log.recordAnomalyScores(fixture.scored(metricId, 4, 6, { spans: [span(4, 6)] }));
      expect((await store.log.anomalyTask(metricId))?.openSpan).toEqual(span(4, 6));
      await store.log.recordAnomalyScores(
        fixture.scored(metricId, 6, 7, { spans: [span(4, 6, { ended: true })] }),
      );
      expect((await store.log.anomalyTask(metricId))?.openSpan).toBeNull();
      const record = { metricId, name: 'a', generation: 1, acknowledgement: null };
      expect(await store.incidents.spans({ limit: 10 })).toEqual([
        { ...span(4, 6, { ended: true }), ...record },
        { ...span(1, 2, { ended: true }), ...record },
      ]);
    });

    it('are not kept if the scores are refused', async () => {
      const { store } = current();
      const metricId = await processed('a');
      const late = current().scored(metricId, 1, 3, { spans: [span(2, 2)] });
      expect(await store.log.recordAnomalyScores(late)).toEqual({ refused: 'watermark' });
      expect(await store.incidents.spans({ limit: 10 })).toEqual([]);
    });

    it('end when their generation is closed, and stay', async () => {
      const { store } = current();
      const metricId = await processed('a');
      await store.log.recordAnomalyScores(current().scored(metricId, 0, 3, { spans: [span(2, 2)] }));
      await current().nextGeneration(metricId);
      expect((await store.log.anomalyTask(metricId))?.openSpan).toBeNull();
      expect(await store.incidents.spans({ limit: 10 })).toMatchObject([{ openedRowid: 2, ended: true }]);
    });

    it('are found by time and by metric, those with the newest rows first', async () => {
      const { store } = current();
      const [a, b] = [await processed('a'), await processed('b')];
      await store.log.recordAnomalyScores(
        current().scored(a, 0, 9, { spans: [span(1, 2, { ended: true }), span(7, 9)] }),
      );
      await store.log.recordAnomalyScores(current().scored(b, 0, 9, { spans: [span(4, 5)] }));
      const rowidsOf = async (selection: object) =>
        (await store.incidents.spans({ limit: 10, ...selection })).map(({ openedRowid }) => openedRowid);
      expect(await rowidsOf({})).toEqual([7, 4, 1]);
      expect(await rowidsOf({ fromTimestamp: timeOf(5) })).toEqual([7, 4]);
      expect(await rowidsOf({ fromTimestamp: timeOf(6) })).toEqual([7]);
      expect(await rowidsOf({ toTimestamp: timeOf(6) })).toEqual([4, 1]);
      expect(await rowidsOf({ toTimestamp: timeOf(4), fromTimestamp: timeOf(3) })).toEqual([4]);
      expect(await rowidsOf({ metricId: b })).toEqual([4]);
      expect(await rowidsOf({ limit: 1 })).toEqual([7]);
      expect(await store.incidents.span({ metricId: a, generation: 1, openedRowid: 7 })).toMatchObject({
        ...span(7, 9),
        name: 'a',
      });
      expect(await store.incidents.span({ metricId: a, generation: 2, openedRowid: 7 })).toBeNull();
    });

    it('go with their metric', async () => {
      const { store } = current();
      const metricId = await processed('a');
      await store.log.recordAnomalyScores(current().scored(metricId, 0, 3, { spans: [span(2, 2)] }));
      await current().unmonitor(metricId);
      await store.catalogue.discardMetric(metricId);
      expect(await store.incidents.spans({ limit: 10 })).toEqual([]);
      while (await store.catalogue.removeDiscarded(100));
      expect(await store.incidents.span({ metricId, generation: 1, openedRowid: 2 })).toBeNull();
    });

    it('are acknowledged once, also while they go on', async () => {
      const { store } = current();
      const metricId = await processed('a');
      await store.log.recordAnomalyScores(current().scored(metricId, 0, 3, { spans: [span(2, 2)] }));
      const key = { metricId, generation: 1, openedRowid: 2 };
      const unknown = { ...key, openedRowid: 3 };
      expect(await store.incidents.acknowledge([key, unknown], FAR, 'seen by "me"')).toBe(1);
      expect(await store.incidents.acknowledge([key], FAR + 1, 'again')).toBe(0);
      await store.log.recordAnomalyScores(current().scored(metricId, 3, 4, { spans: [span(2, 4)] }));
      expect(await store.incidents.spans({ limit: 10 })).toEqual([
        {
          ...span(2, 4),
          ...key,
          name: 'a',
          acknowledgement: { atTimestamp: FAR, note: 'seen by "me"' },
        },
      ]);
    });
  });

  describe('mutes and usual patterns', () => {
    it('keep mutes until they are removed', async () => {
      const { incidents } = current().store;
      const mute: Mute = { id: ID, pattern: 'a*', fromTimestamp: 1, untilTimestamp: FAR, note: 'n' };
      const other: Mute = { id: OTHER_ID, pattern: '?', fromTimestamp: 2, untilTimestamp: null, note: '' };
      await incidents.addMute(mute);
      await incidents.addMute(other);
      await incidents.addMute({ ...mute, pattern: 'changed' });
      expect(await incidents.mutes()).toEqual([other, mute]);
      expect(await incidents.removeMute(ID)).toBe(true);
      expect(await incidents.removeMute(ID)).toBe(false);
      expect(await incidents.mutes()).toEqual([other]);
    });

    it('keep what is usual for a metric as long as there is the metric', async () => {
      const { store } = current();
      const [a, b] = [await current().metric('a', 1), await current().metric('b', 1)];
      const pattern = (id: string, metricId: string, createdAt: number): UsualPattern => ({
        id,
        metricId,
        lowestValue: -0.1,
        highestValue: 1e300,
        fromMinute: createdAt === 1 ? 1400 : null,
        toMinute: createdAt === 1 ? 20 : null,
        createdAt,
        note: 'fine',
      });
      const [first, second] = [pattern(ID, a, 1), pattern(OTHER_ID, b, 2)];
      await store.incidents.addUsual(first);
      await store.incidents.addUsual(second);
      await store.incidents.addUsual({ ...first, note: 'changed' });
      expect(await store.incidents.usualPatterns()).toEqual([second, first]);
      expect(await store.incidents.usualPatterns([a])).toEqual([first]);
      expect(await store.incidents.usualPatterns([])).toEqual([]);
      await expect(
        store.incidents.addUsual(pattern('c'.repeat(32), 'f'.repeat(32), 3)),
      ).rejects.toMatchObject({ code: 'metric_not_found' });
      await store.catalogue.discardMetric(a);
      while (await store.catalogue.removeDiscarded(100));
      expect(await store.incidents.usualPatterns()).toEqual([second]);
      expect(await store.incidents.removeUsual(OTHER_ID)).toBe(true);
      expect(await store.incidents.removeUsual(OTHER_ID)).toBe(false);
    });
  });
}
