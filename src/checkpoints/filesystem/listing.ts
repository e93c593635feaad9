import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMetricId, type CheckpointName } from '../checkpoint-store.ts';
import { parseFileName } from '../file-names.ts';

/** The directory of saved models, in a data directory and in a backup. */
const CHECKPOINTS = 'checkpoints';

export interface CheckpointFile {
  readonly name: CheckpointName;
  /** Below the data directory. */
  readonly path: string;
}

/** The saved models below a data directory, whoever is writing others meanwhile. */
export async function listCheckpointFiles(dataDirectory: string): Promise<CheckpointFile[]> {
  const files: CheckpointFile[] = [];
  for (const shard of await names(join(dataDirectory, CHECKPOINTS))) {
    for (const metricId of await names(join(dataDirectory, CHECKPOINTS, shard))) {
      if (!isMetricId(metricId)) continue;
      for (const file of await names(join(dataDirectory, CHECKPOINTS, shard, metricId))) {
        const name = parseFileName(metricId, file);
        if (name !== null) files.push({ name, path: join(CHECKPOINTS, shard, metricId, file) });
      }
    }
  }
  return files;
}

/** Sorted; none if there is no such directory. */
async function names(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code)))
      return [];
    throw error;
  }
}
