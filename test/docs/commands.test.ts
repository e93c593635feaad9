import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Block, blocksOf, commandsOf } from '../support/documents/blocks.ts';
import { missingIn } from '../support/documents/mentions.ts';
import { isCommands, isRun, runPage } from '../support/documents/run-page.ts';

/** The commands that documents show work: test/support/documents/blocks.ts says what may be said of a block. */

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], {
  cwd: ROOT,
  exclude: ['**/node_modules/**'],
}).sort();
const BLOCKS = PAGES.map((path) => [path, blocksOf(path, ROOT)] as const);
const PAGE_TIMEOUT_MS = 300_000;

function linesOf(block: Block): string[] {
  return block.language === 'console' ? commandsOf(block).map(({ text }) => text) : block.text.split('\n');
}

function isIndentedCommands({ indented, text }: Block): boolean {
  return indented && COMMAND_LINE.test(text) && !/^htmengine \S+ [A-Z]/.test(text);
}

/** Its commands take minutes to hours, so they are shown as they are typed and never run here. */
const NEVER_RUN = 'docs/benchmarks.md';
const COMMAND_LINE = /^(?:npm|npx|node|htmengine) /m;

it('blocks of code say what they are, and commands are no indented text, of which nothing could be said', () => {
  const blocks = BLOCKS.flatMap(([, all]) => all);
  expect(blocks.length).toBeGreaterThan(40);
  const nameless = blocks.filter(
    (block) =>
      (block.language === '' && !block.indented) ||
      (block.language === 'console' && commandsOf(block).length === 0) ||
      (isIndentedCommands(block) && !block.at.startsWith(NEVER_RUN)),
  );
  expect(nameless.map(({ at }) => at)).toEqual([]);
});

it('what commands name is there: commands, options, scripts and files', () => {
  const all = BLOCKS.flatMap(([, blocks]) =>
    blocks.filter((block) => isCommands(block) || isIndentedCommands(block)),
  );
  expect(all.length).toBeGreaterThan(20);
  const missing = all.flatMap((block) =>
    linesOf(block).flatMap((line) => missingIn(line).map((what) => `${block.at}: ${what}`)),
  );
  expect(missing).toEqual([]);
  expect(missingIn('htmengine metrics list --sort score --bogus | head')).toEqual(['list --bogus']);
  expect(missingIn('npm run accept -- nothing')).toEqual(['accept run nothing']);
  expect(missingIn('npm run nothing')).toEqual(['npm script nothing']);
  expect(missingIn('htmengine bogus')).toEqual(['command bogus']);
});

describe('commands run as they stand there', () => {
  const run = BLOCKS.filter(([, blocks]) => blocks.some((block) => isRun(block, false)));
  it.each(run.map(([path]) => path))('in %s', { timeout: PAGE_TIMEOUT_MS }, (path) =>
    runPage(path, ROOT, false),
  );
});
