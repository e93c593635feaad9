import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROBLEMS } from '../../src/contract/problems.ts';

const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');

it('docs/errors.md tells of every code there is, and of no other', () => {
  const [, union = ''] = /export type ErrorCode =([^]*?);\n\n/.exec(read('src/errors.ts')) ?? [];
  const codes = [...union.matchAll(/\| '(\w+)'/g)].map(([, code = '']) => code);
  expect(codes.length).toBeGreaterThan(40);
  // What belongs to the algorithms alone stands in a table of its own, of two columns.
  const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \|.*\|.*\|$/gm)].map(([, code = '']) => code);
  expect(rows.sort()).toEqual([...new Set([...codes, ...Object.keys(PROBLEMS)])].sort());
});
