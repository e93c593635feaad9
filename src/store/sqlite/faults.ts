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
  if (!STORAGE_FAULTS.some((fault) => code === fault || code.startsWith(`${fault}_`))) return error;
  return new HtmEngineError(
    'store_unavailable',
    `the database did not take this (${reasonOf(error)}); nothing was written`,
    { sqliteCode: code },
  );
}

/** What to tell when the database at `path` cannot be opened. */
export function toOpenError(error: unknown, path: string): unknown {
  if (error instanceof HtmEngineError) return error;
  const code = sqliteCode(error);
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new HtmEngineError(
      'store_locked',
      `another program holds the database ${path}: close it, or choose another data directory`,
    );
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return new HtmEngineError(
      'store_unavailable',
      `${path} is no SQLite database or is damaged (${reasonOf(error)}): restore it from a backup, or move it away`,
    );
  }
  return new HtmEngineError(
    'data_directory_unwritable',
    `cannot open the database ${path} for writing (${reasonOf(error)}): the directory must exist and its owner needs write permission`,
  );
}

function sqliteCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
