import { globSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf } from '../support/documents/blocks.ts';
import { isRun, runPage } from '../support/documents/run-page.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Every command that the documents show, those that take long included. */
export async function docs(): Promise<void> {
  const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
  const failed: string[] = [];
  for (const page of pages) {
    const blocks = blocksOf(page, ROOT).filter((block) => isRun(block, true));
    if (blocks.length === 0) continue;
    const begun = Date.now();
    try {
      await runPage(page, ROOT, true);
      const seconds = Math.round((Date.now() - begun) / 1000);
      process.stdout.write(`${page}: ${blocks.length} blocks ran in ${seconds} s\n`);
    } catch (error) {
      failed.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (failed.length > 0) throw new Error(failed.join('\n'));
}
