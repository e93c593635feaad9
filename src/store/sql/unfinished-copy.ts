import { HtmEngineError } from '../../errors.ts';
import type { Db } from './session.ts';

/** The row of `installation` that says of which copy this store is the unfinished target. */
export const COPYING = 'copying';

/** @throws HtmEngineError `store_incomplete` if the store is the target of a copy that is not finished. */
export async function refuseUnfinishedCopy(db: Db): Promise<void> {
  if ((await copyUnderWay(db)) === null) return;
  throw new HtmEngineError(
    'store_incomplete',
    'this database is the target of a copy that was not finished: run the same htmengine copy again, it goes on where it stopped',
  );
}

/** Which copy that is, or null if there is none. */
export async function copyUnderWay(db: Db): Promise<string | null> {
  const row = await db
    .selectFrom('installation')
    .select('value')
    .where('name', '=', COPYING)
    .executeTakeFirst();
  return row?.value ?? null;
}
