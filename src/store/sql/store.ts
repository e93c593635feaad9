import type { Store } from '../store.ts';
import { SqlCatalogue } from './catalogue.ts';
import { SqlCheckpointStore } from './checkpoints.ts';
import { SqlIncidents } from './incidents.ts';
import { SqlLeases } from './leases.ts';
import { SqlLog } from './log.ts';
import { SqlOutbox } from './outbox.ts';
import { SqlQueries } from './queries.ts';
import { SqlRetention } from './retention.ts';
import { SqlTransfer } from './transfer.ts';
import type { Db, Session, SqlDialect } from './session.ts';

/** A store over an open, migrated database; opening and closing are the adapter's. */
export async function sqlStore(session: Session, dialect: SqlDialect): Promise<Omit<Store, 'close'>> {
  const partitions = await session.read(partitionCount);
  return {
    log: new SqlLog(session, dialect, partitions),
    catalogue: new SqlCatalogue(session, dialect, partitions),
    leases: new SqlLeases(session, dialect),
    queries: new SqlQueries(session, dialect),
    incidents: new SqlIncidents(session, dialect),
    transfer: new SqlTransfer(session, dialect),
    retention: new SqlRetention(session, dialect),
    outbox: new SqlOutbox(session),
    checkpoints: new SqlCheckpointStore(session),
    ping: () => session.write(ping),
  };
}

async function partitionCount(db: Db): Promise<number> {
  const { value } = await db
    .selectFrom('installation')
    .select('value')
    .where('name', '=', 'partitions')
    .executeTakeFirstOrThrow();
  return Number(value);
}

/** Writes something else each time: a database may skip writing what is there already. */
async function ping(db: Db): Promise<void> {
  await db
    .updateTable('installation')
    .set((eb) => ({ value: eb.case().when('value', '=', '0').then('1').else('0').end() }))
    .where('name', '=', 'ping')
    .execute();
}
