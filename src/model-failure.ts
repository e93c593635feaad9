/**
 * Why a model went to ERROR. The database keeps the sentence alone, as the original's did, so it is made and read here.
 */

/** `row`: it failed at a row, and would again; `checkpoint_lost`: nothing is left that it could be computed from. */
export type FailureReason = 'row' | 'checkpoint_lost' | 'unknown_revision' | 'not_built' | 'other';

export interface ModelFailure {
  readonly reason: FailureReason;
  /** The row it failed at; null unless the reason is `row`. */
  readonly rowid: number | null;
}

const LOST = 'checkpoint_lost: ';
const AT_ROW = 'the model failed at row ';
const REVISION = 'the model is of revision ';
const NOT_BUILT = 'the model cannot be built: ';

export function failedAtRow(rowid: number, why: string): string {
  return `${AT_ROW}${rowid}: ${why}`;
}

/** @param startRowid the generation's first row. */
export function checkpointLost(startRowid: number): string {
  return `${LOST}there is no usable checkpoint of the model, and the rows it could be learned from anew (from ${startRowid} on) are no longer stored: let it learn anew from those that are`;
}

export function unknownRevision(revision: number): string {
  return `${REVISION}${revision} of the algorithms, which this program does not have: use the program it was made by, or let it learn anew`;
}

export function notBuilt(why: string): string {
  return `${NOT_BUILT}${why}`;
}

/** What a metric's message says; null where there is none. */
export function failureOf(message: string | null): ModelFailure | null {
  if (message === null) return null;
  const row = new RegExp(`^${AT_ROW}(\\d+):`).exec(message)?.[1];
  if (row !== undefined) return { reason: 'row', rowid: Number(row) };
  const [reason = 'other'] = BEGINNINGS.flatMap(([beginning, told]) =>
    message.startsWith(beginning) ? [told] : [],
  );
  return { reason, rowid: null };
}

const BEGINNINGS: readonly (readonly [beginning: string, FailureReason])[] = [
  [LOST, 'checkpoint_lost'],
  [REVISION, 'unknown_revision'],
  [NOT_BUILT, 'not_built'],
];
