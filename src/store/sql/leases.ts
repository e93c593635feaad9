import type { Insertable } from 'kysely';
import { STAGES, type Schema } from './schema.ts';
import type { Db } from './session.ts';
import { refuseUnfinishedCopy } from './unfinished-copy.ts';

/** The leases of an installation: one per stage and partition, held by nobody. */
export function newLeases(partitions: number, epoch: number): Insertable<Schema['lease']>[] {
  return STAGES.flatMap((stage) =>
    Array.from({ length: partitions }, (_, partition) => ({ stage, partition, epoch })),
  );
}

/** See `Catalogue.takeLeases`. */
export async function takeLeases(db: Db, owner: string): Promise<number> {
  await refuseUnfinishedCopy(db);
  const { highest } = await db
    .selectFrom('lease')
    .select((eb) => eb.fn.max('epoch').as('highest'))
    .executeTakeFirstOrThrow();
  const epoch = highest + 1;
  await db.updateTable('lease').set({ owner, epoch, expires_at: null }).execute();
  return epoch;
}
