import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Example } from '../../src/cli/init.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Lays an example down as `htmengine init` does; what npm would install is linked. @returns where it is */
export async function layDownExample(parent: string, example: Example): Promise<string> {
  const application = join(parent, example);
  const main = join(ROOT, 'dist/cli/main.js');
  const args = ['init', application, '--example', example, '--dependency', '^1.0.0'];
  await promisify(execFile)(process.execPath, [main, ...args]);
  await mkdir(join(application, 'node_modules'));
  await symlink(ROOT, join(application, 'node_modules/htmengine'));
  return application;
}
