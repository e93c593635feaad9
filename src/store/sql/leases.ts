import { sql, type Insertable } from 'kysely';
import { STAGES, type Lease, type Leases, type Stage, type StageLeases } from '../leases.ts';
import type { Schema } from './schema.ts';
import type { Db, Session, SqlDialect } from './session.ts';
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
  await db.updateTable('lease').set({ owner, epoch }).execute();
  return epoch;
}

/** A member that has been dead for so long is forgotten. */
const FORGOTTEN_AFTER_SECONDS = 3600;

/** The leases in an SQL database. */
export class SqlLeases implements Leases {
  readonly #session: Session;
  readonly #dialect: SqlDialect;

  constructor(session: Session, dialect: SqlDialect) {
    this.#session = session;
    this.#dialect = dialect;
  }

  checkServable(): Promise<void> {
    return this.#session.read(refuseUnfinishedCopy);
  }

  /**
   * The write touches the member's own row alone and the reads lock nothing: members that say that they live at the same
   * time, and the folds, which read their lease, are not in each other's way.
   */
  async renew(stage: Stage, owner: string, ttlMs: number): Promise<StageLeases> {
    await this.#session.write((db) => sayAlive(db, this.#dialect, stage, owner, ttlMs / 1000));
    return this.look(stage);
  }

  async look(stage: Stage): Promise<StageLeases> {
    // The leases before the members: who took one in between is among the living then.
    const leases = await this.#session.query((db) => leasesOf(db, stage));
    return { members: await this.#session.query((db) => living(db, this.#dialect, stage)), leases };
  }

  acquire(stage: Stage, owner: string, wanted: readonly Lease[]): Promise<Lease[]> {
    return this.#session.write((db) => acquire(db, this.#dialect, stage, owner, wanted));
  }

  release(stage: Stage, owner: string, leases: readonly Lease[]): Promise<void> {
    return this.#session.write(async (db) => {
      for (const { partition, epoch } of inOrder(leases)) {
        await db
          .updateTable('lease')
          .set({ owner: null, epoch: epoch + 1 })
          .where('stage', '=', stage)
          .where('partition', '=', partition)
          .where('owner', '=', owner)
          .where('epoch', '=', epoch)
          .execute();
      }
    });
  }

  leave(stage: Stage, owner: string): Promise<void> {
    return this.#session.write(async (db) => {
      await db
        .updateTable('lease')
        .set((eb) => ({ owner: null, epoch: eb('epoch', '+', 1) }))
        .where('stage', '=', stage)
        .where('owner', '=', owner)
        .execute();
      await db.deleteFrom('member').where('stage', '=', stage).where('owner', '=', owner).execute();
    });
  }
}

async function sayAlive(
  db: Db,
  dialect: SqlDialect,
  stage: Stage,
  owner: string,
  ttlSeconds: number,
): Promise<void> {
  const expires_at = sql<number>`${dialect.now} + ${ttlSeconds}`;
  const { numUpdatedRows } = await db
    .updateTable('member')
    .set({ expires_at })
    .where('stage', '=', stage)
    .where('owner', '=', owner)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return;
  await db.insertInto('member').values({ stage, owner, expires_at }).execute();
  await db
    .deleteFrom('member')
    .where('expires_at', '<', sql<number>`${dialect.now} - ${FORGOTTEN_AFTER_SECONDS}`)
    .execute();
}

function leasesOf(db: Db, stage: Stage): Promise<(Lease & { owner: string | null })[]> {
  return db
    .selectFrom('lease')
    .select(['partition', 'owner', 'epoch'])
    .where('stage', '=', stage)
    .orderBy('partition')
    .execute();
}

async function living(db: Db, dialect: SqlDialect, stage: Stage): Promise<string[]> {
  const rows = await db
    .selectFrom('member')
    .select('owner')
    .where('stage', '=', stage)
    .where('expires_at', '>', dialect.now)
    .orderBy('owner')
    .execute();
  return rows.map((row) => row.owner);
}

/**
 * A lease that a transaction is reading is left for the next time: a process that was stopped or cut off in the middle of
 * one holds its lock until the server ends it, and whoever waited for that could not say meanwhile that it lives.
 */
async function acquire(
  db: Db,
  dialect: SqlDialect,
  stage: Stage,
  owner: string,
  wanted: readonly Lease[],
): Promise<Lease[]> {
  const unlocked = dialect.locksRows ? await lockedAtOnce(db, stage, wanted) : null;
  const taken: Lease[] = [];
  for (const { partition, epoch } of inOrder(wanted)) {
    if (unlocked?.has(partition) === false) continue;
    const { numUpdatedRows } = await db
      .updateTable('lease')
      .set({ owner, epoch: epoch + 1 })
      .where('stage', '=', stage)
      .where('partition', '=', partition)
      .where('epoch', '=', epoch)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 1n) taken.push({ partition, epoch: epoch + 1 });
  }
  return taken;
}

async function lockedAtOnce(db: Db, stage: Stage, wanted: readonly Lease[]): Promise<ReadonlySet<number>> {
  const rows = await db
    .selectFrom('lease')
    .select('partition')
    .where('stage', '=', stage)
    .where(
      'partition',
      'in',
      wanted.map(({ partition }) => partition),
    )
    .orderBy('partition')
    .forUpdate()
    .skipLocked()
    .execute();
  return new Set(rows.map(({ partition }) => partition));
}

/** Everybody locks leases in the same order. */
function inOrder(leases: readonly Lease[]): Lease[] {
  return leases.toSorted((a, b) => a.partition - b.partition);
}
