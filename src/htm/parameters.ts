import type { BacktrackingMemoryParameters } from './backtracking-memory.ts';
import type { DateEncoderParameters, WidthAndRadius } from './encoders/date.ts';
import { encoderWidth } from './encoders/multi.ts';
import type { EncoderParameters } from './encoders/multi.ts';
import { scalarGeometry } from './encoders/scalar.ts';
import type { ScalarEncoderParameters } from './encoders/scalar.ts';
import { ModelParameterError, ParameterReader, integerAt, listAt } from './parameter-reader.ts';
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
}

/**
 * The original's production parameters for a scalar metric with its time of day. Model reference, sections 1.2 and 1.3.
 * @throws ModelParameterError if neither a range nor a resolution is given, or both, or they are out of range.
 */
export function scalarAnomalyParameters(options: ScalarAnomalyOptions): ModelParameters {
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
    memory: options.variant === 'tm_cpp' ? PRODUCTION_PLAIN_MEMORY : PRODUCTION_BACKTRACKING_MEMORY,
    classifier: options.enableClassifier === true ? PRODUCTION_CLASSIFIER : null,
  });
}

/** Width of the value encoder's buckets for a range of values. Model reference, section 1.3, rules 2 and 3. */
export function rdseResolution(min: number, max: number, minResolution = 0.001): number {
  const upper = min === max ? min + 1 : max;
  return Math.max(minResolution, (upper - min) / 130);
}

/**
 * Checks parameters of unknown origin, in the form of `ModelParameters`, against all rules.
 * @returns them with their keys in a fixed order, so that equal parameters are equal as JSON text.
 * @throws ModelParameterError naming path, value and rule.
 */
