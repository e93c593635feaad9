import { LOST_BY_SYSTEM } from '../server/lost-by-system.ts';
import type { ServerFault } from '../server/server-session.ts';

/** Error names after which the same transaction may succeed. */
const CONFLICTS = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_CHECKREAD',
  // Another transaction has just created or removed what this one did not find or relied on.
  'ER_DUP_ENTRY',
  'ER_NO_REFERENCED_ROW_2',
  'ER_ROW_IS_REFERENCED_2',
]);
const LOST = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_ABORTING_CONNECTION',
]);
const UNAVAILABLE = new Set([
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_QUERY_INTERRUPTED',
  'ER_QUERY_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
  'ER_OUT_OF_RESOURCES',
  'ER_OUTOFMEMORY',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_READ_ONLY_MODE',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_ERROR_DURING_COMMIT',
]);
/** Numbers for which the driver, made for MySQL, has no name or MariaDB another meaning. */
const BY_NUMBER: Readonly<Record<number, Exclude<ServerFault, null>>> = {
  1020: 'conflict', // the record has changed since last read
  1927: 'lost', // the connection was killed (MariaDB)
  1969: 'unavailable', // max_statement_time (MariaDB)
  3024: 'unavailable', // max_execution_time (MySQL)
};

/** What an error of MySQL, MariaDB or their driver means. */
export function mysqlFault(error: unknown): ServerFault {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  if (CONFLICTS.has(code)) return 'conflict';
  if (LOST.has(code) || LOST_BY_SYSTEM.has(code)) return 'lost';
  if (UNAVAILABLE.has(code)) return 'unavailable';
  const known = BY_NUMBER[number];
  if (known !== undefined) return known;
  return /connection is in closed state|connection lost|server has gone away/i.test(error.message)
    ? 'lost'
    : null;
}
