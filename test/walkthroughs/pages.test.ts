import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blocksOf } from '../support/documents/blocks.ts';
import { temporaryDirectory } from '../support/engine-process.ts';
import { programOf, ROOT, startProgram } from './laid-down.ts';

/** Programs of the walkthroughs print what their pages say. The CSV file's commands are run by test/docs/commands.test.ts. */

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

it.each(['embedding.md', 'htm-alone.md'])('%s', { timeout: 60_000 }, async (page) => {
  const shown = blocksOf(`docs/walkthroughs/${page}`, ROOT).filter(({ language }) => language === 'text');
  const printed = shown.flatMap(({ text }) => text.split('\n'));
  expect(printed.length).toBeGreaterThan(0);
  const { child, output } = await startProgram(directory.path, programOf(page), { htmengine: ROOT });
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, output: output.text.trim().split('\n') }).toEqual({ code: 0, output: printed });
});
