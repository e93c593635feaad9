import { CELL_NUMBERS } from './parameters.ts';

/** What is needed only while a record is computed, shared by all memories of the process: they take turns. */
export const scratch = {
  /** The previous record's active cells, and its winner cells as a set and as a list; the words of both sets that are not 0. */
  active: new Uint32Array(CELL_NUMBERS / 32),
  winners: new Uint32Array(CELL_NUMBERS / 32),
  winnerList: new Uint16Array(CELL_NUMBERS),
  winnerCount: 0,
  groups: new Uint16Array(CELL_NUMBERS / 32),
  groupCount: 0,
  /** Sources that a growing segment has already (empty in between), and those it may still take. */
  taken: new Uint32Array(CELL_NUMBERS / 32),
  candidates: new Uint16Array(CELL_NUMBERS),
  /** Of `SegmentStore.prefetch`: granules that chains have come to, and what it read. */
  frontier: new Uint32Array(0),
  read: 0,
  /** Segments per cell of one column. */
  used: new Uint32Array(32),
};
