/** An option as a file of the original's configuration gives it. */
export interface IniOption {
  readonly section: string;
  /** In lower case, as the original compares them. */
  readonly name: string;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface IniFile {
  readonly options: readonly IniOption[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/**
 * Reads the dialect of INI that Python's programs write: `name = value` or `name: value` in `[sections]`, comments from
 * `#` or `;` at the beginning of a line, or ` ;` behind a value; an indented line goes on with the value before it.
 * An option given twice has its last value.
 */
export function parseIni(text: string): IniFile {
  const options = new Map<string, IniOption>();
  const problems: { line: number; message: string }[] = [];
  let section: string | null = null;
  let open: string | null = null;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    if (/^\s*([#;]|$)/.test(raw)) continue;
    const written = raw.replace(/\s;.*$/, '').trimEnd();
    const before = open === null ? undefined : options.get(open);
    if (/^\s/.test(raw) && open !== null && before !== undefined) {
      options.set(open, { ...before, value: `${before.value}\n${written.trim()}`.trim() });
      continue;
    }
    const header = /^\s*\[([^\]]+)\]$/.exec(written);
    const pair = /^\s*([^:=\s][^:=]*?)\s*[:=]\s*(.*)$/.exec(written);
    if (header !== null) {
      section = header[1]?.trim() ?? '';
      open = null;
    } else if (pair === null || section === null) {
      problems.push({
        line,
        message: `this is ${section === null ? 'before the first [section]' : 'neither a [section] nor an option: "name = value"'}`,
      });
    } else {
      const name = (pair[1] ?? '').toLowerCase();
      open = `${section}.${name}`;
      options.set(open, { section, name, value: pair[2] ?? '', line });
    }
  }
  return { options: [...options.values()], problems };
}
