import type { Token, Tokens } from 'marked';
import { type PageText, plainText } from './page-text.ts';

/** Address, title of the page, heading, text: a list, for it is read whole by each page that searches. */
export type SearchEntry = readonly [string, string, string, string];

/** A page's text in the parts that its headings make. */
export function searchEntries(page: PageText, address: string): SearchEntry[] {
  const slugs = page.headings.map(({ slug }) => slug);
  const parts: { slug: string; heading: string; text: string[] }[] = [];
  for (const token of page.tokens) {
    if (token.type === 'heading') {
      const slug = slugs.shift() ?? '';
      const { depth, tokens } = token as Tokens.Heading;
      parts.push({ slug: depth === 1 ? '' : `#${slug}`, heading: plainText(tokens), text: [] });
    } else parts.at(-1)?.text.push(textOf(token));
  }
  return parts.map(({ slug, heading, text }) => [
    address + slug,
    page.title,
    heading,
    text.join(' ').replaceAll(/\s+/g, ' ').trim(),
  ]);
}

function textOf(token: Token): string {
  if (token.type === 'table') {
    const { header, rows } = token as Tokens.Table;
    return [header, ...rows].map((cells) => cells.map(({ tokens }) => plainText(tokens)).join(' ')).join(' ');
  }
  if (token.type === 'list') {
    return (token as Tokens.List).items.map(({ tokens }) => plainText(tokens)).join(' ');
  }
  return plainText([token]);
}
