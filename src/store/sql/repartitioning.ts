import { HtmEngineError } from '../../errors.ts';
import { partitionOf } from '../../partition.ts';
import { newLeases } from './leases.ts';
import type { Db, SqlDialect } from './session.ts';

const PAGE_METRICS = 1_000;

/** See `Catalogue.repartition`. */
export async function repartition(db: Db, dialect: SqlDialect, partitions: number): Promise<number> {
  const living = await db
    .selectFrom('member')
    .select('owner')
    .where('expires_at', '>', dialect.now)
    .executeTakeFirst();
  if (living !== undefined) {
    throw new HtmEngineError(
      'store_locked',
      'processes work on this database: stop all of them, listeners and storers too, and try again in a few seconds',
    );
  }
  let metrics = 0;
  for (let after = ''; ;) {
    const page = await nextMetrics(db, after);
    await move(db, page, partitions);
    metrics += page.length;
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.uid;
  }
  const { epoch } = await db
    .selectFrom('lease')
    .select((eb) => eb.fn.max('epoch').as('epoch'))
    .executeTakeFirstOrThrow();
  await db.deleteFrom('lease').execute();
  // Whatever anybody held before is refused.
  await db
    .insertInto('lease')
    .values(newLeases(partitions, epoch + 1))
    .execute();
  await db
    .updateTable('installation')
    .set({ value: String(partitions) })
    .where('name', '=', 'partitions')
    .execute();
  return metrics;
}

function nextMetrics(db: Db, after: string): Promise<{ uid: string; name: string }[]> {
  return db
    .selectFrom('metric')
    .select(['uid', 'name'])
    .where('uid', '>', after)
    .orderBy('uid')
    .limit(PAGE_METRICS)
    .execute();
}

async function move(
  db: Db,
  metrics: readonly { readonly uid: string; readonly name: string }[],
  partitions: number,
): Promise<void> {
  const byPartition = new Map<number, string[]>();
  for (const { uid, name } of metrics) {
    const partition = partitionOf(name, partitions);
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), uid]);
  }
  for (const [partition, uids] of byPartition)
    await db.updateTable('metric').set({ partition }).where('uid', 'in', uids).execute();
}
