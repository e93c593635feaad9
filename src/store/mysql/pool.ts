import {
  createPool as createMysqlPool,
  type PoolConnection,
  type PoolOptions,
  type TypeCastField,
} from 'mysql2';
import type { MysqlPool, MysqlPoolConnection } from 'kysely';
import { NotConnected } from '../server/not-connected.ts';
import { deadline, GRACE_MS, idleInTransactionMs } from '../server/watched-query.ts';

export interface PoolSettings {
  readonly connection: PoolOptions;
  readonly maxConnections: number;
  readonly statementTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

type Answer = (error: unknown, result: unknown) => void;

/** A pool whose numbers, times and names are those of the store's schema, and whose connections cannot hang. */
export function createPool({ connection, maxConnections, statementTimeoutMs }: PoolSettings): MysqlPool {
  const pool = createMysqlPool({
    ...connection,
    connectionLimit: maxConnections,
    maxIdle: maxConnections,
    idleTimeout: IDLE_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    charset: 'UTF8MB4_BIN',
    timezone: 'Z',
    decimalNumbers: true,
    typeCast,
  });
  // Goes before anything that is asked on the connection; if it fails the connection is of no use.
  pool.on('connection', (opened) => {
    for (const setting of sessionSettings(statementTimeoutMs)) {
      opened.query(setting, (error) => {
        if (error !== null) opened.destroy();
      });
    }
  });
  return {
    getConnection: (callback) =>
      pool.getConnection((error, opened) => {
        if (error === null) callback(null, watched(opened, statementTimeoutMs + GRACE_MS));
        else callback(new NotConnected(error), undefined as never);
      }),
    end: (callback) => pool.end(callback),
  };
}

/**
 * With autocommit, reading statements outside transactions take no locks even at this isolation level. A statement's
 * limit has a name of its own in MariaDB and in MySQL; each reads only its comment. MySQL has none for transactions that
 * stand still.
 */
function sessionSettings(statementTimeoutMs: number): string[] {
  const seconds = Math.max(1, Math.ceil(statementTimeoutMs / 1000));
  const idleSeconds = Math.max(1, Math.ceil(idleInTransactionMs(statementTimeoutMs) / 1000));
  return [
    'set session transaction isolation level serializable',
    `set session time_zone = '+00:00', innodb_lock_wait_timeout = ${seconds}, sql_mode = '${SQL_MODE}'` +
      ` /*M!100300 , max_statement_time = ${seconds}, idle_transaction_timeout = ${idleSeconds} */ /*!80000 , max_execution_time = ${statementTimeoutMs} */`,
  ];
}

/** Wrong values are errors, and a backslash escapes, as the driver expects. */
const SQL_MODE =
  'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

function watched(connection: PoolConnection, limitMs: number): MysqlPoolConnection {
  let isReleased = false;
  function release(): void {
    if (!isReleased) connection.release();
    isReleased = true;
  }
  function query(text: string, parameters: readonly unknown[], answer: Answer): void {
    let isAnswered = false;
    function answerOnce(error: unknown, result: unknown): void {
      if (isAnswered) return;
      isAnswered = true;
      done();
      answer(error, result);
    }
    const done = deadline(limitMs, () => {
      isReleased = true;
      connection.destroy();
      answerOnce(new ConnectionHung(limitMs), undefined);
    });
    connection.query(text, parameters.map(toDriver), answerOnce);
  }
  return { query, release, threadId: connection.threadId } as unknown as MysqlPoolConnection;
}

/** The driver knows Node's buffers only. */
function toDriver(parameter: unknown): unknown {
  return parameter instanceof Uint8Array ? Buffer.from(parameter) : parameter;
}

class ConnectionHung extends Error {
  readonly code = 'PROTOCOL_SEQUENCE_TIMEOUT';

  constructor(limitMs: number) {
    super(`the database has not answered for ${limitMs} ms`);
  }
}

function typeCast(field: TypeCastField, next: () => unknown): unknown {
  if (field.type === 'DATETIME') return epochSeconds(field);
  return field.type === 'DOUBLE' ? double(field) : next();
}

/** The server sends the shortest text that is this number and no other; the driver's own reading may be a bit off. */
function double(field: TypeCastField): number | null {
  const text = field.string();
  return text === null ? null : Number(text);
}

function epochSeconds(field: TypeCastField): number | null {
  const text = field.string();
  return text === null ? null : Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`) / 1000;
}
