import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { marked, type Token, type Tokens } from 'marked';

/**
 * The commands that documents show. Each block of them (`sh`, or `console` with `$ ` before a command and what it prints
 * below) is run by test/docs/commands.test.ts unless a comment just before it says otherwise. What comments may say:
 *
 * - `not run: WHY`
 * - `run at length: WHY`: by `npm run accept -- docs` alone; `all run at length: WHY` says so of all that follow
 * - `runs on until: TEXT`: it does not end by itself; goes on with the next block once it has printed that
 * - `output not compared: WHY`: run, but what it prints may be anything
 * - `until it fits`: repeated until it prints what stands there, for what takes its time
 *
 * And before the first block of a page `with an engine: FLAGS` starts `htmengine up FLAGS`.
 */
export interface Block {
  /** Path of the document and line of the block. */
  readonly at: string;
  readonly language: string;
  readonly indented: boolean;
  readonly text: string;
  /** Comments just before it: what they say, by their first words. */
  readonly notes: ReadonlyMap<Note, string>;
}

const NOTES = [
  'not run',
  'run at length',
  'all run at length',
  'runs on until',
  'output not compared',
  'until it fits',
  'with an engine',
] as const;
export type Note = (typeof NOTES)[number];

/** Notes that need a reason, or whatever they are about. */
const TELLING = new Set<Note>(NOTES.filter((note) => note !== 'until it fits'));

/** All blocks of code in a document, with what is said of them. @throws Error if a comment looks like a note and is none */
export function blocksOf(path: string, root: string): Block[] {
  const text = readFileSync(join(root, path), 'utf8');
  const blocks: Block[] = [];
  const lasting = new Map<Note, string>();
  let notes = new Map<Note, string>();
  let offset = 0;
  const visit = (token: Token): void => {
    if (token.type === 'list') {
      for (const item of (token as Tokens.List).items) item.tokens.forEach(visit);
      return;
    }
    if (token.type === 'html') {
      for (const [, said = ''] of token.raw.matchAll(/<!--([^]*?)-->/g)) {
        const note = noteOf(said.trim(), path);
        if (note?.[0] === 'all run at length') lasting.set('run at length', note[1]);
        else if (note !== null) notes.set(...note);
      }
      return;
    }
    if (token.type === 'space') return;
    if (token.type === 'code') {
      const { lang = '', text: code, codeBlockStyle, raw } = token as Tokens.Code;
      offset = Math.max(offset, text.indexOf(raw.trimEnd().split('\n', 1)[0] ?? '', offset));
      const line = text.slice(0, offset).split('\n').length;
      offset += 1;
      blocks.push({
        at: `${path}:${line}`,
        language: lang,
        indented: codeBlockStyle === 'indented',
        text: code,
        notes: new Map([...lasting, ...notes]),
      });
    }
    notes = new Map();
  };
  marked.lexer(text).forEach(visit);
  return blocks;
}

function noteOf(said: string, path: string): [Note, string] | null {
  const note = NOTES.find((one) => said.startsWith(one));
  if (note === undefined) return null;
  const about = said.slice(note.length).replace(/^:\s*/, '');
  if (TELLING.has(note) && about === '') throw new Error(`${path}: "${note}" needs to say more`);
  return [note, about];
}

export interface Command {
  readonly text: string;
  /** Lines that it prints; null where the document does not show them. */
  readonly prints: readonly string[] | null;
}

/** The commands of a block, each with what it prints; those of `sh` are one. */
export function commandsOf({ language, text }: Block): Command[] {
  if (language === 'sh') return [{ text, prints: null }];
  const commands: { text: string; prints: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('$ ')) commands.push({ text: line.slice(2), prints: [] });
    else if (line.startsWith('> ')) {
      const last = commands.at(-1);
      if (last !== undefined) last.text += `\n${line.slice(2)}`;
    } else commands.at(-1)?.prints.push(line);
  }
  return commands;
}
