import { HtmEngineError } from '../errors.ts';

/** A row that cannot be part of the series. */
export interface BadRow {
  readonly line: number;
  readonly reason: string;
}

/** How many bad rows are kept to be shown. */
export const SHOWN_BAD_ROWS = 20;

/** What becomes of bad rows: the first one ends the run, or they are counted and left out. */
export class BadRows {
  readonly #skip: boolean;
  readonly #examples: BadRow[] = [];
  #count = 0;

  constructor(skip: boolean) {
    this.#skip = skip;
  }

  get count(): number {
    return this.#count;
  }

  /** The first of them. */
  get examples(): readonly BadRow[] {
    return this.#examples;
  }

  /** @throws HtmEngineError `invalid_argument` unless bad rows are to be skipped */
  add(row: BadRow): void {
    if (!this.#skip)
      throw new HtmEngineError(
        'invalid_argument',
        `line ${row.line}: ${row.reason}; mend it, or leave such rows out with --skip-bad`,
        { line: row.line },
      );
    this.#count++;
    if (this.#examples.length < SHOWN_BAD_ROWS) this.#examples.push(row);
  }
}
