import { ORIGINAL_FILES, ORIGINAL_KEYS, type OriginalKey } from '../src/config/original/keys.ts';

const BEGIN = '<!-- Made from src/config/original/keys.ts by "npm run docs": change it there. -->';
const END = '<!-- End of what is made. -->';

/** docs/migrating.md with the table of the original's options as the code has it. */
export function migratingPage(page: string): string {
  const [before, rest] = split(page, BEGIN);
  const [, after] = split(rest, END);
  return `${before}${BEGIN}\n\n${ORIGINAL_FILES.map(tableOf).join('\n\n')}\n\n${END}${after}`;
}

function tableOf(file: (typeof ORIGINAL_FILES)[number]): string {
  const rows = ORIGINAL_KEYS.filter((key) => key.file === file).map(rowOf);
  return [
    `**${file}.conf**`,
    '',
    '| option | came as | effect here, or what replaces it |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

function rowOf({ key, default: initial, means }: OriginalKey): string {
  const shown = initial === null ? 'of each installation' : initial === '' ? 'empty' : `\`${initial}\``;
  return `| \`${key}\` | ${shown} | ${means} |`;
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  if (index < 0) throw new Error(`the page lacks ${at}`);
  return [text.slice(0, index), text.slice(index + at.length)];
}
