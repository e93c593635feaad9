import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HtmEngineError } from '../../errors.ts';
import { isMetricId, type CheckpointName, type CheckpointStore } from '../checkpoint-store.ts';
import { fileName, metricDirectory, newestFirst, parseFileName } from '../file-names.ts';

/**
 * Checkpoints as files of one directory tree: `<two hex digits>/<metric id>/<generation>-<rowid>-<revision>.ckpt`.
 *
 * A file is written under `scratch/` in the same file system, brought to the disk, renamed into place and its
 * directory brought to the disk: after a power failure a name is there with all its bytes or not at all. The tree
 * holds relative names only and may be moved.
 */
export class FilesystemCheckpointStore implements CheckpointStore {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Opens the store in `directory`, which is created if need be; whatever interrupted writes left behind is removed, unless
   * other processes may be writing (`isShared`).
   * @throws HtmEngineError `store_unavailable`
   */
  static async open(directory: string, isShared = false): Promise<FilesystemCheckpointStore> {
    return await guarded(`open the checkpoint directory ${directory}`, async () => {
      const scratch = join(directory, SCRATCH);
      if (!isShared) await rm(scratch, { recursive: true, force: true });
      await mkdir(scratch, { recursive: true, mode: DIRECTORY_MODE });
      // A process that died may have created directories without bringing their entries to the disk.
      const shards = (await entries(directory)).filter((entry) => entry.isDirectory());
      for (const shard of shards) await syncDirectory(join(directory, shard.name));
      await syncDirectory(directory);
      await syncDirectory(dirname(directory));
      return new FilesystemCheckpointStore(directory);
    });
  }

  async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
    const path = this.#path(name);
    await guarded(`write ${path}`, async () => {
      if (await exists(path)) return;
      const scratch = join(this.#directory, SCRATCH, randomUUID());
      try {
        await writeDurably(scratch, bytes);
        await this.#createDirectories(dirname(path));
        await rename(scratch, path);
      } catch (error) {
        await rm(scratch, { force: true });
        throw error;
      }
      await syncDirectory(dirname(path));
    });
  }

  async list(metricId: string): Promise<CheckpointName[]> {
    const files = await this.#files(metricId);
    return files
      .map((file) => parseFileName(metricId, file.name))
      .filter((name) => name !== null)
      .sort(newestFirst);
  }

  async get(name: CheckpointName): Promise<Uint8Array | null> {
    const path = this.#path(name);
    return await guarded(`read ${path}`, async () => await ifPresent(readFile(path), null));
  }

  async delete(name: CheckpointName): Promise<void> {
    const path = this.#path(name);
    await guarded(`delete ${path}`, async () => await ifPresent(unlink(path), undefined));
  }

  async deleteAll(metricId: string): Promise<void> {
    const directory = join(this.#directory, metricDirectory(metricId));
    await guarded(`delete ${directory}`, async () => await rm(directory, { recursive: true, force: true }));
  }

  async size(metricId: string): Promise<number> {
    const directory = join(this.#directory, metricDirectory(metricId));
    const files = await this.#files(metricId);
    return await guarded(`measure ${directory}`, async () => {
      let bytes = 0;
      for (const file of files) {
        bytes += await ifPresent(
          stat(join(directory, file.name)).then((found) => found.size),
          0,
        );
      }
      return bytes;
    });
  }

  async metricIds(afterMetricId: string, limit: number): Promise<string[]> {
    return await guarded(`list ${this.#directory}`, async () => {
      const found: string[] = [];
      for (const shard of await sortedNames(this.#directory)) {
        if (!SHARD.test(shard) || shard < afterMetricId.slice(0, 2)) continue;
        for (const metricId of await sortedNames(join(this.#directory, shard))) {
          if (!isMetricId(metricId) || metricId <= afterMetricId) continue;
          if ((await this.list(metricId)).length === 0) continue;
          found.push(metricId);
          if (found.length === limit) return found;
        }
      }
      return found;
    });
  }

  async #files(metricId: string): Promise<Dirent[]> {
    const directory = join(this.#directory, metricDirectory(metricId));
    return await guarded(`list ${directory}`, async () => await entries(directory));
  }

  #path(name: CheckpointName): string {
    return join(this.#directory, metricDirectory(name.metricId), fileName(name));
  }

  async #createDirectories(metric: string): Promise<void> {
    const shard = dirname(metric);
    await createDirectory(shard, this.#directory);
    await createDirectory(metric, shard);
  }
}

const SCRATCH = 'scratch';
const SHARD = /^[0-9a-f]{2}$/;
const DIRECTORY_MODE = 0o750;
const FILE_MODE = 0o640;

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function createDirectory(path: string, parent: string): Promise<void> {
  try {
    await mkdir(path, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return;
    throw error;
  }
  await syncDirectory(parent);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return await ifPresent(
    access(path).then(() => true),
    false,
  );
}

async function entries(directory: string): Promise<Dirent[]> {
  return await ifPresent(readdir(directory, { withFileTypes: true }), []);
}

async function sortedNames(directory: string): Promise<string[]> {
  return (await entries(directory)).map(({ name }) => name).sort();
}

/** What `operation` gives, or `absent` where there is no such file or directory. */
async function ifPresent<T>(operation: Promise<T>, absent: T): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return absent;
    throw error;
  }
}

/** Tells whatever the file system refuses as a fault that may pass. */
async function guarded<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new HtmEngineError(
      'store_unavailable',
      `cannot ${what}: ${error instanceof Error ? error.message : String(error)}; it will be tried again`,
      { reason: errorCode(error) },
    );
  }
}

function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
