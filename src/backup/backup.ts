import { access, cp, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HtmEngineError } from '../errors.ts';
import { databaseFile } from '../data-directory.ts';
import {
  listCheckpointFiles,
  readSnapshot,
  snapshotDatabase,
  type CheckpointFile,
  type SavedModel,
  type SnapshotModel,
  type SnapshotSummary,
} from '../open-store.ts';
import { isArchive, pack } from './archive.ts';
import { describeFile, newManifest, writeManifest, type ManifestFile } from './manifest.ts';

export interface BackupParts {
  readonly dataDirectory: string;
  /** An empty directory, or one that does not exist; or a file that does not exist, by its name an archive. */
  readonly target: string;
  readonly programVersion: string;
  /** How long the database may be locked by others. */
  readonly busyTimeoutMs: number;
  /** Saved models are kept where no backup of this directory has them: whether all of them can go on is not asked then. */
  readonly modelsAreElsewhere?: boolean;
  readonly onProgress?: (done: number, files: number) => void;
}

export interface BackupOutcome {
  readonly metrics: number;
  readonly rows: number;
  readonly checkpoints: number;
  readonly bytes: number;
}

/** If models outran the copy and their rows were purged meanwhile; once is rare already. */
const ATTEMPTS = 3;

/**
 * Backs a data directory up while an engine may be running on it: saved models first, then one consistent state of the
 * database. A model saved before that state was committed before it, so its rows are in it.
 * @throws HtmEngineError `backup_failed`, `store_unavailable`
 */
export async function backUp(parts: BackupParts): Promise<BackupOutcome> {
  return isArchive(parts.target) ? backUpToArchive(parts) : backUpToDirectory(parts);
}

/** A directory is made beside the file and packed into it; the file is there when all of it is. */
async function backUpToArchive(parts: BackupParts): Promise<BackupOutcome> {
  const { target } = parts;
  if (await exists(target)) {
    throw new HtmEngineError(
      'backup_failed',
      `${target} is there already: give the name of a file that does not exist yet`,
    );
  }
  const directory = `${target}.making-${process.pid}`;
  const scratch = join(directory, basename(target));
  const content = join(directory, 'content');
  try {
    const outcome = await backUpToDirectory({ ...parts, target: content });
    await pack(content, scratch);
    await rename(scratch, target);
    await sync(dirname(target), 'r');
    return { ...outcome, bytes: (await stat(target)).size };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function backUpToDirectory(parts: BackupParts): Promise<BackupOutcome> {
  const { target } = parts;
  await makeEmpty(target);
  for (let attempt = 1; ; attempt++) {
    const checkpoints = await copyCheckpoints(parts);
    const database = databaseFile(target);
    snapshotDatabase(databaseFile(parts.dataDirectory), database, parts.busyTimeoutMs);
    const summary = readSnapshot(database);
    const saved = [...summary.savedModels, ...checkpoints.map(({ name }) => name)];
    const stranded =
      parts.modelsAreElsewhere === true ? undefined : summary.models.find((model) => !canGoOn(model, saved));
    if (stranded === undefined) return finish(parts, summary, checkpoints);
    if (attempt === ATTEMPTS) {
      throw new HtmEngineError(
        'backup_failed',
        `metric ${JSON.stringify(stranded.name)} has no saved model from which it could go on, and its first rows are purged: it will be so after every backup; run htmengine models restart --relearn for it, or back up again if it was just being saved`,
      );
    }
    await rm(database);
    await rm(join(target, 'checkpoints'), { recursive: true, force: true });
  }
}

/** Whether a model can be computed from what the backup has: from a saved one, or from its first row. */
function canGoOn(model: SnapshotModel, saved: readonly SavedModel[]): boolean {
  const { metricId, generation, startRowid, processedRowid, firstRowid } = model;
  const hasRowsAfter = (rowid: number) =>
    rowid >= processedRowid || (firstRowid !== null && firstRowid <= rowid + 1);
  return (
    hasRowsAfter(startRowid - 1) ||
    saved.some(
      (one) =>
        one.metricId === metricId &&
        one.generation === generation &&
        one.rowid <= processedRowid &&
        hasRowsAfter(one.rowid),
    )
  );
}

async function makeEmpty(target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o750 });
  const found = await readdir(target);
  if (found.length === 0) return;
  throw new HtmEngineError(
    'backup_failed',
    `${target} is not empty: give a directory that does not exist yet; an old or unfinished backup is yours to remove`,
  );
}

/** Copies the saved models there are; one that is removed meanwhile has made way for a newer one. */
async function copyCheckpoints({ dataDirectory, target }: BackupParts): Promise<CheckpointFile[]> {
  const copied: CheckpointFile[] = [];
  for (const file of await listCheckpointFiles(dataDirectory)) {
    const path = join(target, file.path);
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    try {
      await cp(join(dataDirectory, file.path), path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      throw error;
    }
    copied.push(file);
  }
  return copied;
}

async function finish(
  { target, programVersion, onProgress }: BackupParts,
  { metrics, rows }: SnapshotSummary,
  checkpoints: readonly CheckpointFile[],
): Promise<BackupOutcome> {
  const paths = ['htmengine.db', ...checkpoints.map(({ path }) => path)];
  const files: ManifestFile[] = [];
  for (const path of paths) {
    await sync(join(target, path), 'r+');
    files.push(await describeFile(target, path));
    onProgress?.(files.length, paths.length);
  }
  const createdAt = new Date().toISOString();
  await writeManifest(target, newManifest({ programVersion, createdAt, metrics, rows, files }));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { metrics, rows, checkpoints: checkpoints.length, bytes };
}

async function sync(path: string, flags: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
