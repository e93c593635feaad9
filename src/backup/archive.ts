import { open } from 'node:fs/promises';
import { create, extract } from 'tar';

const ARCHIVE = /\.(?:tar|tar\.gz|tgz)$/;

/** Whether a backup of that name is one file: a tar archive of the directory that it would be otherwise. */
export function isArchive(path: string): boolean {
  return ARCHIVE.test(path);
}

/** Packs all that is in `directory` into the file `path`, compressed if its name says so, and brings it to the disk. */
export async function pack(directory: string, path: string): Promise<void> {
  await create({ file: path, cwd: directory, gzip: !path.endsWith('.tar'), portable: true, strict: true }, [
    '.',
  ]);
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Unpacks files and directories into the empty directory `directory`; nothing gets outside, and links are left out.
 * @throws Error for what is no archive or not whole
 */
export async function unpack(path: string, directory: string): Promise<void> {
  await extract({
    file: path,
    cwd: directory,
    strict: true,
    preserveOwner: false,
    filter: (_, entry) => 'type' in entry && (entry.type === 'File' || entry.type === 'Directory'),
  });
}
