import { existsSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Marked, type Tokens } from 'marked';
import { targetOf } from './links.ts';
import type { PageText } from './page-text.ts';
import { FOLDERS, INDEX, ROOT } from './repository.ts';

/** Where a file of the repository is on the site. Null for folders that have no page. */
export function addressOf(path: string): string | null {
  if (FOLDERS[path] !== undefined) return `${path.replace(/^docs\//, '')}/index.html`;
  if (path.endsWith('.md')) return path.replace(/^docs\//, '').replace(/\.md$/, '.html');
  if (path.startsWith('docs/')) return path.slice('docs/'.length);
  return existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isFile() ? `files/${path}.txt` : null;
}

/** The way from one page of the site to another file of it. */
export function relative(from: string, to: string): string {
  return posix.relative(posix.dirname(from), to);
}

export interface Rendered {
  readonly html: string;
  /** Files of the repository, not documents, that the page shows or links to. */
  readonly files: readonly string[];
}

/** A document as HTML, with links to where things are on the site. */
export function render(page: PageText): Rendered {
  const here = addressOf(page.path) ?? INDEX;
  const files: string[] = [];
  const slugs = page.headings.map(({ slug }) => slug);
  const moved = (link: string): string | null => {
    const { path, anchor } = targetOf(page.path, link);
    if (path === null) return link;
    const address = addressOf(path);
    if (address === null) return null;
    if (!path.endsWith('.md') && FOLDERS[path] === undefined) files.push(path);
    const hash = anchor === '' ? '' : `#${anchor}`;
    return path === page.path ? hash : `${relative(here, address)}${hash}`;
  };
  const markdown = new Marked({
    renderer: {
      heading({ depth, tokens }: Tokens.Heading) {
        const slug = slugs.shift() ?? '';
        const inside = this.parser.parseInline(tokens);
        return `<h${depth} id="${slug}">${inside} <a class="anchor" href="#${slug}" aria-label="This heading">#</a></h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const inside = this.parser.parseInline(tokens);
        const address = moved(href);
        return address === null ? inside : `<a href="${escapeHtml(address)}">${inside}</a>`;
      },
      image({ href, text }: Tokens.Image) {
        return `<img src="${escapeHtml(moved(href) ?? '')}" alt="${escapeHtml(text)}" loading="lazy">`;
      },
      html({ text }: Tokens.HTML | Tokens.Tag) {
        const shown = text.replaceAll(/<!--[^]*?-->/g, '');
        return shown.replaceAll(
          /\b(src|srcset|href)="([^"]+)"/g,
          (_all, name: string, link: string) => `${name}="${escapeHtml(moved(link) ?? '')}"`,
        );
      },
      code({ text, lang }: Tokens.Code) {
        const language = lang === undefined || lang === '' ? 'text' : lang;
        return `<pre tabindex="0"><code class="${escapeHtml(language)}">${escapeHtml(text)}</code></pre>\n`;
      },
      table(token: Tokens.Table) {
        const row = (cells: Tokens.TableCell[], tag: 'th' | 'td') =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`;
        // A head without words is there because markdown asks for one.
        const head = token.header.some(({ text }) => text !== '')
          ? `<thead>${row(token.header, 'th')}</thead>`
          : '';
        const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
        return `<div class="table" tabindex="0"><table>${head}<tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  return { html: markdown.parser(page.tokens), files };
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
