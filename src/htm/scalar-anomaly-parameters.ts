import type { Ceiling } from './ceiling.ts';
import { ModelParameterError } from './parameter-reader.ts';
import { parseModelParameters } from './parameters.ts';
import type { MemoryParameters, ModelParameters, PredictionParameters } from './parameters.ts';
import type { PoolerParameters } from './pooler-base.ts';

/** What there is to choose for a model of one scalar metric. */
export interface ScalarAnomalyOptions {
  /** Expected range of the values, padding included: together with `max`, or not at all. */
  readonly min?: number;
  readonly max?: number;
  /** The least resolution that follows from the range; 0.001 when not given. */
  readonly minResolution?: number;
  /** Width of an encoder's bucket, in place of a range. */
  readonly resolution?: number;
  /** `cpp` (the default) has the backtracking memory, `tm_cpp` the plain one. */
  readonly variant?: 'cpp' | 'tm_cpp';
  /** Whether the model also predicts the next value; costs time and memory. Off by default. */
  readonly enableClassifier?: boolean;
  /** The most the temporal memory may hold. None by default: then the scores are the original's on any series. */
  readonly ceiling?: Ceiling | null;
}

/**
 * The original's production parameters for a scalar metric with its time of day. Model reference, sections 1.2 and 1.3.
 * @throws ModelParameterError if neither a range nor a resolution is given, or both, or they are out of range.
 */
export function scalarAnomalyParameters(options: ScalarAnomalyOptions): ModelParameters {
  const memory = options.variant === 'tm_cpp' ? PRODUCTION_PLAIN_MEMORY : PRODUCTION_BACKTRACKING_MEMORY;
  return parseModelParameters({
    encoders: [
      {
        type: 'date',
        season: null,
        dayOfWeek: null,
        weekend: null,
        customDays: null,
        holiday: null,
        timeOfDay: { w: 21, radius: 9.49 },
      },
      { type: 'rdse', resolution: resolutionOf(options), w: 21, n: 400, seed: 42, offset: null },
    ],
    pooler: PRODUCTION_POOLER,
    memory: { ...memory, ceiling: options.ceiling ?? null },
    classifier: options.enableClassifier === true ? PRODUCTION_CLASSIFIER : null,
  });
}

/** Width of the value encoder's buckets for a range of values. Model reference, section 1.3, rules 2 and 3. */
export function rdseResolution(min: number, max: number, minResolution = 0.001): number {
  const upper = min === max ? min + 1 : max;
  return Math.max(minResolution, (upper - min) / 130);
}

function resolutionOf({ min, max, minResolution, resolution }: ScalarAnomalyOptions): number {
  if (resolution !== undefined) {
    if (min !== undefined || max !== undefined || minResolution !== undefined)
      throw new ModelParameterError(
        'conflict',
        'resolution',
        'stands in place of min, max and minResolution',
      );
    return resolution;
  }
  if (min === undefined || max === undefined)
    throw new ModelParameterError(
      'missing_key',
      min === undefined ? 'min' : 'max',
      'is missing: give both bounds',
    );
  if (!(Number.isFinite(min) && Number.isFinite(max) && Number.isFinite(max - min) && min <= max))
    throw new ModelParameterError(
      'out_of_range',
      'min',
      `is ${min} and max ${max}: both must be finite, min not above max`,
    );
  return rdseResolution(min, max, minResolution);
}

const PRODUCTION_POOLER: PoolerParameters = {
  columnCount: 2048,
  potentialPct: 0.8,
  wrapAround: true,
  numActiveColumns: 40,
  localAreaDensity: 0,
  stimulusThreshold: 0,
  synPermInactiveDec: 0.0005,
  synPermActiveInc: 0.003,
  synPermConnected: 0.2,
  minPctOverlapDutyCycle: 0.001,
  dutyCyclePeriod: 1000,
  boostStrength: 0,
  seed: 1956,
};

const PRODUCTION_BACKTRACKING_MEMORY: MemoryParameters = {
  variant: 'cpp',
  cellsPerColumn: 32,
  activationThreshold: 13,
  minThreshold: 10,
  newSynapseCount: 20,
  initialPerm: 0.21,
  connectedPerm: 0.5,
  permanenceInc: 0.1,
  permanenceDec: 0.1,
  permanenceMax: 1,
  maxSegmentsPerCell: 128,
  maxSynapsesPerSegment: 32,
  pamLength: 3,
  maxSeqLength: 32,
  maxInfBacktrack: 10,
  maxLrnBacktrack: 5,
  seed: 1960,
};

const PRODUCTION_PLAIN_MEMORY: MemoryParameters = {
  variant: 'tm_cpp',
  cellsPerColumn: 32,
  activationThreshold: 20,
  minThreshold: 13,
  maxNewSynapseCount: 31,
  initialPermanence: 0.24,
  connectedPermanence: 0.5,
  permanenceIncrement: 0.04,
  permanenceDecrement: 0.008,
  predictedSegmentDecrement: 0.001,
  maxSegmentsPerCell: 128,
  maxSynapsesPerSegment: 128,
  seed: 1960,
};

const PRODUCTION_CLASSIFIER: PredictionParameters = {
  steps: [1],
  alpha: 0.035828933612158,
  actValueAlpha: 0.3,
};
