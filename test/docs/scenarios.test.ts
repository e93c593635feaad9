import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/scenarios.md'), 'utf8');

it('docs/scenarios.md names tests that there are', () => {
  const missing: string[] = [];
  let named = 0;
  for (const row of page.split('\n').filter((line) => line.startsWith('|'))) {
    let text = '';
    for (const [, file, title] of row.matchAll(/`((?:src|test)\/[^`]+\.ts)`|"([^"]+)"/g)) {
      if (file !== undefined) {
        if (!existsSync(join(ROOT, file))) missing.push(file);
        else text = readFileSync(join(ROOT, file), 'utf8');
      } else if (title !== undefined && text !== '') {
        named += 1;
        if (!text.includes(title)) missing.push(title);
      }
    }
  }
  expect(missing).toEqual([]);
  expect(named).toBeGreaterThan(70);
});

it('docs/scenarios.md passes over none of the 116', () => {
  const numbers = new Set<number>();
  for (const [, cell = ''] of page.matchAll(/^\| (\d[^|]*) \|/gm)) {
    const [list = ''] = /^(?:\d+(?: to |, )?)+/.exec(cell) ?? [];
    for (const part of list.split(', ')) {
      const [from = 0, to = from] = part.split(' to ').map(Number);
      for (let number = from; number <= to; number++) numbers.add(number);
    }
  }
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 116 }, (_, index) => index + 1));
});
