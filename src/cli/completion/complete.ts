import type { Command } from 'commander';
import { EngineClient } from '../../client/engine-client.ts';
import { Output } from '../terminal/output.ts';
import { candidatesFor, type Candidate } from './candidates.ts';

/** Names that are offered at the most, and how long the engine is asked for them. */
const MAX_NAMES = 200;
const PATIENCE_MS = 1000;

/**
 * Prints what may follow on a command line: first a line `words` or `files` (then the shell completes names of files), then a
 * candidate a line, a tab and what it does. Never fails: somebody is typing.
 */
export async function complete(
  program: Command,
  words: readonly string[],
  defaultUrl: string,
): Promise<void> {
  const candidates = candidatesFor(program, words);
  const found =
    candidates.kind === 'metrics'
      ? await metricNames(words.at(-1) ?? '', candidates.url ?? defaultUrl)
      : candidates.kind === 'words'
        ? candidates.words
        : [];
  const lines = found.map(({ word, description }) => `${word}\t${description}\n`).join('');
  await Output.toStandardOutput().write(`${candidates.kind === 'files' ? 'files' : 'words'}\n${lines}`);
}

async function metricNames(typed: string, url: string): Promise<Candidate[]> {
  const names: Candidate[] = [];
  const deadline = performance.now() + PATIENCE_MS;
  try {
    for await (const page of new EngineClient(url).metricPages()) {
      for (const { name, state } of page) {
        if (name.startsWith(typed) && names.length < MAX_NAMES)
          names.push({ word: name, description: state === 'UNMONITORED' ? '' : state.toLowerCase() });
      }
      if (names.length >= MAX_NAMES || performance.now() > deadline) break;
    }
  } catch {
    // No engine, no names.
  }
  return names;
}
