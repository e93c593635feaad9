import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cliPage } from '../../scripts/cli-page.ts';
import { httpPage } from '../../scripts/http-page.ts';
import { metricsPage } from '../../scripts/metrics-page.ts';
import { migratingPage } from '../../scripts/migrating-page.ts';

/** Pages that are made from the source are what the source says: else "npm run docs" makes them so. */

const page = (name: string) => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8');

it('docs/reference/commands.md is what the commands say of themselves', () => {
  expect(page('reference/commands.md')).toBe(cliPage());
});

it('docs/reference/http.md is what the contract says', () => {
  expect(page('reference/http.md')).toBe(httpPage());
});

it('docs/reference/metrics.md is what a running engine registers', { timeout: 120_000 }, async () => {
  expect(page('reference/metrics.md')).toBe(await metricsPage());
});

it("docs/migrating.md has the table of the original's options as the code has it", () => {
  const text = page('migrating.md');
  expect(migratingPage(text)).toBe(text);
});
