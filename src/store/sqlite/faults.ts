import { HtmEngineError } from '../../errors.ts';

/** SQLite's result codes for faults of the disk, of permissions, or of another program's lock. */
const STORAGE_FAULTS = [
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_READONLY',
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_CANTOPEN',
  'SQLITE_NOMEM',
];

/** The error to give to a caller: a fault of storage becomes `store_unavailable`, anything else stays what it is. */
export function toStoreError(error: unknown): unknown {
  const code = sqliteCode(error);
  if (!isAmong(code, STORAGE_FAULTS)) return error;
  return new HtmEngineError(
    'store_unavailable',
    `the database did not take this (${reasonOf(error)}); nothing was written`,
    { sqliteCode: code },
  );
}

/** What to tell when the database at `path` cannot be opened; an error that is nobody's fault but ours stays what it is. */
export function toOpenError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  if (isAmong(code, ['SQLITE_BUSY', 'SQLITE_LOCKED'])) {
    return new HtmEngineError(
      'store_locked',
      `another program holds the database ${path}: close it, or choose another data directory`,
    );
  }
  if (isAmong(code, ['SQLITE_NOTADB', 'SQLITE_CORRUPT'])) {
    return new HtmEngineError(
      'store_unavailable',
      `${path} is no SQLite database or is damaged (${reasonOf(error)}): restore it from a backup, or move it away`,
    );
  }
  // The driver has no code for a directory that is not there.
  if (!isAmong(code, STORAGE_FAULTS) && !(error instanceof TypeError)) return error;
  return new HtmEngineError(
    'data_directory_unwritable',
    `cannot open the database ${path} for writing (${reasonOf(error)}): the directory must exist and its owner needs write permission`,
  );
}

/** Extended codes begin with the code they extend. */
function isAmong(code: string, faults: readonly string[]): boolean {
  return faults.some((fault) => code === fault || code.startsWith(`${fault}_`));
}

function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
