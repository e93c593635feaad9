import { cp, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { HtmEngineError } from '../errors.ts';
import { databaseFile } from '../data-directory.ts';
import { listCheckpointFiles, readSnapshot, type SnapshotSummary } from '../open-store.ts';
import { isArchive, unpack } from './archive.ts';
import { unusable, verifiedManifest } from './manifest.ts';

export interface RestoreParts {
  /** A directory or an archive. */
  readonly backup: string;
  /** Must not exist, or be empty. */
  readonly dataDirectory: string;
  readonly onProgress?: (done: number, files: number) => void;
}

export interface RestoreOutcome {
  readonly metrics: number;
  readonly rows: number;
  readonly checkpoints: number;
  /** Saved models that were ahead of the database, or of another generation, and are left out. */
  readonly checkpointsLeftOut: number;
  readonly createdAt: string;
}

/**
 * Makes a data directory of a backup: all of it, checked, or nothing. It is put together beside the directory and
 * renamed into place at the end.
 * @throws HtmEngineError `backup_unusable`, `store_not_empty`, `store_unavailable`
 */
export async function restore(parts: RestoreParts): Promise<RestoreOutcome> {
  const { backup } = parts;
  const dataDirectory = resolve(parts.dataDirectory);
  await refuseUnlessEmpty(dataDirectory);
  if (!isArchive(backup)) return restoreDirectory({ ...parts, dataDirectory });
  const unpacked = `${dataDirectory}.unpacking-${process.pid}`;
  await mkdir(unpacked, { recursive: true, mode: 0o750 });
  try {
    await unpack(backup, unpacked).catch((error: unknown) => {
      throw unusable(
        backup,
        `it cannot be unpacked (${error instanceof Error ? error.message : String(error)})`,
      );
    });
    return await restoreDirectory({ ...parts, dataDirectory, content: unpacked });
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** @param parts.content where the backup's files are, if that is not what it is called by */
async function restoreDirectory({
  backup,
  content = backup,
  dataDirectory,
  onProgress,
}: RestoreParts & { readonly content?: string }): Promise<RestoreOutcome> {
  let done = 0;
  const manifest = await verifiedManifest(content, backup, (_, files) => onProgress?.(++done, 2 * files));
  const parent = dirname(dataDirectory);
  await mkdir(parent, { recursive: true });
  const scratch = `${dataDirectory}.restoring-${process.pid}`;
  try {
    await mkdir(scratch, { mode: 0o750 });
    for (const { path } of manifest.files) {
      await mkdir(dirname(join(scratch, path)), { recursive: true, mode: 0o750 });
      await cp(join(content, path), join(scratch, path));
      await sync(join(scratch, path), 'r+');
      onProgress?.(++done, 2 * manifest.files.length);
    }
    const summary = readSnapshot(databaseFile(scratch));
    if (summary.rows !== manifest.rows || summary.metrics !== manifest.metrics)
      throw unusable(backup, 'the database does not have the rows that were backed up');
    const checkpoints = await listCheckpointFiles(scratch);
    const strays = checkpoints.filter(({ name }) => !isUsable(name, summary));
    for (const { path } of strays) await rm(join(scratch, path));
    await sync(scratch, 'r');
    await rename(scratch, dataDirectory);
    await sync(parent, 'r');
    const { metrics, rows, createdAt } = manifest;
    const checkpointsLeftOut = strays.length;
    return { metrics, rows, checkpoints: checkpoints.length - strays.length, checkpointsLeftOut, createdAt };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A saved model that has seen rows which the restored database does not call processed must never be used. */
function isUsable(
  { metricId, generation, rowid }: { metricId: string; generation: number; rowid: number },
  { models }: SnapshotSummary,
): boolean {
  return models.some(
    (model) =>
      model.metricId === metricId && model.generation === generation && rowid <= model.processedRowid,
  );
}

async function refuseUnlessEmpty(dataDirectory: string): Promise<void> {
  const found = await readdir(dataDirectory).catch(() => []);
  if (found.length === 0) return;
  throw new HtmEngineError(
    'store_not_empty',
    `${dataDirectory} is not empty: restore into a directory that does not exist yet (--data-dir), and put it in the place of the old one yourself`,
  );
}

async function sync(path: string, flags: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
