import { marked, type Token, type Tokens } from 'marked';

/** A document as it is written: what it links to and what may be linked to in it. */
export interface PageText {
  /** From the root of the repository. */
  readonly path: string;
  readonly title: string;
  /** The first paragraph as plain text. */
  readonly summary: string;
  readonly headings: readonly Heading[];
  /** Targets of links and pictures as they stand in the text. */
  readonly links: readonly string[];
  readonly tokens: Token[];
}

export interface Heading {
  readonly depth: number;
  readonly text: string;
  /** The anchor that GitHub and the site give it. */
  readonly slug: string;
}

export function parsePage(path: string, text: string): PageText {
  const tokens = marked.lexer(text);
  const headings: Heading[] = [];
  const links: string[] = [];
  const taken = new Map<string, number>();
  const note = (token: Token): void => {
    if (token.type === 'link' || token.type === 'image') links.push((token as Tokens.Link).href);
    if (token.type === 'html') links.push(...linksOfHtml((token as Tokens.HTML).text));
    if (token.type === 'heading') {
      const { depth, tokens: inside } = token as Tokens.Heading;
      const title = plainText(inside);
      headings.push({ depth, text: title, slug: slugOf(title, taken) });
    }
  };
  // Its promises are those that a callback of ours may return; this one returns none.
  void marked.walkTokens(tokens, note);
  const paragraph = tokens.find((token) => token.type === 'paragraph') as Tokens.Paragraph | undefined;
  const [first] = headings;
  return {
    path,
    title: first?.text ?? path,
    summary: plainText(paragraph?.tokens ?? []),
    headings,
    links,
    tokens,
  };
}

/** What of markdown is read, without its marks. */
export function plainText(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      const { tokens: inside, text = '' } = token as { readonly tokens?: Token[]; readonly text?: string };
      if (inside !== undefined) return plainText(inside);
      return token.type === 'html' ? '' : text;
    })
    .join('')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

/** GitHub's rule: small letters, no punctuation, spaces become hyphens, a repeated one is numbered. */
function slugOf(title: string, taken: Map<string, number>): string {
  const slug = title
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\p{Mark}_\- ]/gu, '')
    .replaceAll(' ', '-');
  const times = taken.get(slug) ?? 0;
  taken.set(slug, times + 1);
  return times === 0 ? slug : `${slug}-${times}`;
}

function linksOfHtml(html: string): string[] {
  return [...html.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)].map(([, target = '']) => target);
}
