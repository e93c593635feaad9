import { describe, expect, it } from 'vitest';
import type { StoreFixture } from './fixture.ts';

/** What takes each migration but the first back. */
const UNDO: readonly (readonly [migration: string, statements: string])[] = [
  ['0002-checkpoints', 'drop table checkpoint'],
  ['0003-incidents', 'drop table usual_pattern; drop table mute; drop table anomaly_span'],
  ['0004-views', 'drop view htmengine_results; drop view htmengine_metrics'],
  ['0005-retention', 'drop table stalled_cursor; drop table metric_retention'],
  ['0006-outbox', 'drop table outbox'],
  ['0007-anomaly-bars', 'alter table anomaly_watermark drop column bars'],
  ['0008-members', 'drop table member; alter table lease add column expires_at double precision'],
];

export function migrationTests(current: () => StoreFixture): void {
  describe('migrations', () => {
    it.each(UNDO)('%s leaves everything in a filled database as it is', async (migration) => {
      const fixture = current();
      const metricId = await fixture.monitored('a', 5);
      await fixture.score(metricId, 0, 3);
      await fixture.store.log.advanceCursor(fixture.move(metricId, 0, 2));
      await fixture.metric('Ünïcode 🙂 ', 2);
      const before = (await fixture.everything(metricId)) as { readonly anomaly: object };
      for (const [name, statements] of UNDO.toReversed()) {
        if (name < migration) break;
        await fixture.under.execute(`${statements}; delete from kysely_migration where name = '${name}'`);
      }
      await fixture.reopen();
      // The bars went with their column if that was taken back, and come again with the next rows.
      const hadBars = migration > '0007-anomaly-bars';
      const expected = hadBars ? before : { ...before, anomaly: { ...before.anomaly, bars: null } };
      expect(await fixture.everything(metricId)).toEqual(expected);
      const name = { metricId, generation: 1, rowid: 3, revision: 3 };
      await fixture.store.checkpoints.put(name, Uint8Array.of(1, 2, 3));
      expect(await fixture.store.checkpoints.get(name)).toEqual(Uint8Array.of(1, 2, 3));
      expect(await fixture.under.select('select * from htmengine_results')).toHaveLength(7);
      expect(await migrationsOf(fixture)).toEqual(['0001-first', ...UNDO.map(([one]) => one)]);
    });
  });
}

async function migrationsOf({ under }: StoreFixture): Promise<unknown[]> {
  return (await under.select('select name from kysely_migration order by name')).map(({ name }) => name);
}
