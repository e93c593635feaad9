import { describe, expect, it } from 'vitest';
import { CONSUMER, expectRefused, type StoreFixture } from './fixture.ts';

/** T3: how cursors move, and everything that must leave them where they are. */
export function cursorTests(current: () => StoreFixture): void {
  describe('advanceCursor', () => {
    it('moves the cursor of one consumer and one metric', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const a = await fixture.monitored('a', 5);
      const b = await fixture.monitored('b', 5);
      expect(await log.advanceCursor(fixture.move(a, 0, 2))).toEqual({ refused: null });
      expect(await log.advanceCursor(fixture.move(a, 2, 4))).toEqual({ refused: null });
      expect((await log.cursor(CONSUMER, a))?.rowid).toBe(4);
      expect((await log.cursor('another', a))?.rowid).toBe(0);
      expect((await log.cursor(CONSUMER, b))?.rowid).toBe(0);
    });

    it('refuses a generation that is closed, even if the next one stands at the same row', async () => {
      const fixture = current();
      const { log, catalogue } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      const late = () => log.advanceCursor(fixture.move(metricId, 0, 2));
      await catalogue.unmonitor(metricId);
      await expectRefused(fixture, metricId, late, 'generation');
      await fixture.nextGeneration(metricId);
      await expectRefused(fixture, metricId, late, 'generation');
      expect(await log.advanceCursor(fixture.move(metricId, 0, 2, { generation: 2 }))).toEqual({
        refused: null,
      });
    });

    it('refuses the epoch of a lease that was taken over, of its own stage only', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await fixture.under.execute("update lease set epoch = 99 where stage <> 'publishing'");
      expect(await log.advanceCursor(fixture.move(metricId, 0, 2))).toEqual({ refused: null });
      await fixture.under.execute("update lease set epoch = 99 where stage = 'publishing'");
      await expectRefused(fixture, metricId, () => log.advanceCursor(fixture.move(metricId, 2, 3)), 'epoch');
    });

    it('refuses a move that does not start where the cursor stands', async () => {
      const fixture = current();
      const { log } = fixture.store;
      const metricId = await fixture.monitored('a', 5);
      await expectRefused(
        fixture,
        metricId,
        () => log.advanceCursor(fixture.move(metricId, 1, 2)),
        'watermark',
      );
      await log.advanceCursor(fixture.move(metricId, 0, 2));
      for (const from of [0, 1, 3]) {
        await expectRefused(
          fixture,
          metricId,
          () => log.advanceCursor(fixture.move(metricId, from, 4)),
          'watermark',
        );
      }
    });

    it('throws on a move backwards', async () => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 5);
      await expect(fixture.store.log.advanceCursor(fixture.move(metricId, 2, 1))).rejects.toThrow(RangeError);
    });
  });
}
