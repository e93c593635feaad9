import { isIP } from 'node:net';
import type { SslOptions } from 'mysql2';
import { Kysely, MysqlDialect, sql } from 'kysely';
import { HtmEngineError } from '../../errors.ts';
import type { OriginalDatabase } from '../original.ts';
import { openServerStore, type ServerStoreOptions, toOpenError } from '../server/server-store.ts';
import { describeServer, tlsSettings, type ServerAddress } from '../server/url.ts';
import { migrate } from '../sql/migrations.ts';
import type { Schema } from '../sql/schema.ts';
import type { Store } from '../store.ts';
import { mysqlDialect, mysqlMigrationDialect } from './dialect.ts';
import { mysqlFault } from './faults.ts';
import { MysqlOriginalDatabase, refuseOriginal } from './original/upgrade.ts';
import { hasOriginalTables } from './original/recognise.ts';
import { createPool } from './pool.ts';

export interface MysqlStoreOptions extends ServerStoreOptions {
  /** Open a database of the original's, too, whose upgrade is under way. */
  readonly whileUpgrading?: boolean;
}

/**
 * Opens a store in a database of MariaDB (10.6 or newer) or MySQL (8.0 or newer) and brings its schema up to date; two
 * processes may do so at the same time.
 * @throws HtmEngineError `store_newer`, `store_of_original`, `store_incomplete`, `store_not_ours`, `store_unavailable`, `config_invalid`
 */
export async function openMysqlStore(address: ServerAddress, options: MysqlStoreOptions): Promise<Store> {
  const db = connect(address, options);
  const where = describeServer(address);
  let collation = '';
  return openServerStore({
    where,
    database: {
      db,
      begin: 'start transaction',
      beginReading: 'start transaction with consistent snapshot, read only',
      faultOf: mysqlFault,
      close: () => db.destroy(),
    },
    dialect: () => mysqlDialect(collation),
    migrate: async () => {
      collation = await byteCollation(db, where);
      if (options.whileUpgrading !== true) await refuseOriginal(db, where);
      await migrate(db, mysqlMigrationDialect(collation), where);
    },
    options,
  });
}

/**
 * Looks whether a database is the original's.
 * @returns null if it is not. @throws HtmEngineError `store_not_ours`, `store_unavailable`, `config_invalid`
 */
export async function findOriginalDatabase(address: ServerAddress): Promise<OriginalDatabase | null> {
  const db = connect(address, UPGRADE_OPTIONS);
  const where = describeServer(address);
  let found: OriginalDatabase | null = null;
  try {
    found = await MysqlOriginalDatabase.find(db, where, await byteCollation(db, where));
    return found;
  } catch (error) {
    throw toOpenError(error, { faultOf: mysqlFault }, where);
  } finally {
    if (found === null) await db.destroy();
  }
}

/** Whether a database is, or once was, the original's. @throws HtmEngineError `store_unavailable` */
export async function wasOriginalDatabase(address: ServerAddress): Promise<boolean> {
  const db = connect(address, { maxConnections: 1, statementTimeoutMs: 30_000 });
  try {
    return await hasOriginalTables(db);
  } catch (error) {
    throw toOpenError(error, { faultOf: mysqlFault }, describeServer(address));
  } finally {
    await db.destroy();
  }
}

/** Changing a large table takes its time. */
const UPGRADE_OPTIONS = { maxConnections: 2, statementTimeoutMs: 86_400_000 };

function connect(
  address: ServerAddress,
  { maxConnections, statementTimeoutMs }: Pick<ServerStoreOptions, 'maxConnections' | 'statementTimeoutMs'>,
): Kysely<Schema> {
  const { host, port, socket, user, password, database } = address;
  const ssl = sslOptions(address);
  const pool = createPool({
    connection: {
      ...(socket === null ? { host, port } : { socketPath: socket }),
      user,
      database,
      ...(password !== null && { password }),
      ...(ssl !== null && { ssl }),
    },
    maxConnections,
    statementTimeoutMs,
  });
  return new Kysely<Schema>({ dialect: new MysqlDialect({ pool }) });
}

/** @throws HtmEngineError `config_invalid` */
function sslOptions(address: ServerAddress): SslOptions | null {
  const settings = tlsSettings(address);
  if (settings === null) return null;
  const { verify, ...ca } = settings;
  // The driver compares the name of `localhost` instead.
  if (verify && isIP(address.host) !== 0) {
    throw new HtmEngineError(
      'config_invalid',
      `store URL: with tls=verify, name the MySQL or MariaDB server as its certificate does, not ${address.host}; or say tls=require`,
    );
  }
  return { rejectUnauthorized: verify, verifyIdentity: verify, ...ca };
}

/** Compare by bytes, and blanks at the end too: MariaDB's and MySQL's have different names. */
const BYTE_COLLATIONS = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'];

async function byteCollation(db: Kysely<Schema>, where: string): Promise<string> {
  const { rows } = await sql<{
    name: string;
  }>`select collation_name as name from information_schema.collations
    where collation_name in (${sql.join(BYTE_COLLATIONS)})`.execute(db);
  const [found] = rows;
  if (found !== undefined) return found.name;
  throw new HtmEngineError(
    'config_invalid',
    `${where} is too old: MariaDB 10.6 or MySQL 8.0 is needed (it has none of the collations ${BYTE_COLLATIONS.join(', ')})`,
  );
}
