/**
 * Commands that change a model. They are part of the log: what a model has learned follows from its rows and these,
 * however often they are replayed. Pure.
 */

/** What a command does, from the row after `ModelCommand.afterRowid` on. */
export type ModelChange =
  /** Whether rows change the model, until another command says otherwise. */
  | { readonly what: 'learning'; readonly on: boolean }
  /** The next row is the first of a new sequence; what was learned stays. */
  | { readonly what: 'reset' }
  /** The next row is left out: it gets no score, and the model never sees it. */
  | { readonly what: 'skip' }
  /** The rows up to this one are scored and not learned. */
  | { readonly what: 'doNotLearn'; readonly throughRowid: number };

export interface ModelCommand {
  /** 1, 2, ... per generation: the order in which they were given. */
  readonly sequence: number;
  /** Never before what was processed when the command was given. */
  readonly afterRowid: number;
  readonly change: ModelChange;
}

/** How a model takes one row; the flags add up. */
export const RowMode = { NORMAL: 0, RESET_BEFORE: 1, SKIP: 2, DO_NOT_LEARN: 4 } as const;

/** How each of the rows is taken. Of two commands about learning the one that was given later counts. */
export function rowModes(commands: readonly ModelCommand[], rowids: Int32Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(rowids, (rowid) => {
    const begun = commands.filter(({ afterRowid }) => afterRowid < rowid);
    const next = begun.filter(({ afterRowid }) => afterRowid === rowid - 1).map(({ change }) => change.what);
    return (
      (next.includes('reset') ? RowMode.RESET_BEFORE : 0) +
      (next.includes('skip') ? RowMode.SKIP : 0) +
      (learns(begun, rowid) ? 0 : RowMode.DO_NOT_LEARN)
    );
  });
}

function learns(begun: readonly ModelCommand[], rowid: number): boolean {
  const isLeftOut = begun.some(({ change }) => change.what === 'doNotLearn' && rowid <= change.throughRowid);
  const switches = begun.flatMap(({ change }) => (change.what === 'learning' ? [change.on] : []));
  return !isLeftOut && (switches.at(-1) ?? true);
}

/** The last command by sequence; 0 without any. */
export function lastSequence(commands: readonly ModelCommand[]): number {
  return commands.at(-1)?.sequence ?? 0;
}
