import { checkCeiling } from '../ceiling.ts';
import type { Ceiling } from '../ceiling.ts';

/**
 * What a backtracking memory is built from. Names and meanings: model reference, sections 1.2 and 4. The supported
 * mode is the fixed-size one (no global decay, no pooling, updates valid for one record).
 */
export interface BacktrackingMemoryParameters {
  /** Columns, 1..2048. */
  readonly columnCount: number;
  /** Cells of a column, 2..32; cell 0 is the start cell and never owns segments. */
  readonly cellsPerColumn: number;
  /** Active synapses that make a segment predict, 1..127. */
  readonly activationThreshold: number;
  /** Active synapses from which a segment counts as the best match of a bursting column, 1..127. */
  readonly minThreshold: number;
  /** Synapses an update brings a segment's matching sources up to, 1..maxSynapsesPerSegment. */
  readonly newSynapseCount: number;
  /** Permanence of a new synapse, above 0 and at most permanenceMax. */
  readonly initialPerm: number;
  /** Permanence from which a synapse is connected. */
  readonly connectedPerm: number;
  readonly permanenceInc: number;
  readonly permanenceDec: number;
  readonly permanenceMax: number;
  /** Segment slots of a cell, 1..128. */
  readonly maxSegmentsPerCell: number;
  /** Synapses of a segment, 1..127. */
  readonly maxSynapsesPerSegment: number;
  /** Records a sequence may fail to be predicted before learning starts over, 1 or more. */
  readonly pamLength: number;
  /** Records after which learning starts over in any case; 0 for never. */
  readonly maxSeqLength: number;
  /** Past records that inference may replay, 0..255. */
  readonly maxInfBacktrack: number;
  /** Past records that learning may replay, 0..255. */
  readonly maxLrnBacktrack: number;
  /** Seed of the memory's own generator, a positive integer. */
  readonly seed: number;
  /** Without one the memory grows as far as its cells have room, as the original does. */
  readonly ceiling?: Ceiling;
}

/**
 * Refuses parameters the memory cannot work with.
 * @throws RangeError naming the parameter, its value and the rule.
 */
export function checkBacktrackingMemoryParameters(p: BacktrackingMemoryParameters): void {
  whole('columnCount', p.columnCount, 1, MAX_COLUMNS);
  whole('cellsPerColumn', p.cellsPerColumn, 2, CELL_STRIDE);
  whole('maxSynapsesPerSegment', p.maxSynapsesPerSegment, 1, MAX_COUNT);
  whole('activationThreshold', p.activationThreshold, 1, MAX_COUNT);
  whole('minThreshold', p.minThreshold, 1, MAX_COUNT);
  whole('newSynapseCount', p.newSynapseCount, 1, p.maxSynapsesPerSegment);
  whole('maxSegmentsPerCell', p.maxSegmentsPerCell, 1, 128);
  whole('pamLength', p.pamLength, 1, MAX_RECORDS);
  whole('maxSeqLength', p.maxSeqLength, 0, MAX_RECORDS);
  whole('maxInfBacktrack', p.maxInfBacktrack, 0, 255);
  whole('maxLrnBacktrack', p.maxLrnBacktrack, 0, 255);
  whole('seed', p.seed, 1, Number.MAX_SAFE_INTEGER);
  real('permanenceMax', p.permanenceMax, Number.MIN_VALUE, 1);
  real('initialPerm', p.initialPerm, Number.MIN_VALUE, p.permanenceMax);
  real('connectedPerm', p.connectedPerm, Number.MIN_VALUE, 1);
  real('permanenceInc', p.permanenceInc, 0, 1);
  real('permanenceDec', p.permanenceDec, 0, 1);
  if (Math.fround(p.initialPerm) === 0)
    throw new RangeError(`initialPerm ${p.initialPerm} is 0 in binary32; give a larger one`);
  checkCeiling(p.ceiling);
}

/** Cells of column c are numbered c * 32 + cell inside the memory, so that a column's cells are one 32-bit word. */
export const CELL_STRIDE = 32;
/** log2 of CELL_STRIDE. */
export const CELL_SHIFT = 5;
/** Takes the cell within its column out of a cell number. */
export const CELL_MASK = CELL_STRIDE - 1;
/** The word of a column all of whose cells are active. */
export function allCells(p: BacktrackingMemoryParameters): number {
  return 2 ** p.cellsPerColumn - 1;
}

/** Source cells are stored in 16 bits. */
export const MAX_COLUMNS = 65_536 / CELL_STRIDE;
/** Counts of active synapses are compared four at a time in bytes whose top bit must stay free. */
const MAX_COUNT = 127;
const MAX_RECORDS = 2 ** 31 - 1;

function whole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

function real(name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    throw new RangeError(
      `${name} must be ${least === 0 ? 'from 0' : 'above 0 and'} up to ${most}, not ${value}`,
    );
}
