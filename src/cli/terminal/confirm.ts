import { createInterface } from 'node:readline/promises';
import { UsageError } from '../usage-error.ts';

/**
 * Asks on a terminal whether to go on; elsewhere nobody could answer, so --yes is needed.
 * @param what is about to be done, as a sentence.
 * @throws UsageError
 */
export async function confirmed(what: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${what} Nobody can be asked whether that is meant: add --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${what} Go on? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/**
 * Goes on only if a word is typed, or was given as an option.
 * @param what is about to be done, as a sentence.
 * @throws UsageError
 */
export async function requireTyped(what: string, word: string, given: string | undefined): Promise<void> {
  const typed = given ?? (await askedFor(`${what} Type ${word} to go on: `, what, word));
  if (typed.trim() !== word)
    throw new UsageError(`nothing was done: ${JSON.stringify(typed)} is not ${JSON.stringify(word)}`);
}

async function askedFor(question: string, what: string, word: string): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(`${what} Nobody can be asked whether that is meant: add --confirm ${word}`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
