import { CELL_NUMBERS } from './parameters.ts';
import { grownLength } from './segment-tables.ts';

/** What is needed only while a record is computed, shared by all memories of the process: they take turns. */
export const scratch = {
  /** The previous record's winner cells as a set and as a list; the words of the set that are not 0. */
  winners: new Uint32Array(CELL_NUMBERS / 32),
  winnerList: new Uint16Array(CELL_NUMBERS),
  winnerCount: 0,
  groups: new Uint16Array(CELL_NUMBERS / 32),
  groupCount: 0,
  /** Sources that a growing segment has already (empty in between), and those it may still take. */
  taken: new Uint32Array(CELL_NUMBERS / 32),
  candidates: new Uint16Array(CELL_NUMBERS),
  /** What `SynapseChains.prefetch` read. */
  read: 0,
  /** Segments per cell of one column. */
  used: new Uint32Array(32),

  /** A byte per segment number below `bound`: all 0, and to be left so. */
  marksOfSegments(bound: number): Uint8Array {
    if (segmentMarks.length < bound) segmentMarks = new Uint8Array(grownLength(bound));
    return segmentMarks;
  },
};

let segmentMarks = new Uint8Array(64);
