import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { Kysely, PostgresDialect } from 'kysely';
import type { Schema } from '../sql/schema.ts';
import { migrate } from '../sql/migrations.ts';
import { openServerStore, type ServerStoreOptions } from '../server/server-store.ts';
import { describeServer, tlsSettings, type ServerAddress } from '../server/url.ts';
import type { Store } from '../store.ts';
import { postgresDialect, postgresMigrationDialect } from './dialect.ts';
import { postgresFault } from './faults.ts';
import { createPool } from './pool.ts';

/**
 * Opens a store in a PostgreSQL database (14 or newer) and brings its schema up to date; two processes may do so at
 * the same time.
 * @throws HtmEngineError `store_newer`, `store_unavailable`, `config_invalid`
 */
export function openPostgresStore(address: ServerAddress, options: ServerStoreOptions): Promise<Store> {
  const { host, port, socket, user, password, database } = address;
  const pool = createPool({
    connection: {
      host: socket ?? host,
      port,
      user,
      database,
      ...(password !== null && { password }),
      ssl: sslOptions(address) ?? false,
    },
    maxConnections: options.maxConnections,
    statementTimeoutMs: options.statementTimeoutMs,
  });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  return openServerStore({
    where: describeServer(address),
    database: {
      db,
      begin: 'start transaction isolation level serializable',
      beginReading: 'start transaction isolation level repeatable read read only',
      faultOf: postgresFault,
      close: () => db.destroy(),
    },
    dialect: () => postgresDialect,
    // One transaction under a lock of its own: Kysely's migrator sees to both.
    migrate: () => migrate(db, postgresMigrationDialect, describeServer(address)),
    options,
  });
}

/** @throws HtmEngineError `config_invalid` */
function sslOptions(address: ServerAddress): ConnectionOptions | null {
  const settings = tlsSettings(address);
  if (settings === null) return null;
  const { verify, ...ca } = settings;
  if (!verify) return { rejectUnauthorized: false, ...ca };
  // The driver tells Node of the host only if it is a name; an address would be taken for `localhost`.
  return {
    ...ca,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(address.host, certificate),
  };
}
