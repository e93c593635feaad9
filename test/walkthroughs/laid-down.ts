import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blocksOf } from '../support/documents/blocks.ts';

export const ROOT = join(import.meta.dirname, '../..');

/** The one program that a page shows. */
export function programOf(page: string): string {
  const programs = blocksOf(`docs/walkthroughs/${page}`, ROOT).filter(({ language }) => language === 'ts');
  const [program] = programs;
  if (program === undefined || programs.length > 1)
    throw new Error(`${page} shows ${programs.length} programs`);
  return `${program.text}\n`;
}

/** Starts a program in `directory`, where packages are found as if they were installed. */
export async function startProgram(
  directory: string,
  program: string,
  packages: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<{ child: ChildProcess; output: { text: string } }> {
  await mkdir(join(directory, 'node_modules'));
  for (const [name, path] of Object.entries(packages)) {
    await symlink(path, join(directory, 'node_modules', name));
  }
  await writeFile(join(directory, 'package.json'), '{"type": "module"}');
  await writeFile(join(directory, 'program.ts'), program);
  const child = spawn(process.execPath, ['program.ts', ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { text: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
  return { child, output };
}
