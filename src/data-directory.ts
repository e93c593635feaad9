import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { HtmEngineError } from './errors.ts';

/** The directory that one running engine owns: its database, its checkpoints, its lock. */
export interface DataDirectory {
  readonly path: string;
  readonly databaseFile: string;
  readonly checkpointDirectory: string;
  /** Gives the directory up for another engine. */
  release(): void;
}

/**
 * Creates the directory if need be and takes it for this process.
 *
 * The lock is an open exclusive transaction on a database of its own: the operating system ends it with the
 * process, however that dies, so no stale lock is ever left behind.
 * @throws HtmEngineError `data_directory_unwritable`, `store_locked`
 */
export function openDataDirectory(path: string): DataDirectory {
  let lock: Database.Database | undefined;
  try {
    createDirectories(path);
    lock = new Database(lockFile(path), { timeout: 0 });
    // Kept in memory, the journal leaves no file beside the lock when the process is killed.
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    throw cannotOpen(path, error);
  }
  const held = lock;
  return { ...pathsIn(path), release: () => held.close() };
}

/** The directory of processes that keep nothing in it but saved models, if those: they may share it. */
export function sharedDataDirectory(path: string): DataDirectory {
  return { ...pathsIn(path), release: () => undefined };
}

/** Whether an engine, which is alive then, has the directory. Takes no lock that would keep one from starting for longer than an instant. */
export function isDataDirectoryHeld(path: string): boolean {
  const file = lockFile(path);
  if (!existsSync(file)) return false;
  const lock = new Database(file, { readonly: true, timeout: 0 });
  try {
    lock.prepare('SELECT 1 FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    lock.close();
  }
}

export function lockFile(path: string): string {
  return join(path, 'engine.lock');
}

export function databaseFile(path: string): string {
  return join(path, 'htmengine.db');
}

function pathsIn(path: string): Omit<DataDirectory, 'release'> {
  return { path, databaseFile: databaseFile(path), checkpointDirectory: join(path, 'checkpoints') };
}

/** One after the other rather than recursively: Node's recursive form never returns below /proc. */
function createDirectories(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) createDirectories(parent);
  mkdirSync(path, { mode: 0o750 });
}

function cannotOpen(path: string, error: unknown): HtmEngineError {
  if (isBusy(error)) {
    return new HtmEngineError(
      'store_locked',
      `another engine is running on ${path}: stop it, or choose another directory with --data-dir`,
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new HtmEngineError(
    'data_directory_unwritable',
    `cannot write to the data directory ${path} (${reason}): give its owner write permission, or choose another with --data-dir`,
  );
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}
