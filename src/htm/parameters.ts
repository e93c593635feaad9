import { BacktrackingMemory } from './backtracking-memory.ts';
import type { BacktrackingMemoryParameters } from './backtracking-memory.ts';
import type { Ceiling } from './ceiling.ts';
import { parseEncoders } from './encoder-parameters.ts';
import type { EncoderParameters } from './encoders/multi.ts';
import { ModelParameterError, ParameterReader, integerAt } from './parameter-reader.ts';
import { poolSizeOf, winnerCountOf } from './pooler-base.ts';
import type { PoolerParameters } from './pooler-base.ts';
import { TemporalMemory } from './temporal-memory.ts';
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

/** Which values are possible is for the memory to say. */
function parseMemory(reader: ParameterReader, columnCount: number): MemoryParameters {
  const variant = reader.oneOf('variant', ['cpp', 'tm_cpp']);
  const memory = variant === 'cpp' ? parseBacktracking(reader) : parsePlain(reader);
  reader.finish();
  try {
    if (memory.variant === 'cpp') BacktrackingMemory.schema({ ...memory, columnCount });
    else TemporalMemory.schema({ ...memory, columnCount });
  } catch (error) {
    throw error instanceof RangeError ? outOfRange(reader, error.message) : error;
  }
  return memory;
}

/** The memory's complaint, which begins with the name of the parameter. */
function outOfRange(reader: ParameterReader, message: string): ModelParameterError {
  const [name] = message.split(' ', 1);
  const path = name === 'columnCount' ? 'pooler.columnCount' : reader.pathOf(name);
  return new ModelParameterError('out_of_range', path, message.slice(name.length + 1));
}

function parseBacktracking(reader: ParameterReader): MemoryParameters {
  return {
    variant: 'cpp',
    cellsPerColumn: reader.integer('cellsPerColumn'),
    activationThreshold: reader.integer('activationThreshold'),
    minThreshold: reader.integer('minThreshold'),
    newSynapseCount: reader.integer('newSynapseCount'),
    initialPerm: reader.number('initialPerm'),
    connectedPerm: reader.number('connectedPerm'),
    permanenceInc: reader.number('permanenceInc'),
    permanenceDec: reader.number('permanenceDec'),
    permanenceMax: reader.number('permanenceMax'),
    maxSegmentsPerCell: reader.integer('maxSegmentsPerCell'),
    maxSynapsesPerSegment: reader.integer('maxSynapsesPerSegment'),
    pamLength: reader.integer('pamLength'),
    maxSeqLength: reader.integer('maxSeqLength'),
    maxInfBacktrack: reader.integer('maxInfBacktrack'),
    maxLrnBacktrack: reader.integer('maxLrnBacktrack'),
    seed: reader.seed(),
    ...parseCeiling(reader),
  };
}

function parsePlain(reader: ParameterReader): MemoryParameters {
  return {
    variant: 'tm_cpp',
    cellsPerColumn: reader.integer('cellsPerColumn'),
    activationThreshold: reader.integer('activationThreshold'),
    minThreshold: reader.integer('minThreshold'),
    maxNewSynapseCount: reader.integer('maxNewSynapseCount'),
    initialPermanence: reader.number('initialPermanence'),
    connectedPermanence: reader.number('connectedPermanence'),
    permanenceIncrement: reader.number('permanenceIncrement'),
    permanenceDecrement: reader.number('permanenceDecrement'),
    predictedSegmentDecrement: reader.number('predictedSegmentDecrement'),
    maxSegmentsPerCell: reader.integer('maxSegmentsPerCell'),
    maxSynapsesPerSegment: reader.integer('maxSynapsesPerSegment'),
    seed: reader.seed(),
    ...parseCeiling(reader),
  };
}

/** Parameters from before there were ceilings have none, and go on without. */
function parseCeiling(memory: ParameterReader): { readonly ceiling?: Ceiling } {
  if (!memory.has('ceiling')) return {};
  const reader = memory.object('ceiling');
  const ceiling = {
    maxSegments: reader.integer('maxSegments'),
    maxSynapses: reader.integer('maxSynapses'),
  };
  reader.finish();
  return { ceiling };
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