export function parseModelParameters(json: unknown): ModelParameters {
  const reader = new ParameterReader(json, '');
  const encoders = reader
    .list('encoders', 1, MAX_ENCODERS)
    .map((encoder, i) => parseEncoder(new ParameterReader(encoder, `encoders.${i}`)));
  const inputCount = inputCountOf(encoders);
  const pooler = parsePooler(reader.object('pooler'), inputCount);
  const memory = parseMemory(reader.object('memory'), pooler.columnCount);
  const classifier = reader.has('classifier') ? parseClassifier(reader.object('classifier')) : null;
  reader.finish();
  return { encoders, pooler, memory, classifier };
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

function parseEncoder(reader: ParameterReader): EncoderParameters {
  const type = reader.oneOf('type', ['date', 'rdse', 'scalar']);
  const parse = { date: parseDate, rdse: parseRdse, scalar: parseScalar };
  const encoder = parse[type](reader);
  reader.finish();
  return encoder;
}

function parseRdse(reader: ParameterReader): EncoderParameters {
  const w = oddWidth(reader, 'w');
  const n = reader.integer('n', 6 * w + 1, MAX_INPUTS);
  return {
    type: 'rdse',
    resolution: reader.number('resolution', { min: 0, max: Number.MAX_VALUE, above: true }),
    w,
    n,
    seed: seed(reader),
    offset: reader.has('offset')
      ? reader.number('offset', { min: -Number.MAX_VALUE, max: Number.MAX_VALUE })
      : null,
  };
}

function parseScalar(reader: ParameterReader): EncoderParameters {
  const w = oddWidth(reader, 'w');
  const min = reader.number('min', { min: -MAX_SCALAR, max: MAX_SCALAR });
  const max = reader.number('max', { min, max: MAX_SCALAR, above: true });
  const periodic = reader.boolean('periodic');
  const sizedBy = reader.oneOf('sizedBy', ['n', 'radius', 'resolution']);
  const size =
    sizedBy === 'n'
      ? reader.integer('size', w + 1, MAX_INPUTS)
      : reader.number('size', { min: 0, max: MAX_SCALAR, above: true });
  const clipInput = reader.boolean('clipInput');
  const parameters = { w, min, max, periodic, sizedBy, size, clipInput };
  requireBits(parameters, reader.pathOf('size'));
  return { type: 'scalar', ...parameters };
}

function parseDate(reader: ParameterReader): EncoderParameters {
  const parts: DateEncoderParameters = {
    season: parseDatePart(reader, 'season', 366),
    dayOfWeek: parseDatePart(reader, 'dayOfWeek', 7),
    weekend: parseDatePart(reader, 'weekend', null),
    customDays: parseCustomDays(reader),
    holiday: parseHoliday(reader),
    timeOfDay: parseDatePart(reader, 'timeOfDay', 24),
  };
  if (Object.values(parts).every((part) => part === null))
    throw new ModelParameterError('conflict', reader.path, 'has no part that is not null');
  return { type: 'date', ...parts };
}

/** A part on a circle of the given length, or (null) between 0 and 1. */
function parseDatePart(reader: ParameterReader, key: string, circle: number | null): WidthAndRadius | null {
  if (!reader.has(key)) return null;
  const part = reader.object(key);
  const w = oddWidth(part, 'w');
  const radius = part.number('radius', { min: 0, max: MAX_SCALAR, above: true });
  part.finish();
  requireBits(
    {
      w,
      min: 0,
      max: circle ?? 1,
      periodic: circle !== null,
      sizedBy: 'radius',
      size: radius,
      clipInput: false,
    },
    part.pathOf('radius'),
  );
  return { w, radius };
}

function parseCustomDays(reader: ParameterReader): DateEncoderParameters['customDays'] {
  if (!reader.has('customDays')) return null;
  const part = reader.object('customDays');
  const w = oddWidth(part, 'w');
  const days = part.list('days', 1, 7).map((day, i) => integerAt(day, `${part.pathOf('days')}.${i}`, 0, 6));
  part.finish();
  return { w, days };
}

function parseHoliday(reader: ParameterReader): DateEncoderParameters['holiday'] {
  if (!reader.has('holiday')) return null;
  const part = reader.object('holiday');
  const w = oddWidth(part, 'w');
  const dates = part.list('dates', 1, MAX_HOLIDAYS).map((date, i) => {
    const path = `${part.pathOf('dates')}.${i}`;
    const fields = listAt(date, path, 2, 3);
    const year = fields.length === 3 ? [integerAt(fields[0], `${path}.0`, 1, 9999)] : [];
    const [month, day] = fields.slice(-2);
    const monthNumber = integerAt(month, `${path}.${fields.length - 2}`, 1, 12);
    return [
      ...year,
      monthNumber,
      integerAt(day, `${path}.${fields.length - 1}`, 1, DAYS_OF_MONTH[monthNumber - 1]),
    ];
  });
  part.finish();
  return { w, dates };
}

/** Makes sure that a scalar encoder's constants give a number of bits that is neither too large nor below `w`. */
function requireBits(parameters: ScalarEncoderParameters, path: string): void {
  const { n, resolution } = scalarGeometry(parameters);
  if (!(n >= parameters.w && n <= MAX_INPUTS && resolution > 0))
    throw new ModelParameterError(
      'out_of_range',
      path,
      `is ${parameters.size}, which gives ${n} bits; there must be w = ${parameters.w} to ${MAX_INPUTS}`,
    );
}

function inputCountOf(encoders: readonly EncoderParameters[]): number {
  if (encoders.every(({ type }) => type === 'date'))
    throw new ModelParameterError('conflict', 'encoders', 'have none of the value');
  const inputCount = encoders.reduce((sum, encoder) => sum + encoderWidth(encoder), 0);
  if (inputCount > MAX_INPUTS)
    throw new ModelParameterError(
      'out_of_range',
      'encoders',
      `have ${inputCount} bits together, must have at most ${MAX_INPUTS}`,
    );
  return inputCount;
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
    seed: seed(reader),
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
    seed: seed(reader),
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
    seed: seed(reader),
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

function oddWidth(reader: ParameterReader, key: string): number {
  const w = reader.integer(key, 1, MAX_ON_BITS);
  if (w % 2 === 0) throw new ModelParameterError('out_of_range', reader.pathOf(key), `is ${w}, must be odd`);
  return w;
}

function seed(reader: ParameterReader): number {
  return reader.integer('seed', 1, Number.MAX_SAFE_INTEGER);
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

const MAX_ENCODERS = 32;
const MAX_ON_BITS = 2047;
const MAX_INPUTS = 16_384;
const MAX_COLUMNS = 65_535;
/** Columns times inputs: keeps the pooler's base below 40 MB. */
const MAX_POOLER_CELLS = 2 ** 22;
const MIN_PERMANENCE_CHANGE = 1e-9;
const MAX_HOLIDAYS = 1000;
const MAX_SCALAR = 1e15;
const MAX_RECORDS = 2 ** 31 - 1;
const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
