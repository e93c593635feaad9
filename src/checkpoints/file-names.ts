import { join } from 'node:path';
import { checkMetricId, checkNumbers, type CheckpointName } from './checkpoint-store.ts';

const FILE_NAME = /^(\d{1,10})-(\d{1,10})-(\d{1,10})\.ckpt$/;

/**
 * Where a metric's checkpoints are, below the store's directory: `<first two hex digits>/<metric id>`, so that no
 * directory gets longer than a few hundred entries.
 * @throws TypeError unless the id is 32 lower-case hex digits: nothing else may become part of a path.
 */
export function metricDirectory(metricId: string): string {
  checkMetricId(metricId);
  return join(metricId.slice(0, 2), metricId);
}

/**
 * `<generation>-<rowid>-<revision>.ckpt`.
 * @throws RangeError unless each is a whole number from 0 to 2^32 - 1.
 */
export function fileName(name: CheckpointName): string {
  checkNumbers(name);
  return `${name.generation}-${name.rowid}-${name.revision}.ckpt`;
}

/** The checkpoint a file is, or null for a file that is none. */
export function parseFileName(metricId: string, file: string): CheckpointName | null {
  const match = FILE_NAME.exec(file);
  if (match === null) return null;
  const [generation, rowid, revision] = match.slice(1).map(Number);
  if (generation === undefined || rowid === undefined || revision === undefined) return null;
  return { metricId, generation, rowid, revision };
}

/** Newest first: highest generation, then highest rowid, then highest revision. */
export function newestFirst(a: CheckpointName, b: CheckpointName): number {
  return b.generation - a.generation || b.rowid - a.rowid || b.revision - a.revision;
}
