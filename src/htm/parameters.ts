import type { BacktrackingMemoryParameters } from './backtracking-memory.ts';
import { parseEncoders } from './encoder-parameters.ts';
import type { EncoderParameters } from './encoders/multi.ts';
import { ModelParameterError, ParameterReader, integerAt } from './parameter-reader.ts';
import { poolSizeOf, winnerCountOf } from './pooler-base.ts';
import type { PoolerParameters } from './pooler-base.ts';
import type { TemporalMemoryParameters } from './temporal-memory.ts';

/**
 * Everything a model is made from, as plain JSON: encoders in the order of their bits, pooler, temporal memory
 * (over the pooler's columns) and, for predictions, the classifier.
 */
export interface ModelParameters {
  readonly encoders: readonly EncoderParameters[];
  readonly pooler: PoolerParameters;
  readonly memory: MemoryParameters;
  /** null: no predictions. */
  readonly classifier: PredictionParameters | null;
}

/** Constants of the temporal memory: `cpp` is the backtracking one, `tm_cpp` the plain one. */
export type MemoryParameters =
  | ({ readonly variant: 'cpp' } & Omit<BacktrackingMemoryParameters, 'columnCount'>)
  | ({ readonly variant: 'tm_cpp' } & Omit<TemporalMemoryParameters, 'columnCount'>);

/** Constants of the classifier. */
export interface PredictionParameters {
  /** How many records ahead: 1 to 16 different ones of 0..100, ascending. */
  readonly steps: readonly number[];
  /** Learning rate of the weights, above 0 to 1. */
  readonly alpha: number;
  /** Learning rate of the values predicted, 0..1. */
  readonly actValueAlpha: number;
}

/**
 * Checks parameters of unknown origin, in the form of `ModelParameters`, against all rules.
 * @returns them with their keys in a fixed order, so that equal parameters are equal as JSON text.
 * @throws ModelParameterError naming path, value and rule.
 */
export function parseModelParameters(json: unknown): ModelParameters {
  const reader = new ParameterReader(json, '');
  const { encoders, width } = parseEncoders(reader);
  const pooler = parsePooler(reader.object('pooler'), width);
  const memory = parseMemory(reader.object('memory'), pooler.columnCount);
  const classifier = reader.has('classifier') ? parseClassifier(reader.object('classifier')) : null;
  reader.finish();
  return { encoders, pooler, memory, classifier };
}

function parsePooler(reader: ParameterReader, inputCount: number): PoolerParameters {
  const columnCount = reader.integer('columnCount', 1, MAX_COLUMNS);
  if (columnCount * inputCount > MAX_POOLER_CELLS)
    throw new ModelParameterError(
      'out_of_range',
      reader.pathOf('columnCount'),
      `is ${columnCount}, times ${inputCount} inputs is more than ${MAX_POOLER_CELLS}`,
    );
  const share = { min: 0, max: 1 };
  const potentialPct = reader.number('potentialPct', { ...share, above: true });
  const poolSize = poolSizeOf(inputCount, potentialPct);
  if (poolSize < 1)
    throw new ModelParameterError(
      'out_of_range',
      reader.pathOf('potentialPct'),
      `is ${potentialPct}, which leaves no input in a pool of ${inputCount}`,
    );
  const synPermActiveInc = permanenceChange(reader, 'synPermActiveInc');
  const pooler: PoolerParameters = {
    columnCount,
    potentialPct,
    wrapAround: reader.boolean('wrapAround'),
    numActiveColumns: reader.integer('numActiveColumns', 0, columnCount),
    localAreaDensity: reader.number('localAreaDensity', { min: 0, max: 0.5 }),
    stimulusThreshold: reader.integer('stimulusThreshold', 0, poolSize),
    synPermInactiveDec: permanenceChange(reader, 'synPermInactiveDec'),
    synPermActiveInc,
    // Above the trimming limit, else a connected synapse could be trimmed to 0.
    synPermConnected: reader.number('synPermConnected', {
      min: synPermActiveInc / 2 + 2e-6,
      max: 1,
      above: true,
    }),
    minPctOverlapDutyCycle: reader.number('minPctOverlapDutyCycle', share),
    dutyCyclePeriod: reader.integer('dutyCyclePeriod', 1, 1_000_000),
    boostStrength: reader.number('boostStrength', { min: 0, max: 100 }),
    seed: reader.seed(),
  };
  if (winnerCountOf(pooler) < 1)
    throw new ModelParameterError(
      'out_of_range',
      reader.pathOf('numActiveColumns'),
      `is ${pooler.numActiveColumns} and localAreaDensity ${pooler.localAreaDensity}: no column could win`,
    );
  reader.finish();
  return pooler;
}

