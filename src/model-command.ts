import type { TimeRange } from './metric.ts';

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
  /** Rows of these times are scored and not learned. */
  | ({ readonly what: 'doNotLearn' } & TimeRange);

export interface ModelCommand {
  /** 1, 2, ... per generation: the order in which they were given. */
  readonly sequence: number;
  /** Never before what was processed when the command was given. */
  readonly afterRowid: number;
  readonly change: ModelChange;
}

/** How a model takes one row; the flags add up. */
export const RowMode = { NORMAL: 0, RESET_BEFORE: 1, SKIP: 2, DO_NOT_LEARN: 4 } as const;

/**
 * How each of the rows is taken. Of two commands about learning the one that was given later counts.
 * @param timestamps of the rows, epoch seconds.
 */
export function rowModes(
  commands: readonly ModelCommand[],
  rowids: Int32Array,
  timestamps: Float64Array,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(rowids, (rowid, i) => {
    const begun = commands.filter(({ afterRowid }) => afterRowid < rowid);
    const next = begun.filter(({ afterRowid }) => afterRowid === rowid - 1).map(({ change }) => change.what);
    const isLearned = isLearning(commands, rowid - 1) && !isLeftOut(begun, timestamps[i] ?? Number.NaN);
    return (
      (next.includes('reset') ? RowMode.RESET_BEFORE : 0) +
      (next.includes('skip') ? RowMode.SKIP : 0) +
      (isLearned ? 0 : RowMode.DO_NOT_LEARN)
    );
  });
}

/** Whether the row after `rowid` is learned, as far as learning is switched on or off. */
export function isLearning(commands: readonly ModelCommand[], rowid: number): boolean {
  const last = commands.findLast(
    ({ change, afterRowid }) => change.what === 'learning' && afterRowid <= rowid,
  );
  return last?.change.what !== 'learning' || last.change.on;
}

/** The times that the commands leave out, in the order in which that was asked for. */
export function leftOutTimes(commands: readonly ModelCommand[]): TimeRange[] {
  return commands.flatMap(({ change }) => {
    if (change.what !== 'doNotLearn') return [];
    const { fromTimestamp, toTimestamp } = change;
    return [{ fromTimestamp, toTimestamp }];
  });
}

/** Whether a change that begins after row `afterRowid` would change nothing beside what the commands say already. */
export function isRepeated(
  commands: readonly ModelCommand[],
  change: ModelChange,
  afterRowid: number,
): boolean {
  switch (change.what) {
    case 'learning': {
      const last = commands.findLast((command) => command.change.what === 'learning');
      return (last?.afterRowid ?? 0) <= afterRowid && isLearning(commands, afterRowid) === change.on;
    }
    case 'reset':
    case 'skip':
      return commands.some(
        (command) => command.change.what === change.what && command.afterRowid === afterRowid,
      );
    case 'doNotLearn':
      return leftOutTimes(commands).some((times) => covers(times, change));
  }
}

/** Whether all of `inner` lies within `outer`. */
export function covers(outer: TimeRange, inner: TimeRange): boolean {
  return outer.fromTimestamp <= inner.fromTimestamp && inner.toTimestamp <= outer.toTimestamp;
}

/** The last command by sequence; 0 without any. */
export function lastSequence(commands: readonly ModelCommand[]): number {
  return commands.at(-1)?.sequence ?? 0;
}

function isLeftOut(commands: readonly ModelCommand[], timestamp: number): boolean {
  const time = { fromTimestamp: timestamp, toTimestamp: timestamp };
  return leftOutTimes(commands).some((times) => covers(times, time));
}
