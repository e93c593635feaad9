import { checkCeiling } from '../ceiling.ts';
import type { Ceiling } from '../ceiling.ts';
import type { SegmentLimits } from './segment-tables.ts';

/** Constants of a plain temporal memory. Permanences and their changes are in 0..1 and used as binary32. */
export interface TemporalMemoryParameters {
  /** With `cellsPerColumn` rounded up to a power of two, at most 65,536 cells. */
  readonly columnCount: number;
  /** 1..32. */
  readonly cellsPerColumn: number;
  /** A segment with this many active connected synapses predicts its cell. At least 1. */
  readonly activationThreshold: number;
  /** A segment with this many active synapses, connected or not, may learn the current input. At least 1. */
  readonly minThreshold: number;
  /** Active synapses a learning segment is brought up to. */
  readonly maxNewSynapseCount: number;
  /** At least 1e-6, below which a synapse is destroyed. */
  readonly initialPermanence: number;
  readonly connectedPermanence: number;
  readonly permanenceIncrement: number;
  readonly permanenceDecrement: number;
  /** What active synapses of a segment lose whose column stays inactive; 0 switches this off. */
  readonly predictedSegmentDecrement: number;
  /** 1..65,535. */
  readonly maxSegmentsPerCell: number;
  /** 1..32,767. */
  readonly maxSynapsesPerSegment: number;
  /** Of the generator: a positive integer. */
  readonly seed: number;
  /** Without one the memory grows as far as its cells have room, as the original does. */
  readonly ceiling?: Ceiling;
}

/**
 * What the segment store must know of `p`.
 * @throws RangeError naming a parameter that is outside its range.
 */
export function segmentLimits(p: TemporalMemoryParameters): SegmentLimits {
  requireInteger('cellsPerColumn', p.cellsPerColumn, 1, 32);
  const cellShift = 32 - Math.clz32(p.cellsPerColumn - 1);
  requireInteger('columnCount', p.columnCount, 1, CELL_NUMBERS >>> cellShift);
  requireInteger('activationThreshold', p.activationThreshold, 1, 65_535);
  requireInteger('minThreshold', p.minThreshold, 1, 65_535);
  requireInteger('maxNewSynapseCount', p.maxNewSynapseCount, 0, 65_535);
  requireInteger('maxSegmentsPerCell', p.maxSegmentsPerCell, 1, 65_535);
  requireInteger('maxSynapsesPerSegment', p.maxSynapsesPerSegment, 1, 32_767);
  requirePermanence('initialPermanence', p.initialPermanence, LEAST_PERMANENCE);
  for (const name of PERMANENCES) requirePermanence(name, p[name], 0);
  checkCeiling(p.ceiling);
  return {
    columnCount: p.columnCount,
    cellsPerColumn: p.cellsPerColumn,
    cellShift,
    maxSegmentsPerCell: p.maxSegmentsPerCell,
    maxSynapsesPerSegment: p.maxSynapsesPerSegment,
    connectedPermanence: Math.fround(Math.fround(p.connectedPermanence) - Math.fround(CONNECTED_MARGIN)),
  };
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
  }
}

function requirePermanence(name: string, value: number, least: number): void {
  if (!(value >= least && value <= 1))
    throw new RangeError(`${name} must be from ${least} to 1, not ${value}`);
}

/** Cells are numbered with 16 bits. */
export const CELL_NUMBERS = 65_536;
/** The original calls a synapse connected this much below the threshold already. */
const CONNECTED_MARGIN = 1e-5;
/** A weaker synapse is destroyed when it is first adapted. */
const LEAST_PERMANENCE = 1e-6;
const PERMANENCES = [
  'connectedPermanence',
  'permanenceIncrement',
  'permanenceDecrement',
  'predictedSegmentDecrement',
] as const;