/** 0, or not so small that permanences could become subnormal numbers. */
function permanenceChange(reader: ParameterReader, key: string): number {
  const change = reader.number(key, { min: 0, max: 1 });
  if (change > 0 && change < MIN_PERMANENCE_CHANGE)
    throw new ModelParameterError(
      'out_of_range',
      reader.pathOf(key),
      `is ${change}, must be 0 or at least ${MIN_PERMANENCE_CHANGE}`,
    );
  return change;
}

function parseMemory(reader: ParameterReader, columnCount: number): MemoryParameters {
  const variant = reader.oneOf('variant', ['cpp', 'tm_cpp']);
  const memory = variant === 'cpp' ? parseBacktracking(reader, columnCount) : parsePlain(reader, columnCount);
  reader.finish();
  return memory;
}

function parseBacktracking(reader: ParameterReader, columnCount: number): MemoryParameters {
  const positive = { min: 0, max: 1, above: true };
  const share = { min: 0, max: 1 };
  const cellsPerColumn = reader.integer('cellsPerColumn', 2, 32);
  requireColumns(reader, columnCount, 2048);
  const maxSynapsesPerSegment = reader.integer('maxSynapsesPerSegment', 1, 127);
  const permanenceMax = reader.number('permanenceMax', positive);
  return {
    variant: 'cpp',
    cellsPerColumn,
    activationThreshold: reader.integer('activationThreshold', 1, 127),
    minThreshold: reader.integer('minThreshold', 1, 127),
    newSynapseCount: reader.integer('newSynapseCount', 1, maxSynapsesPerSegment),
    initialPerm: reader.number('initialPerm', { min: 1e-30, max: permanenceMax }),
    connectedPerm: reader.number('connectedPerm', positive),
    permanenceInc: reader.number('permanenceInc', share),
    permanenceDec: reader.number('permanenceDec', share),
    permanenceMax,
    maxSegmentsPerCell: reader.integer('maxSegmentsPerCell', 1, 128),
    maxSynapsesPerSegment,
    pamLength: reader.integer('pamLength', 1, MAX_RECORDS),
    maxSeqLength: reader.integer('maxSeqLength', 0, MAX_RECORDS),
    maxInfBacktrack: reader.integer('maxInfBacktrack', 0, 255),
    maxLrnBacktrack: reader.integer('maxLrnBacktrack', 0, 255),
    seed: reader.seed(),
  };
}

function parsePlain(reader: ParameterReader, columnCount: number): MemoryParameters {
  const share = { min: 0, max: 1 };
  const cellsPerColumn = reader.integer('cellsPerColumn', 1, 32);
  requireColumns(reader, columnCount, 65_536 >>> (32 - Math.clz32(cellsPerColumn - 1)));
  return {
    variant: 'tm_cpp',
    cellsPerColumn,
    activationThreshold: reader.integer('activationThreshold', 1, 65_535),
    minThreshold: reader.integer('minThreshold', 1, 65_535),
    maxNewSynapseCount: reader.integer('maxNewSynapseCount', 0, 65_535),
    initialPermanence: reader.number('initialPermanence', share),
    connectedPermanence: reader.number('connectedPermanence', share),
    permanenceIncrement: reader.number('permanenceIncrement', share),
    permanenceDecrement: reader.number('permanenceDecrement', share),
    predictedSegmentDecrement: reader.number('predictedSegmentDecrement', share),
    maxSegmentsPerCell: reader.integer('maxSegmentsPerCell', 1, 65_535),
    maxSynapsesPerSegment: reader.integer('maxSynapsesPerSegment', 1, 32_767),
    seed: reader.seed(),
  };
}

function requireColumns(reader: ParameterReader, columnCount: number, max: number): void {
  if (columnCount > max)
    throw new ModelParameterError(
      'out_of_range',
      reader.path,
      `is over ${columnCount} columns, can be over at most ${max}`,
    );
}

function parseClassifier(reader: ParameterReader): PredictionParameters {
  const steps = reader
    .list('steps', 1, 16)
    .map((step, i) => integerAt(step, `${reader.pathOf('steps')}.${i}`, 0, 100));
  if (steps.some((step, i) => i > 0 && step <= steps[i - 1]))
    throw new ModelParameterError(
      'out_of_range',
      reader.pathOf('steps'),
      `are ${steps.join(', ')}, must be ascending`,
    );
  const classifier = {
    steps,
    alpha: reader.number('alpha', { min: 0, max: 1, above: true }),
    actValueAlpha: reader.number('actValueAlpha', { min: 0, max: 1 }),
  };
  reader.finish();
  return classifier;
}

const MAX_COLUMNS = 65_535;
/** Columns times inputs: keeps the pooler's base below 40 MB. */
const MAX_POOLER_CELLS = 2 ** 22;
const MIN_PERMANENCE_CHANGE = 1e-9;
const MAX_RECORDS = 2 ** 31 - 1;
