import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newestFirst } from '../../src/checkpoints/file-names.ts';
import { type CheckpointFile, listCheckpointFiles } from '../../src/checkpoints/filesystem/listing.ts';

/** What may become of a file on a disk. */
export type Damage = 'truncated' | 'zeroed' | 'bit-flipped' | 'removed';

/** Damages the newest checkpoints of every model below a data directory, at most `each` of them. @returns how many it damaged */
export async function damageCheckpoints(
  dataDirectory: string,
  damage: Damage,
  each: number,
  random: () => number,
): Promise<number> {
  const byMetric = Map.groupBy(await listCheckpointFiles(dataDirectory), ({ name }) => name.metricId);
  let damaged = 0;
  for (const files of byMetric.values()) {
    const newest = files.sort((a, b) => newestFirst(a.name, b.name)).slice(0, each);
    for (const file of newest) await damageFile(dataDirectory, file, damage, random);
    damaged += newest.length;
  }
  return damaged;
}

async function damageFile(
  dataDirectory: string,
  file: CheckpointFile,
  damage: Damage,
  random: () => number,
): Promise<void> {
  const path = join(dataDirectory, file.path);
  if (damage === 'removed') {
    await rm(path);
    return;
  }
  const bytes = await readFile(path);
  if (damage === 'zeroed') bytes.fill(0);
  if (damage === 'bit-flipped') {
    const bit = Math.floor(random() * bytes.byteLength * 8);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
  const kept = damage === 'truncated' ? Math.floor(random() * bytes.byteLength) : bytes.byteLength;
  await writeFile(path, bytes.subarray(0, kept));
}
