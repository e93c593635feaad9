import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** docs/operating.md says what the log holds: nothing is missing there and nothing is out of date. */

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
const SOURCES = globSync('src/**/*.ts', { cwd: ROOT })
  .filter((path) => !path.endsWith('.test.ts'))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

/** The rows under a heading whose first cell is a name. */
function documented(heading: string): string[] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return section.split('\n').filter((line) => line.startsWith('| `'));
}

it('every event that is logged is documented, and no other', () => {
  const logged = SOURCES.flatMap(({ text }) => [...text.matchAll(/\bevent: '([^']+)'/g)]).map(
    ([, event = '']) => event,
  );
  for (const event of logged) expect(event).toMatch(/^[a-z]+\.[a-z_]+$/);
  const names = documented('The log').map((row) => row.split('`')[1]);
  expect(names).toEqual([...new Set(logged)].sort());
});

it('every line that is logged names its event first', () => {
  const call = /\b(?:log|logger)(?:\.(?:fatal|error|warn|info|debug|trace)|\[level\])\(\s*(.{0,12})/g;
  const calls = SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(call)].map(([, begins = '']) => `${path}: ${begins}`),
  );
  expect(calls.length).toBeGreaterThan(25);
  const unnamed = calls.filter((line) => !/: (?:\{ event: |\{$)/.test(line));
  expect(unnamed).toEqual([]);
});
