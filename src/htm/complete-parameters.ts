import { completeEncoders } from './complete-encoders.ts';
import { ModelParameterError, ParameterReader, describe, integerAt } from './parameter-reader.ts';
import { parseModelParameters } from './parameters.ts';
import type { ModelParameters } from './parameters.ts';

/** A model in the original's form, understood. */
export interface CompleteParameters {
  readonly parameters: ModelParameters;
  /** The field that the date encoders read; null if there are none. */
  readonly timestampFieldName: string | null;
  /** The field that is predicted and scored. */
  readonly valueFieldName: string;
}

/**
 * Reads the original's complete parameters: `modelConfig` and `inferenceArgs`, and optionally `timestampFieldName` and
 * `valueFieldName`, which must then agree with them (system reference, section 5.2; model reference, sections 1.2, 2
 * and 9). The model must be of type TemporalAnomaly over one field of times and one of numbers.
 *
 * Keys that had no effect in the original are accepted and ignored. A key that is missing takes the original's default
 * where the model reference names one.
 * @throws ModelParameterError naming path, value and rule: also for what the original could do and this model cannot.
 */
export function parseCompleteParameters(json: unknown): CompleteParameters {
  const reader = new ParameterReader(json, '');
  const config = reader.object('modelConfig');
  const valueFieldName = predictedField(reader.object('inferenceArgs'));
  const timestampFieldName = reader.has('timestampFieldName') ? reader.text('timestampFieldName') : null;
  requireEqual(reader, 'valueFieldName', valueFieldName, 'inferenceArgs.predictedField');
  reader.finish();
  const model = modelParams(config);
  const sensor = completeEncoders(model.object('sensorParams'), valueFieldName, timestampFieldName);
  const pooler = poolerOf(model);
  const memory = memoryOf(model, pooler.columnCount);
  const classifier = classifierOf(model);
  model.finish();
  try {
    const parameters = parseModelParameters({ encoders: sensor.encoders, pooler, memory, classifier });
    return { parameters, timestampFieldName: sensor.timestampFieldName, valueFieldName };
  } catch (error) {
    throw error instanceof ModelParameterError ? inOriginalNames(error, model, sensor.keys) : error;
  }
}

function predictedField(reader: ParameterReader): string {
  const field = reader.text('predictedField');
  reader.ignore('predictionSteps', 'inputPredictedField');
  reader.finish();
  return field;
}

function modelParams(config: ParameterReader): ParameterReader {
  config.oneOf('model', ['HTMPrediction', 'CLA'], 'HTMPrediction');
  config.ignore('version', 'predictAheadTime');
  if (config.has('aggregationInfo')) requireNoAggregation(config.object('aggregationInfo'));
  const model = config.object('modelParams');
  config.finish();
  model.oneOf('inferenceType', ['TemporalAnomaly']);
  model.ignore('anomalyParams');
  requireSwitch(model, 'spEnable', true);
  requireSwitch(model, 'tmEnable', true);
  requireSwitch(model, 'tpEnable', true);
  requireSwitch(model, 'trainSPNetOnlyIfRequested', false);
  return model;
}

function requireNoAggregation(reader: ParameterReader): void {
  for (const key of reader.keys()) {
    if (key === 'fields') reader.list(key, 0, MAX_FIELDS);
    else reader.number(key, { min: 0, max: 0 });
  }
}

function requireSwitch(reader: ParameterReader, key: string, wanted: boolean): void {
  if (reader.boolean(key, wanted) !== wanted)
    throw new ModelParameterError(
      'unsupported',
      reader.pathOf(key),
      `is ${String(!wanted)}, can only be ${String(wanted)}`,
    );
}

function poolerOf(model: ParameterReader): Record<string, unknown> {
  const reader = model.object('spParams');
  reader.ignore('spVerbosity', 'inputWidth', 'potentialRadius');
  reader.oneOf('spatialImp', ['cpp'], 'cpp');
  if (!reader.boolean('globalInhibition'))
    throw new ModelParameterError(
      'unsupported',
      reader.pathOf('globalInhibition'),
      'is false; local inhibition is not implemented, only global inhibition (true)',
    );
  // The original reads any number up to 0 as "take the density".
  const winners = reader.number('numActiveColumnsPerInhArea', { min: -1, max: 65_535 });
  const pooler = {
    columnCount: reader.any('columnCount'),
    potentialPct: reader.any('potentialPct'),
    wrapAround: reader.boolean('wrapAround', true),
    numActiveColumns: Math.max(winners, 0),
    localAreaDensity: Math.max(reader.number('localAreaDensity', { min: -1, max: 0.5 }, -1), 0),
    stimulusThreshold: reader.any('stimulusThreshold') ?? 0,
    synPermInactiveDec: reader.any('synPermInactiveDec'),
    synPermActiveInc: reader.any('synPermActiveInc'),
    synPermConnected: reader.any('synPermConnected'),
    minPctOverlapDutyCycle: reader.any('minPctOverlapDutyCycle') ?? 0.001,
    dutyCyclePeriod: reader.any('dutyCyclePeriod') ?? 1000,
    boostStrength: reader.any('boostStrength'),
    seed: reader.any('seed'),
  };
  reader.finish();
  return pooler;
}

function memoryOf(model: ParameterReader, columnCount: unknown): object {
  const key = memoryKey(model);
  const reader = model.object(key);
  const variant = reader.oneOf('temporalImp', ['cpp', 'tm_cpp']);
  if ((reader.any('columnCount') ?? columnCount) !== columnCount)
    throw new ModelParameterError(
      'conflict',
      reader.pathOf('columnCount'),
      `is ${describe(reader.any('columnCount'))}, must be that of spParams, ${describe(columnCount)}`,
    );
  reader.ignore('verbosity', 'inputWidth', 'outputType');
  const memory = variant === 'cpp' ? backtracking(reader) : plain(reader);
  reader.finish();
  return { variant, ...memory };
}

