import { dirname } from 'node:path';
import type { Token, Tokens } from 'marked';
import { targetOf } from './links.ts';
import { type PageText, plainText } from './page-text.ts';
import { FOLDERS, INDEX } from './repository.ts';

export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly title: string;
  /** A document, or a folder of them, from the root of the repository. */
  readonly path: string;
}

/** The sections of the index with the first link of each point of their lists. */
export function navigation(pages: ReadonlyMap<string, PageText>): Section[] {
  const sections: { title: string; entries: Entry[] }[] = [];
  for (const token of pages.get(INDEX)?.tokens ?? []) {
    if (token.type === 'heading' && (token as Tokens.Heading).depth === 2)
      sections.push({ title: plainText((token as Tokens.Heading).tokens), entries: [] });
    if (token.type === 'list') {
      const links = (token as Tokens.List).items.map(({ tokens }) => firstLink(tokens));
      sections.at(-1)?.entries.push(...links.filter((link) => link !== null));
    }
  }
  return sections.filter(({ entries }) => entries.length > 0);
}

/** The documents of a folder, in the order of their paths. */
export function pagesOf(folder: string, pages: ReadonlyMap<string, PageText>): PageText[] {
  return [...pages.values()].filter(({ path }) => dirname(path) === folder);
}

/** Folders that have documents, with their titles. */
export function folders(pages: ReadonlyMap<string, PageText>): [string, string][] {
  return Object.entries(FOLDERS).filter(([folder]) => pagesOf(folder, pages).length > 0);
}

function firstLink(tokens: readonly Token[]): Entry | null {
  for (const token of tokens) {
    if (token.type === 'link') {
      const { href, tokens: inside } = token as Tokens.Link;
      const { path } = targetOf(INDEX, href);
      return path === null ? null : { title: plainText(inside), path };
    }
    const { tokens: inside } = token as { readonly tokens?: Token[] };
    const found = inside === undefined ? null : firstLink(inside);
    if (found !== null) return found;
  }
  return null;
}
