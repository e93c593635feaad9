import type { RawScoreSlice } from '../../../src/store/log.ts';
import { describe, expect, it } from 'vitest';
import { RELEARNING, request, type StoreFixture } from './fixture.ts';

/** What happened to models: kept with the change itself, until it was told. */
export function outboxTests(current: () => StoreFixture): void {
  describe('the outbox', () => {
    const built = (fixture: StoreFixture, metricId: string, overrides: Partial<RawScoreSlice> = {}) =>
      fixture.store.log.recordRawScores(fixture.raw(metricId, 0, 2, overrides));
    const kinds = async (fixture: StoreFixture) =>
      (await fixture.store.outbox.read(100)).map(({ kind, generation }) => `${kind} ${generation}`);

    it('keeps nothing before anybody tells', async () => {
      const fixture = current();
      await fixture.store.outbox.stopKeeping();
      const metricId = await fixture.monitored('a', 5);
      await built(fixture, metricId);
      await fixture.store.catalogue.unmonitor(metricId);
      expect(await fixture.store.outbox.read(100)).toEqual([]);
    });

    it('keeps what happens to a model, in its order, with what is to be told of it', async () => {
      const fixture = current();
      const { outbox, catalogue, log } = fixture.store;
      await outbox.startKeeping();
      await outbox.startKeeping();
      const metricId = await fixture.monitored('a', 5);
      expect(await outbox.read(100)).toEqual([]);
      await built(fixture, metricId);
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'row 3: broken' });
      await catalogue.unmonitor(metricId);
      const events = await outbox.read(100);
      const common = { metricId, metricName: 'a', resource: 'a', generation: 1 };
      const { spec } = request();
      expect(events).toEqual([
        {
          ...common,
          eventId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
          kind: 'built',
          modelSpec: spec,
          message: null,
        },
        {
          ...common,
          eventId: expect.any(String) as unknown,
          kind: 'failed',
          modelSpec: spec,
          message: 'row 3: broken',
        },
        {
          ...common,
          eventId: expect.any(String) as unknown,
          kind: 'deleted',
          modelSpec: null,
          message: null,
        },
      ]);
      expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(3);
    });

    it('keeps nothing of what was refused, or of a generation that never opened', async () => {
      const fixture = current();
      const { outbox, catalogue, log } = fixture.store;
      await outbox.startKeeping();
      const metricId = await fixture.monitored('a', 5);
      await built(fixture, metricId, { generation: 2 });
      await built(fixture, metricId, { epoch: fixture.epoch + 1 });
      await log.failModel({ metricId, generation: 2, epoch: fixture.epoch, message: 'late' });
      const waiting = await fixture.store.catalogue.createMetric('b');
      await catalogue.monitor(waiting.metricId, request());
      await catalogue.unmonitor(waiting.metricId);
      expect(await outbox.read(100)).toEqual([]);
    });

    it('tells of the generation that a new one replaces', async () => {
      const fixture = current();
      const { outbox, catalogue } = fixture.store;
      await outbox.startKeeping();
      const metricId = await fixture.monitored('a', 5);
      await built(fixture, metricId);
      await fixture.store.log.recordRawScores(fixture.raw(metricId, 2, 4));
      await catalogue.relearn(metricId, request(), RELEARNING);
      expect(await kinds(fixture)).toEqual(['built 1', 'deleted 1']);
    });

    it('forgets what was told, by its id, although its metric is gone, and numbers on', async () => {
      const fixture = current();
      const { outbox, catalogue, log } = fixture.store;
      await outbox.startKeeping();
      const metricId = await fixture.monitored('a', 5);
      await built(fixture, metricId);
      const [first] = await outbox.read(1);
      await outbox.remove([first?.eventId ?? '']);
      expect(await outbox.read(100)).toEqual([]);
      await log.failModel({ metricId, generation: 1, epoch: fixture.epoch, message: 'broken' });
      // Told again by one who was too slow: nothing that came later goes with it.
      await outbox.remove([first?.eventId ?? '']);
      await catalogue.unmonitor(metricId);
      await catalogue.discardMetric(metricId);
      expect(await kinds(fixture)).toEqual(['failed 1', 'deleted 1']);
    });
  });
}
