import Table from 'cli-table3';
import { styleText } from 'node:util';
import { printable } from './text.ts';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** How a row or text stands out on a terminal. */
export type Tone = 'red' | 'yellow' | 'green' | 'dim';

export interface TableRow {
  readonly cells: readonly string[];
  readonly tone?: Tone | undefined;
}

export type TerminalStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

const NO_BORDERS = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((part) => [part, part === 'middle' ? '  ' : '']),
);

/** Lines for `stream`: aligned columns under titles on a terminal; elsewhere one line a row, cells separated by tabs. */
export function tableText(
  columns: readonly TableColumn[],
  rows: readonly TableRow[],
  stream: TerminalStream,
): string {
  if (stream.isTTY !== true) return rows.map(({ cells }) => `${cells.map(printable).join('\t')}\n`).join('');
  const table = new Table({
    head: columns.map(({ title }) => tinted('dim', title, stream)),
    colAligns: columns.map(({ align = 'left' }) => align),
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  for (const { cells, tone } of rows) {
    table.push(cells.map((cell) => tinted(tone, printable(cell), stream)));
  }
  return `${table.toString()}\n`;
}

/** The text in its colour where `stream` shows colours. */
export function tinted(tone: Tone | undefined, text: string, stream: TerminalStream): string {
  return tone === undefined ? text : styleText(tone, text, { stream });
}
