import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { PageText } from './page-text.ts';
import { FOLDERS, INDEX, ROOT } from './repository.ts';

/** Where a link leads. */
export interface Target {
  /** From the root of the repository; null where it leads out of it. */
  readonly path: string | null;
  /** Without `#`; empty for the top. */
  readonly anchor: string;
}

export function targetOf(from: string, link: string): Target {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return { path: null, anchor: '' };
  const [path = '', anchor = ''] = link.split('#', 2);
  const folder = dirname(from);
  return { path: path === '' ? from : normalize(join(folder, path)).replace(/\/$/, ''), anchor };
}

/** Links that lead nowhere, and documents that the index leaves out. A line each. */
export function linkProblems(pages: ReadonlyMap<string, PageText>): string[] {
  const problems: string[] = [];
  for (const page of pages.values()) {
    for (const link of page.links) {
      const { path, anchor } = targetOf(page.path, link);
      if (path === null) continue;
      if (path.startsWith('..')) problems.push(`${page.path}: ${link} leads out of the repository`);
      else if (!pages.has(path) && !existsSync(join(ROOT, path)))
        problems.push(`${page.path}: ${link} leads nowhere`);
      else if (anchor !== '' && pages.get(path)?.headings.every(({ slug }) => slug !== anchor) !== false)
        problems.push(`${page.path}: ${link}: ${path} has no such heading`);
    }
  }
  return [...problems, ...unlisted(pages)];
}

function unlisted(pages: ReadonlyMap<string, PageText>): string[] {
  const index = pages.get(INDEX);
  const listed = new Set(index?.links.map((link) => targetOf(INDEX, link).path));
  return [...pages.keys()]
    .filter((path) => path.startsWith('docs/') && path !== INDEX && FOLDERS[dirname(path)] === undefined)
    .filter((path) => !listed.has(path))
    .map((path) => `${INDEX}: ${path} is not listed`);
}
