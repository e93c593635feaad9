import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { HtmEngineError } from '../errors.ts';

/** Written last: a backup without it was not finished. */
const MANIFEST = 'backup.json';
const FORMAT = 'htmengine-backup';
const FORMAT_VERSION = 1;

/** Relative, forward slashes, no way out of the backup's directory. */
const PATH = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;

const schema = z.strictObject({
  format: z.literal(FORMAT),
  formatVersion: z.literal(FORMAT_VERSION),
  /** Of the program that made it. */
  programVersion: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  metrics: z.int(),
  rows: z.int(),
  files: z.array(
    z.strictObject({
      path: z.string().regex(PATH),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/** What a backup consists of. */
export type Manifest = z.output<typeof schema>;
export type ManifestFile = Manifest['files'][number];

export function newManifest(content: Omit<Manifest, 'format' | 'formatVersion'>): Manifest {
  return { format: FORMAT, formatVersion: FORMAT_VERSION, ...content };
}

export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const path = join(directory, MANIFEST);
  const scratch = `${path}.tmp`;
  const file = await open(scratch, 'w', 0o640);
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(scratch, path);
}

/**
 * The manifest of a backup, each of whose files was read and found to be what was backed up.
 * @param backup what it is called by.
 * @param onFile told after each file.
 * @throws HtmEngineError `backup_unusable`
 */
export async function verifiedManifest(
  directory: string,
  backup: string,
  onFile: (file: ManifestFile, files: number) => void,
): Promise<Manifest> {
  const manifest = await readManifest(directory, backup);
  for (const file of manifest.files) {
    const { path, bytes, sha256 } = file;
    const found = await describeFile(directory, path).catch((error: unknown) => {
      throw unusable(
        backup,
        `${path} cannot be read (${error instanceof Error ? error.message : String(error)})`,
      );
    });
    if (found.bytes !== bytes) throw unusable(backup, `${path} has ${found.bytes} bytes instead of ${bytes}`);
    if (found.sha256 !== sha256) throw unusable(backup, `the checksum of ${path} does not match`);
    onFile(file, manifest.files.length);
  }
  return manifest;
}

/** Size and checksum of a file below `directory`; `path` may have the system's separators. */
export async function describeFile(directory: string, path: string): Promise<ManifestFile> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(directory, path)), hash);
  const { size } = await stat(join(directory, path));
  return { path: path.split(sep).join('/'), bytes: size, sha256: hash.digest('hex') };
}

async function readManifest(directory: string, backup: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(directory, MANIFEST), 'utf8');
  } catch {
    throw unusable(backup, `it has no ${MANIFEST}, so it is no backup or was not finished`);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw unusable(backup, `its ${MANIFEST} is not JSON`);
  }
  const manifest = schema.safeParse(content);
  if (manifest.success) return manifest.data;
  const [issue] = manifest.error.issues;
  throw unusable(
    backup,
    `its ${MANIFEST} is not one this program reads (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''})`,
  );
}

export function unusable(directory: string, why: string): HtmEngineError {
  return new HtmEngineError(
    'backup_unusable',
    `the backup ${directory} cannot be used: ${why}; nothing was restored, use another backup`,
  );
}
