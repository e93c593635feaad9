import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PageText, parsePage } from './page-text.ts';

export const ROOT = join(import.meta.dirname, '../..');
/** Where the documents begin: its sections are the site's navigation. */
export const INDEX = 'docs/index.md';
/** Folders of pages of one kind, with the title that their list has on the site. */
export const FOLDERS: Readonly<Record<string, string>> = {
  'docs/decisions': 'Decisions',
  'docs/walkthroughs': 'Walkthroughs',
};

/** Every document of the repository by its path, in the order of paths. */
export function readPages(): Map<string, PageText> {
  const paths = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], {
    cwd: ROOT,
    exclude: ['**/node_modules/**'],
  });
  return new Map(paths.sort().map((path) => [path, parsePage(path, readFileSync(join(ROOT, path), 'utf8'))]));
}
