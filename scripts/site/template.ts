import type { Entry, Section } from './navigation.ts';
import type { Heading } from './page-text.ts';
import { addressOf, escapeHtml, relative } from './render.ts';

export interface PageParts {
  /** Of the page on the site. */
  readonly address: string;
  readonly title: string;
  readonly description: string;
  readonly html: string;
  readonly headings: readonly Heading[];
  readonly sections: readonly Section[];
  readonly version: string;
}

/** A whole page. It asks for nothing but the site's own files, so it works from a disk, too. */
export function pageHtml({
  address,
  title,
  description,
  html,
  headings,
  sections,
  version,
}: PageParts): string {
  const way = (to: string) => escapeHtml(relative(address, to));
  const outline = headings.filter(({ depth }) => depth === 2);
  const entries = sections.flatMap((section) => section.entries);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escapeHtml(description)}">
<title>${escapeHtml(title)} · HTM Engine</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${way('style.css')}">
<script src="${way('search.js')}" data-root="${way('index.html').replace(/index\.html$/, '')}" defer></script>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
<a class="name" href="${way('index.html')}">HTM Engine <small>${escapeHtml(version)}</small></a>
<div class="search"><input type="search" placeholder="Search" aria-label="Search the documents" autocomplete="off"><ol hidden></ol></div>
</header>
<div class="frame">
<nav aria-label="Documents"><details open><summary>Documents</summary>${sections.map((section) => sectionHtml(section, address)).join('')}</details></nav>
<main id="content">
${html}
<footer>${neighbours(entries, address)}</footer>
</main>
${outline.length < 2 ? '' : `<aside aria-label="On this page"><p>On this page</p><ul>${outline.map(({ text, slug }) => `<li><a href="#${slug}">${escapeHtml(text)}</a></li>`).join('')}</ul></aside>`}
</div>
</body>
</html>
`;
}

function sectionHtml({ title, entries }: Section, address: string): string {
  return `<h2>${escapeHtml(title)}</h2><ul>${entries.map((entry) => `<li>${linkTo(entry, address)}</li>`).join('')}</ul>`;
}

function linkTo({ title, path }: Entry, address: string): string {
  const to = addressOf(path) ?? '';
  const current = to === address ? ' aria-current="page"' : '';
  return `<a href="${escapeHtml(relative(address, to))}"${current}>${escapeHtml(title)}</a>`;
}

function neighbours(entries: readonly Entry[], address: string): string {
  const place = entries.findIndex(({ path }) => addressOf(path) === address);
  const link = (entry: Entry | undefined, before: string, after: string) =>
    entry === undefined ? '' : `<span>${before}${linkTo(entry, address)}${after}</span>`;
  if (place < 0) return link(entries[0], '', ' →');
  return link(entries[place - 1], '← ', '') + link(entries[place + 1], '', ' →');
}
