import { CELL_NUMBERS } from './parameters.ts';

/** What is needed only while a record is computed, shared by all memories of the process: they take turns. */
export const scratch = {
  /** Whether a record is being computed; still set when one begins, the one before ended by an exception. */
  inUse: false,
  /** The previous record's active and winner cells, the words of them that are not 0, and the winners in a list. */
  active: new Uint32Array(CELL_NUMBERS / 32),
  winners: new Uint32Array(CELL_NUMBERS / 32),
  groups: new Uint16Array(CELL_NUMBERS / 32),
  groupCount: 0,
  winnerList: new Uint16Array(CELL_NUMBERS),
  winnerCount: 0,
  /** Sources that a growing segment has already, and those it may still take. */
  taken: new Uint32Array(CELL_NUMBERS / 32),
  candidates: new Uint16Array(CELL_NUMBERS),
  /** Segments per cell of one column. */
  used: new Uint32Array(32),
  clear(): void {
    this.active.fill(0);
    this.winners.fill(0);
    this.taken.fill(0);
  },
};
