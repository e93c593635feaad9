import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/api/openapi.ts';
import { PROBLEMS } from '../../src/contract/problems.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');
const { paths } = openApiDocument('test');
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(
    ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
  ),
);

describe('docs/http.md', () => {
  const page = read('http.md');

  it.each(operations)('tells of %s and its parameters', (title, { parameters }) => {
    const line = page
      .split('\n')
      .find((one) => one.startsWith(`| \`${title}`) && /[`?\s]/.test(one.charAt(title.length + 3)));
    expect(line).toBeDefined();
    for (const { name, in: where } of parameters) {
      if (where === 'query') expect(line).toMatch(new RegExp(`\\b${name}=`));
    }
  });

  it('tells of no other operation', () => {
    const told = [...page.matchAll(/^\| `(GET|POST|PUT|DELETE) (\/api\/v1[^`?\s]*)/gm)].map(
      ([, method, path]) => `${String(method)} ${String(path)}`,
    );
    expect([...told].sort()).toEqual(operations.map(([title]) => title).sort());
  });
});

describe('docs/errors.md', () => {
  const page = read('errors.md');

  it.each(Object.entries(PROBLEMS))('tells of %s with its status', (code, { status }) => {
    expect(page).toMatch(new RegExp(`^\\| \`${code}\` \\|.*\\| ${status} \\|$`, 'm'));
  });
});
