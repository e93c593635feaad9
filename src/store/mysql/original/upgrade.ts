import { sql, type Kysely } from 'kysely';
import { HtmEngineError } from '../../../errors.ts';
import { migrate } from '../../sql/migrations.ts';
import { NEW_INSTALLATION_PARTITIONS } from '../../../partition.ts';
import type { Schema } from '../../sql/schema.ts';
import type { OriginalDatabase, OriginalModel, TablesOutcome, UpgradeProgress } from '../../original.ts';
import { mysqlMigrationDialect } from '../dialect.ts';
import { checkNames, readNames } from './checks.ts';
import { MODELS_TABLE, recognise } from './recognise.ts';
import { takeOverMetrics, takeOverRows } from './rows.ts';
import { constrainTables, createOwnTables, reshapeTables } from './tables.ts';

/**
 * A database of the original's, or one whose upgrade was begun. Each step may be cut short anywhere: calling all of
 * them again finishes it. No engine, ours or the original's, may run on it.
 */
export class MysqlOriginalDatabase implements OriginalDatabase {
  readonly #db: Kysely<Schema>;
  readonly #where: string;
  readonly #collation: string;
  readonly state: 1 | 2 | 3 | 4 | null;
  readonly #tablesStand: boolean;

  private constructor(
    db: Kysely<Schema>,
    where: string,
    collation: string,
    state: MysqlOriginalDatabase['state'],
    tablesStand: boolean,
  ) {
    this.#db = db;
    this.#where = where;
    this.#collation = collation;
    this.state = state;
    this.#tablesStand = tablesStand;
  }

  /** @returns null, and the connections are the caller's to close, if there is nothing to upgrade. @throws HtmEngineError `store_not_ours` */
  static async find(
    db: Kysely<Schema>,
    where: string,
    collation: string,
  ): Promise<MysqlOriginalDatabase | null> {
    const shape = await recognise(db, where);
    if (shape.kind === 'original') return new MysqlOriginalDatabase(db, where, collation, shape.state, false);
    if (shape.kind === 'upgrading')
      return new MysqlOriginalDatabase(db, where, collation, null, shape.tables);
    return null;
  }

  async upgradeTables(onProgress: (progress: UpgradeProgress) => void): Promise<TablesOutcome> {
    if (this.#tablesStand) {
      await this.#migrate(this.#db);
      return { metrics: 0, renumbered: [], renamed: [], kept: [] };
    }
    return this.#db.connection().execute(async (db) => {
      const metrics = await readNames(db);
      checkNames(metrics, this.#where);
      // What another program holds is told at once; the work itself may take as long as it takes.
      await sql`set session lock_wait_timeout = ${LOCK_WAIT_SECONDS},
        innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`.execute(db);
      await createOwnTables(db, this.#collation);
      await reshapeTables(db, this.#collation);
      const renumbered: string[] = [];
      for (const [index, { uid, name }] of metrics.entries()) {
        if ((await takeOverRows(db, uid)).renumbered) renumbered.push(name ?? uid);
        onProgress({ metrics: index + 1, metricsInAll: metrics.length });
      }
      const renaming = await takeOverMetrics(db, metrics, NEW_INSTALLATION_PARTITIONS);
      await constrainTables(db);
      await this.#migrate(db);
      return { ...renaming, metrics: metrics.length, renumbered };
    });
  }

  async models(): Promise<OriginalModel[]> {
    const { rows } =
      await sql<OriginalModel>`select uid as metricId, name, parameters from ${sql.table(MODELS_TABLE)} order by uid`.execute(
        this.#db,
      );
    return rows;
  }

  async done(metricId: string): Promise<void> {
    await sql`delete from ${sql.table(MODELS_TABLE)} where uid = ${metricId}`.execute(this.#db);
  }

  async finish(): Promise<void> {
    if ((await this.models()).length > 0) throw new Error('there are models left to be monitored');
    await sql`drop table ${sql.table(MODELS_TABLE)}`.execute(this.#db);
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }

  #migrate(db: Kysely<Schema>): Promise<void> {
    return migrate(db, mysqlMigrationDialect(this.#collation), this.#where);
  }
}

const LOCK_WAIT_SECONDS = 10;

/** Keeps an engine off a database that has to be upgraded first. @throws HtmEngineError `store_of_original`, `store_incomplete`, `store_not_ours` */
export async function refuseOriginal(db: Kysely<Schema>, where: string): Promise<void> {
  const { kind } = await recognise(db, where);
  if (kind === 'original') {
    throw new HtmEngineError(
      'store_of_original',
      `${where} is a database of the original htmengine: stop its services, back it up, then run htmengine migrate, which turns it into one of ours (docs/migrating.md)`,
    );
  }
  if (kind === 'upgrading') {
    throw new HtmEngineError(
      'store_incomplete',
      `the upgrade of ${where} from the original htmengine was not finished: run htmengine migrate again, it goes on where it stopped`,
    );
  }
}
