/**
 * Builds the documents into a site of plain files that ask nothing of anybody: `npm run docs:site -- DIRECTORY`. Ends
 * with 1, and a line each, if a link leads nowhere.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { linkProblems } from './site/links.ts';
import { folders, navigation, pagesOf } from './site/navigation.ts';
import { type PageText, parsePage } from './site/page-text.ts';
import { addressOf, render } from './site/render.ts';
import { INDEX, readPages, ROOT } from './site/repository.ts';
import { searchEntries } from './site/search-index.ts';
import { pageHtml } from './site/template.ts';
import { version } from '../src/version.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write('usage: npm run docs:site -- DIRECTORY\n');
  process.exit(2);
}
const out = resolve(directory);
const pages = readPages();
const problems = linkProblems(pages);
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}

const sections = navigation(pages);
const files = new Set<string>();
const shown = [...pages.values(), ...folders(pages).map(([folder, title]) => listOf(folder, title))];
// Whoever searches wants what is, not when it came.
const entries = shown
  .filter(({ path }) => path !== 'CHANGELOG.md')
  .flatMap((page) => searchEntries(page, addressOf(page.path) ?? INDEX));
for (const page of shown) {
  const address = addressOf(page.path) ?? INDEX;
  const { html, files: needed } = render(page);
  for (const file of needed) files.add(file);
  const { title, summary: description, headings } = page;
  write(address, pageHtml({ address, title, description, html, headings, sections, version: version() }));
}
for (const file of files) copy(join(ROOT, file), addressOf(file) ?? '');
for (const name of ['style.css', 'search.js']) copy(join(import.meta.dirname, 'site', name), name);
write('search-index.js', `window.SEARCH_INDEX = ${JSON.stringify(entries)};\n`);
process.stdout.write(`${shown.length} pages in ${out}: open index.html\n`);

/** A folder's documents as a document: each with its title and how it begins. */
function listOf(folder: string, title: string): PageText {
  const points = pagesOf(folder, pages).map(({ path, title: name, summary }) => {
    const [sentence = ''] = /^.*?[.:](?=\s|$)/s.exec(summary) ?? [summary];
    return `- [${name}](${path.slice(folder.length + 1)}): ${sentence.replaceAll('\n', ' ').replace(/:$/, '.')}`;
  });
  return parsePage(`${folder}/index.md`, `# ${title}\n\n${points.join('\n')}\n`);
}

function write(address: string, text: string): void {
  mkdirSync(dirname(join(out, address)), { recursive: true });
  writeFileSync(join(out, address), text);
}

function copy(from: string, address: string): void {
  mkdirSync(dirname(join(out, address)), { recursive: true });
  copyFileSync(from, join(out, address));
}
