import { LOST_BY_SYSTEM } from '../server/lost-by-system.ts';
import type { ServerFault } from '../server/server-session.ts';

/** SQLSTATE codes after which the same transaction may succeed. */
const CONFLICTS = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  // Another transaction has just created or removed what this one did not find or relied on.
  '23505', // unique_violation
  '23503', // foreign_key_violation
]);
/** Codes and classes (two characters) that say the server, or our place on it, is going or gone. */
const LOST = new Set(['08', '57P01', '57P02', '57P03', '57P05', '25P03']);
/** Codes and classes that say it cannot now: resources, I/O, cancelled or timed out, read-only, a lock not had. */
const UNAVAILABLE = new Set(['53', '58', '57014', '25006', '55P03', '25P02']);
/** The driver has no codes for these. */
const LOST_BY_MESSAGE =
  /connection terminated|connection ended|timeout exceeded when trying to connect|client has encountered a connection error|not queryable/i;

/** What an error of PostgreSQL or its driver means. */
export function postgresFault(error: unknown): ServerFault {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (CONFLICTS.has(code)) return 'conflict';
  if (isIn(LOST, code) || LOST_BY_SYSTEM.has(code)) return 'lost';
  if (isIn(UNAVAILABLE, code)) return 'unavailable';
  return code === '' && LOST_BY_MESSAGE.test(error.message) ? 'lost' : null;
}

function isIn(codes: ReadonlySet<string>, code: string): boolean {
  return codes.has(code) || codes.has(code.slice(0, 2));
}
