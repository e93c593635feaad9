import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blocksOf } from '../support/documents/blocks.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

/** The programs that walkthroughs show, run as they stand there, print what stands below them. */
const ROOT = join(import.meta.dirname, '../..');
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'node_modules'));
  await symlink(ROOT, join(directory.path, 'node_modules/htmengine'));
});
afterEach(() => directory.remove());

it.each(['embedding', 'htm-alone'])('%s', { timeout: 120_000 }, async (page) => {
  const blocks = blocksOf(`docs/walkthroughs/${page}.md`, ROOT);
  const text = (language: string) => {
    const found = blocks.filter((block) => block.language === language);
    expect(found).toHaveLength(1);
    return found[0]?.text ?? '';
  };
  await writeFile(join(directory.path, 'program.ts'), text('ts'));
  const { stdout } = await promisify(execFile)(process.execPath, ['program.ts'], { cwd: directory.path });
  expect(stdout.trimEnd()).toBe(text('text'));
});
