import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../../src/cli/program.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Applications are laid down in a directory of their own, and their files named from there. */
const EXAMPLES = ['examples/traffic', 'examples/mqtt'];
const PROGRAM = createProgram();
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const [, runs = ''] =
  /const RUNS[^{]*\{([^}]*)\}/.exec(readFileSync(join(ROOT, 'test/accept/run.ts'), 'utf8')) ?? [];
const RUNS = new Set([...runs.matchAll(/\w+/g)].map(([name]) => name));

/** What a line of a document's commands names that there is not: a command, an option, a script, a file. */
export function missingIn(line: string): string[] {
  const words = line
    .replace(/\s#\s.*$/, '')
    .split(/\s+/)
    .filter((word) => word !== '' && !/^\w+=/.test(word));
  const [first = '', second = '', third = '', fourth = '', fifth = ''] = words;
  if (first === 'htmengine') return missingOfProgram(words.slice(1));
  if (first === 'npx' && second === 'htmengine') return missingOfProgram(words.slice(2));
  if (first === 'npx' && second === 'vitest') return missingFile(words.at(-1) ?? '');
  if (first === 'node' && /\.[jt]s$/.test(second)) return missingFile(second);
  if (first === 'npm' && second === 'run') {
    if (scripts[third] === undefined) return [`npm script ${third}`];
    if (third === 'accept' && fourth === '--' && fifth !== 'NAME' && !RUNS.has(fifth))
      return [`accept run ${fifth}`];
  }
  return [];
}

function missingOfProgram(words: readonly string[]): string[] {
  let command: Command = PROGRAM;
  const missing: string[] = [];
  for (const word of words) {
    if (/^[|&;<>]/.test(word)) break;
    const found = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (found !== undefined) command = found;
    else if (command.commands.length > 0 && command === PROGRAM && /^[a-z]/.test(word))
      missing.push(`command ${word}`);
    const [, option] = /^(--[a-z][a-z-]*)/.exec(word) ?? [];
    if (option !== undefined && option !== '--help' && !knows(command, option))
      missing.push(`${command.name()} ${option}`);
  }
  return missing;
}

function knows(command: Command, option: string): boolean {
  return command.options.some(({ long }) => long === option);
}

function missingFile(path: string): string[] {
  const isThere = existsSync(join(ROOT, path)) || EXAMPLES.some((one) => existsSync(join(ROOT, one, path)));
  return isThere ? [] : [`file ${path}`];
}
