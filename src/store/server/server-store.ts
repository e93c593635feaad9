import { HtmEngineError } from '../../errors.ts';
import type { SqlDialect } from '../sql/session.ts';
import { sqlStore } from '../sql/store.ts';
import type { Store } from '../store.ts';
import { NotConnected } from './not-connected.ts';
import { ServerSession, type Repetition, type ServerDatabase } from './server-session.ts';

export interface ServerStoreOptions {
  /** Connections to the database at the most. */
  readonly maxConnections: number;
  /** A statement, or the wait for a lock, that takes longer is ended by the server. */
  readonly statementTimeoutMs: number;
  /** Told before an operation is run again, and why. */
  readonly onRepeat?: (why: Repetition, error: unknown) => void;
}

/** How long `close` lets running operations finish. */
const CLOSE_TIMEOUT_MS = 10_000;

/** A store over a database server: migrates, then serves. Closes the connections if it cannot. */
export async function openServerStore(server: {
  readonly where: string;
  readonly database: ServerDatabase;
  /** Asked for after migrating. */
  readonly dialect: () => SqlDialect;
  readonly migrate: () => Promise<void>;
  readonly options: ServerStoreOptions;
}): Promise<Store> {
  const { where, database, options } = server;
  const session = new ServerSession(database, options);
  try {
    await server.migrate();
    const store = await sqlStore(session, server.dialect());
    return { ...store, close: () => session.close(CLOSE_TIMEOUT_MS) };
  } catch (error) {
    await session.close(0);
    throw toOpenError(error, database, where);
  }
}

/** What a person can mend is said; anything else stays what it is. */
export function toOpenError(
  error: unknown,
  database: Pick<ServerDatabase, 'faultOf'>,
  where: string,
): unknown {
  if (!(error instanceof Error) || error instanceof HtmEngineError) return error;
  const isServers = error instanceof NotConnected || 'code' in error || database.faultOf(error) !== null;
  if (!isServers) return error;
  return new HtmEngineError(
    'store_unavailable',
    `cannot use the database ${where} (${error.message}): it must be running, have that database, let this user create tables and views in it, and speak TLS as the URL says`,
  );
}