/** Newer files say tmParams, older ones tpParams. */
function memoryKey(model: ParameterReader): 'tmParams' | 'tpParams' {
  const [newer, older] = [model.has('tmParams'), model.has('tpParams')];
  if (newer && older)
    throw new ModelParameterError(
      'conflict',
      model.pathOf('tpParams'),
      'is the older name of tmParams; give one of them',
    );
  return older ? 'tpParams' : 'tmParams';
}

function backtracking(reader: ParameterReader): object {
  reader.ignore('segUpdateValidDuration', 'burnIn', 'collectStats', 'checkSynapseConsistency');
  requireSwitch(reader, 'doPooling', false);
  // Segments and synapses are bounded, and then the original has no decay either.
  reader.number('globalDecay', { min: 0, max: 0 }, 0);
  reader.number('maxAge', { min: 0, max: 0 }, 0);
  return {
    cellsPerColumn: reader.any('cellsPerColumn'),
    activationThreshold: reader.any('activationThreshold'),
    minThreshold: reader.any('minThreshold'),
    newSynapseCount: reader.any('newSynapseCount'),
    initialPerm: reader.any('initialPerm'),
    connectedPerm: reader.any('connectedPerm') ?? 0.5,
    permanenceInc: reader.any('permanenceInc'),
    permanenceDec: reader.any('permanenceDec'),
    permanenceMax: reader.any('permanenceMax') ?? 1,
    maxSegmentsPerCell: reader.any('maxSegmentsPerCell'),
    maxSynapsesPerSegment: reader.any('maxSynapsesPerSegment'),
    pamLength: reader.any('pamLength'),
    maxSeqLength: reader.any('maxSeqLength') ?? 32,
    maxInfBacktrack: reader.any('maxInfBacktrack') ?? 10,
    maxLrnBacktrack: reader.any('maxLrnBacktrack') ?? 5,
    seed: reader.any('seed'),
  };
}

function plain(reader: ParameterReader): object {
  reader.ignore('permanenceMax', 'globalDecay', 'maxAge', 'pamLength');
  return {
    cellsPerColumn: reader.any('cellsPerColumn'),
    activationThreshold: reader.any('activationThreshold'),
    minThreshold: reader.any('minThreshold'),
    maxNewSynapseCount: reader.any('newSynapseCount'),
    initialPermanence: reader.any('initialPerm'),
    connectedPermanence: reader.any('connectedPerm') ?? 0.5,
    permanenceIncrement: reader.any('permanenceInc'),
    permanenceDecrement: reader.any('permanenceDec'),
    predictedSegmentDecrement: reader.any('predictedSegmentDecrement'),
    maxSegmentsPerCell: reader.any('maxSegmentsPerCell'),
    maxSynapsesPerSegment: reader.any('maxSynapsesPerSegment'),
    seed: reader.any('seed'),
  };
}

function classifierOf(model: ParameterReader): object | null {
  const isOn = model.boolean('clEnable', model.has('clParams'));
  if (!model.has('clParams')) {
    if (isOn) model.object('clParams');
    return null;
  }
  const reader = model.object('clParams');
  if (!isOn) return null;
  reader.ignore('verbosity', 'clVerbosity', 'implementation');
  reader.oneOf('regionName', ['SDRClassifierRegion'], 'SDRClassifierRegion');
  const classifier = {
    steps: stepsOf(reader),
    alpha: reader.any('alpha'),
    actValueAlpha: reader.any('actValueAlpha') ?? 0.3,
  };
  reader.finish();
  return classifier;
}

/** Steps are a text of numbers with commas between them; put in order, each once. */
function stepsOf(reader: ParameterReader): number[] {
  const path = reader.pathOf('steps');
  const numbers = reader.text('steps').split(',');
  const steps = numbers.map((step) => integerAt(step.trim() === '' ? NaN : Number(step), path, 0, 100));
  return [...new Set(steps)].sort((a, b) => a - b);
}

function requireEqual(reader: ParameterReader, key: string, expected: string, source: string): void {
  if (reader.has(key) && reader.text(key) !== expected)
    throw new ModelParameterError(
      'conflict',
      reader.pathOf(key),
      `is ${describe(reader.any(key))}, but ${source} is ${describe(expected)}`,
    );
}

/** The error with the path of the original's form in place of our own. */
function inOriginalNames(
  error: ModelParameterError,
  model: ParameterReader,
  encoderKeys: readonly string[],
): ModelParameterError {
  const [part, ...rest] = error.path.split('.');
  const memory = model.has('tpParams') ? 'tpParams' : 'tmParams';
  const names: Record<string, string> = { pooler: 'spParams', memory, classifier: 'clParams' };
  const keys =
    part === 'encoders'
      ? ['sensorParams', 'encoders', ...rest.map((key, i) => (i === 0 ? encoderKeys[Number(key)] : key))]
      : [names[part] ?? part, ...rest];
  const path = `${model.path}.${keys.map((key) => ORIGINAL_NAMES[key] ?? key).join('.')}`;
  const what = error.message.slice(error.path.length + 1);
  return new ModelParameterError(error.code, path, what);
}

const ORIGINAL_NAMES: Record<string, string> = {
  min: 'minval',
  max: 'maxval',
  size: 'n|radius|resolution',
  numActiveColumns: 'numActiveColumnsPerInhArea',
  maxNewSynapseCount: 'newSynapseCount',
  initialPermanence: 'initialPerm',
  connectedPermanence: 'connectedPerm',
  permanenceIncrement: 'permanenceInc',
  permanenceDecrement: 'permanenceDec',
};

const MAX_FIELDS = 1000;
