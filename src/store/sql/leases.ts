import type { Db } from './session.ts';

/** See `Catalogue.takeLeases`. */
export async function takeLeases(db: Db, owner: string): Promise<number> {
  const { highest } = await db
    .selectFrom('lease')
    .select((eb) => eb.fn.max('epoch').as('highest'))
    .executeTakeFirstOrThrow();
  const epoch = highest + 1;
  await db.updateTable('lease').set({ owner, epoch, expires_at: null }).execute();
  return epoch;
}
