import {
  Pool,
  TypeOverrides,
  type PoolClient,
  type PoolConfig,
  type QueryConfig,
  type QueryResult,
} from 'pg';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import { NotConnected } from '../server/not-connected.ts';
import { deadline, GRACE_MS, idleInTransactionMs } from '../server/watched-query.ts';

export interface PoolSettings {
  readonly connection: PoolConfig;
  readonly maxConnections: number;
  readonly statementTimeoutMs: number;
}

/** Statements that a connection keeps planned; their texts are few, since arguments are never part of them. */
const MAX_PREPARED = 300;
/** Numbers of types in PostgreSQL's catalogue. */
const INT8 = 20;
const TIMESTAMPTZ = 1184;
const NUMERIC = 1700;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** A pool whose numbers, times and names are those of the store's schema, and whose connections cannot hang. */
export function createPool({ connection, maxConnections, statementTimeoutMs }: PoolSettings): PostgresPool {
  const pool = new Pool({
    ...connection,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'htmengine',
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs(statementTimeoutMs),
    types: typeParsers(),
  });
  // An idle connection that the server closes is replaced when one is needed.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    // One that is lost between two statements says so with the next.
    client.on('error', () => undefined);
    void client.query(SESSION).catch(() => undefined);
  });
  const names = new Map<string, string>();
  return {
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw new NotConnected(error);
      });
      return watched(client, names, statementTimeoutMs + GRACE_MS);
    },
    end: () => pool.end(),
    options: {},
  };
}

/** Sent before anything else on a new connection. */
const SESSION = "set time zone 'UTC'; set extra_float_digits = 1; set synchronous_commit = on";

function watched(client: PoolClient, names: Map<string, string>, limitMs: number): PostgresPoolClient {
  let isReleased = false;
  function release(destroy?: boolean): void {
    if (isReleased) return;
    isReleased = true;
    client.release(destroy);
  }
  async function query(text: string, values: readonly unknown[]): Promise<QueryResult> {
    // Ends the connection, and with it the statement.
    const done = deadline(limitMs, () => release(true));
    try {
      const result = await client.query(statement(names, text, values));
      // The server answers so, without an error, where a statement before had failed.
      if (text === 'commit' && result.command === 'ROLLBACK') {
        throw new Error('the transaction was rolled back instead of committed');
      }
      return result;
    } finally {
      done();
    }
  }
  return { query, release } as unknown as PostgresPoolClient;
}

function statement(names: Map<string, string>, text: string, values: readonly unknown[]): QueryConfig {
  if (values.length === 0) return { text };
  let name = names.get(text);
  if (name === undefined && names.size < MAX_PREPARED) {
    name = `htmengine_${names.size}`;
    names.set(text, name);
  }
  const config = { text, values: [...values] };
  return name === undefined ? config : { ...config, name };
}

/** Whole numbers and sums as numbers (all of ours are below 2^53), times as epoch seconds. */
function typeParsers(): TypeOverrides {
  const parsers = new TypeOverrides();
  parsers.setTypeParser(INT8, Number);
  parsers.setTypeParser(NUMERIC, Number);
  parsers.setTypeParser(TIMESTAMPTZ, epochSeconds);
  return parsers;
}

/** `2026-11-23 12:00:00+00`, which it is in a session in UTC. */
function epochSeconds(text: string): number {
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`) / 1000;
}
