import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { databaseFile, isDataDirectoryHeld, lockFile } from '../../data-directory.ts';
import { type Finding, ok, problem, reasonOf, sizeText, warning } from './finding.ts';

const LOW_BYTES = 2 ** 30;
const TOO_LOW_BYTES = 100 * 2 ** 20;
const COMMITS = 20;
const SQLITE_MAGIC = 'SQLite format 3\0';
const MS_DIGITS = 2;

/** File systems by their numbers in statfs(2) that are not fit, or not lasting. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
]);
const PASSING_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs (memory)'],
  [0x858458f6, 'ramfs (memory)'],
  [0x794c7630, "overlay (a container's own layer)"],
]);

/** Everything about the data directory, and whether a running engine has it. */
export async function dataFindings(path: string): Promise<{ findings: Finding[]; held: boolean }> {
  const existing = nearestExisting(path);
  const place = await placeFinding(path, existing);
  if (place.verdict === 'problem') return { findings: [place], held: false };
  const { type, bavail, bsize } = statfsSync(existing);
  const disk = [spaceFinding(bavail * bsize), fileSystemFinding(type)];
  if (existing !== path) return { findings: [place, ...disk], held: false };
  const { finding: lock, held } = lockFinding(path);
  return { findings: [place, ...disk, lock, databaseFinding(path), durabilityFinding(path)], held };
}

export function spaceFinding(freeBytes: number): Finding {
  const found = `${sizeText(freeBytes)} free`;
  const fix = 'make room, or choose another directory with --data-dir';
  if (freeBytes < TOO_LOW_BYTES) return problem('disk', found, fix);
  return freeBytes < LOW_BYTES ? warning('disk', found, fix) : ok('disk', found);
}

/** @param type of the file system, as statfs(2) numbers them */
export function fileSystemFinding(type: number): Finding {
  const network = NETWORK_FILE_SYSTEMS.get(type);
  if (network !== undefined)
    return problem(
      'file system',
      `${network}: SQLite's write-ahead log does not work over a network`,
      'choose a directory on a disk of this machine with --data-dir',
    );
  const passing = PASSING_FILE_SYSTEMS.get(type);
  if (passing !== undefined)
    return warning(
      'file system',
      `${passing}: all data is gone with the machine or the container`,
      'choose a directory on a disk or a volume with --data-dir',
    );
  return ok('file system', 'local');
}

async function placeFinding(path: string, existing: string): Promise<Finding> {
  const name = 'data directory';
  const fix = 'give its owner write permission, or choose another with --data-dir';
  if (!statSync(existing).isDirectory())
    return problem(name, `${existing} is not a directory`, 'choose another with --data-dir');
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    return problem(name, `cannot write to ${existing}: ${reasonOf(error)}`, fix);
  }
  return ok(name, existing === path ? path : `${path} does not exist yet; "up" makes it`);
}

function lockFinding(path: string): { finding: Finding; held: boolean } {
  try {
    if (!isDataDirectoryHeld(path))
      return { finding: ok('lock', 'free: no engine has the directory'), held: false };
  } catch (error) {
    const fix = `end what uses ${lockFile(path)}, or remove that file while no engine runs`;
    return { finding: problem('lock', `cannot be read: ${reasonOf(error)}`, fix), held: false };
  }
  const processId = lockHolder(path);
  const holder = processId === null ? 'a running engine' : `process ${processId}`;
  if (processId !== null && isSuspended(processId)) {
    const finding = problem(
      'lock',
      `held by ${holder}, which is suspended`,
      `let it go on: kill -CONT ${processId}`,
    );
    return { finding, held: true };
  }
  return { finding: ok('lock', `held by ${holder}`), held: true };
}

/** The process that has the lock; null where the system does not tell. */
function lockHolder(path: string): number | null {
  try {
    return parseLockHolder(readFileSync('/proc/locks', 'utf8'), statSync(lockFile(path)).ino);
  } catch {
    return null;
  }
}

/** The process that has a write lock on the file with this inode, out of `/proc/locks` (proc_locks(5)). */
export function parseLockHolder(locks: string, inode: number): number | null {
  for (const line of locks.split('\n')) {
    const [, , , kind, processId, file] = line.split(/\s+/);
    if (kind === 'WRITE' && file?.split(':').at(-1) === String(inode) && Number(processId) > 0)
      return Number(processId);
  }
  return null;
}

function isSuspended(processId: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${processId}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Whether the file of the database is one. It is not opened: that might make another engine wait. */
function databaseFinding(path: string): Finding {
  const file = databaseFile(path);
  if (!existsSync(file)) return ok('database', 'none yet');
  const size = statSync(file).size;
  const start = Buffer.alloc(SQLITE_MAGIC.length);
  try {
    const descriptor = openSync(file, 'r');
    readSync(descriptor, start);
    closeSync(descriptor);
  } catch (error) {
    return problem(
      'database',
      `cannot be read: ${reasonOf(error)}`,
      `give its owner permission to read and write ${file}`,
    );
  }
  // Empty until the first commit.
  if (size === 0 || start.toString('latin1') === SQLITE_MAGIC) return ok('database', sizeText(size));
  return problem(
    'database',
    `${file} is not an SQLite database`,
    'restore it from a backup, or move it away to begin anew',
  );
}

/** Commits as the engine does, in a scratch database beside the real one. */
function durabilityFinding(path: string): Finding {
  const name = 'durability';
  let scratch: string | null = null;
  try {
    scratch = mkdtempSync(join(path, 'doctor-'));
    const database = new Database(join(scratch, 'scratch.db'));
    const journal: unknown = database.pragma('journal_mode = WAL', { simple: true });
    database.pragma('synchronous = FULL');
    const synchronous: unknown = database.pragma('synchronous', { simple: true });
    database.exec('CREATE TABLE probe (value)');
    const insert = database.prepare('INSERT INTO probe VALUES (1)');
    const startMs = performance.now();
    for (let i = 0; i < COMMITS; i++) insert.run();
    const commitMs = (performance.now() - startMs) / COMMITS;
    database.close();
    if (journal !== 'wal' || synchronous !== 2)
      return problem(
        name,
        `SQLite has journal_mode ${String(journal)}, synchronous ${String(synchronous)}, not wal and 2 (full)`,
        'choose a directory on a local disk with --data-dir',
      );
    return ok(
      name,
      `write-ahead log, synced at every commit; one takes ${commitMs.toPrecision(MS_DIGITS)} ms here`,
    );
  } catch (error) {
    return problem(
      name,
      `a scratch database cannot be written: ${reasonOf(error)}`,
      `make room, or give permission to write to ${path}`,
    );
  } finally {
    if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
  }
}

/** The path itself, or the directory in which it would have to be made. */
function nearestExisting(path: string): string {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  return existing;
}
