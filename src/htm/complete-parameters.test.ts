import { describe, expect, it } from 'vitest';
import { parseCompleteParameters } from './complete-parameters.ts';
import { AnomalyModel } from './model.ts';
import { ModelParameterError } from './parameter-reader.ts';
import { scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';
import { originalParameters as original } from './testing/original-parameters.ts';

type Json = Record<string, unknown>;

/** Follows `path` from modelConfig.modelParams and sets what is there; undefined removes it. */
function change(json: Json, path: string, value: unknown): Json {
  const keys = path.split('.');
  const last = keys.pop()!;
  const start = (json['modelConfig'] as Json)['modelParams'] as Json;
  const parent = keys.reduce((object, key) => object[key] as Json, start);
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return json;
}

function errorOf(act: () => unknown): ModelParameterError {
  try {
    act();
  } catch (error) {
    if (error instanceof ModelParameterError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseCompleteParameters', () => {
  it.each(['cpp', 'tm_cpp'] as const)('reads the production set of %s', (variant) => {
    expect(parseCompleteParameters(original(variant))).toEqual({
      parameters: scalarAnomalyParameters({ resolution: 0.5, variant }),
      timestampFieldName: 'c0',
      valueFieldName: 'c1',
    });
  });

  it('reads the production set with its classifier', () => {
    const { parameters } = parseCompleteParameters(change(original('cpp'), 'clEnable', true));
    expect(parameters).toEqual(scalarAnomalyParameters({ resolution: 0.5, enableClassifier: true }));
  });

  it('puts the encoders in the order of their keys, leaving out null and keys with a colon', () => {
    const json = original('cpp');
    const rdse = { fieldname: 'c1', type: 'RandomDistributedScalarEncoder', resolution: 1 };
    change(json, 'sensorParams.encoders.Z', { ...rdse, seed: 1 });
    change(json, 'sensorParams.encoders.c0:old', { type: 'nothing known' });
    const seeds = parseCompleteParameters(json).parameters.encoders.map((encoder) =>
      encoder.type === 'rdse' ? encoder.seed : encoder.type,
    );
    expect(seeds).toEqual([1, 'date', 42]);
  });

  it('reads all parts of a date encoder', () => {
    const definition = {
      fieldname: 'c0',
      type: 'DateEncoder',
      season: 3,
      dayOfWeek: [5, 2],
      weekend: 7,
      customDays: [9, ['Monday', 'sun']],
      holiday: 11,
      timeOfDay: 0,
    };
    const json = change(original('cpp'), 'sensorParams.encoders.c0_timeOfDay', definition);
    expect(parseCompleteParameters(json).parameters.encoders[0]).toEqual({
      type: 'date',
      season: { w: 3, radius: 91.5 },
      dayOfWeek: { w: 5, radius: 2 },
      weekend: { w: 7, radius: 1 },
      customDays: { w: 9, days: [0, 6] },
      holiday: { w: 11, dates: [[12, 25]] },
      timeOfDay: null,
    });
  });

  it('reads a scalar encoder', () => {
    const definition = {
      fieldname: 'c1',
      type: 'ScalarEncoder',
      w: 21,
      n: 200,
      minval: 0,
      maxval: 9,
      clipInput: true,
    };
    const json = change(original('cpp'), 'sensorParams.encoders.c1', definition);
    expect(parseCompleteParameters(json).parameters.encoders[1]).toEqual({
      type: 'scalar',
      w: 21,
      min: 0,
      max: 9,
      periodic: false,
      sizedBy: 'n',
      size: 200,
      clipInput: true,
    });
  });

  it('knows the older names', () => {
    const json = original('cpp');
    const model = (json['modelConfig'] as Json)['modelParams'] as Json;
    model['tpParams'] = model['tmParams'];
    model['tpEnable'] = model['tmEnable'];
    delete model['tmParams'];
    delete model['tmEnable'];
    (json['modelConfig'] as Json)['model'] = 'CLA';
    expect(parseCompleteParameters(json)).toEqual(parseCompleteParameters(original('cpp')));
  });

  it('takes defaults only where the original has them, and these keys without effect', () => {
    const json = original('cpp');
    for (const key of ['segUpdateValidDuration', 'burnIn', 'collectStats', 'checkSynapseConsistency'])
      change(json, `tmParams.${key}`, 7);
    for (const key of ['potentialRadius', 'inputWidth', 'spVerbosity']) change(json, `spParams.${key}`, 7);
    change(json, 'tmParams.outputType', 'activeState');
    expect(parseCompleteParameters(json)).toEqual(parseCompleteParameters(original('cpp')));
    expect(parseCompleteParameters(change(original('tm_cpp'), 'tmParams.globalDecay', 0.5))).toEqual(
      parseCompleteParameters(original('tm_cpp')),
    );
  });

  it('makes a model that runs', () => {
    const { parameters } = parseCompleteParameters(original('cpp'));
    expect(AnomalyModel.create(parameters).run(0, 1)).toBe(1);
  });

  const rdse = { fieldname: 'c1', type: 'RandomDistributedScalarEncoder', resolution: 1 };
  it.each([
    [
      'inferenceType',
      'TemporalMultiStep',
      'unsupported',
      /modelConfig\.modelParams\.inferenceType is "TemporalMultiStep"/,
    ],
    ['spEnable', false, 'unsupported', /spEnable is false, can only be true/],
    ['trainSPNetOnlyIfRequested', true, 'unsupported', /can only be false/],
    ['sensorParams.sensorAutoReset', { days: 1 }, 'unsupported', /sensorAutoReset can only be null/],
    ['sensorParams.encoders', {}, 'out_of_range', /modelParams\.sensorParams\.encoders has 0 elements/],
    [
      'sensorParams.encoders.c1',
      { ...rdse, type: 'DeltaEncoder' },
      'unsupported',
      /c1\.type is "DeltaEncoder"/,
    ],
    [
      'sensorParams.encoders.c1',
      { ...rdse, fieldname: 'c2' },
      'conflict',
      /c1\.fieldname is "c2"; there is one/,
    ],
    ['sensorParams.encoders.c1', { ...rdse, w: 4 }, 'out_of_range', /encoders\.c1\.w is 4, must be odd/],
    ['sensorParams.encoders.c1', { ...rdse, numBuckets: 130 }, 'unknown_key', /c1\.numBuckets is not known/],
    [
      'sensorParams.encoders.c1',
      { ...rdse, resolution: null },
      'wrong_type|missing_key',
      /c1\.resolution is missing/,
    ],
    ['sensorParams.encoders.c0_timeOfDay.fieldname', 'c1', 'conflict', /fieldname is "c1"/],
    [
      'sensorParams.encoders.c0_timeOfDay.timeOfDay',
      [20, 1],
      'out_of_range',
      /c0_timeOfDay\.timeOfDay\.w is 20/,
    ],
    ['sensorParams.encoders.c0_timeOfDay.customDays', [3, ['someday']], 'wrong_type', /"someday"/],
    [
      'spParams.globalInhibition',
      0,
      'unsupported',
      /globalInhibition is false; local inhibition is not implemented/,
    ],
    ['spParams.spatialImp', 'py', 'unsupported', /spatialImp is "py", must be one of cpp/],
    ['spParams.seed', 0, 'out_of_range', /modelParams\.spParams\.seed is 0/],
    [
      'spParams.columnCount',
      1024,
      'conflict',
      /tmParams\.columnCount is 2048, must be that of spParams, 1024/,
    ],
    [
      'spParams.numActiveColumnsPerInhArea',
      5000,
      'out_of_range',
      /spParams\.numActiveColumnsPerInhArea is 5000/,
    ],
    ['spParams.potentialPct', undefined, 'missing_key', /spParams\.potentialPct is missing/],
    ['tmParams.temporalImp', 'tm_py', 'unsupported', /temporalImp is "tm_py", must be one of cpp, tm_cpp/],
    ['tmParams.globalDecay', 0.1, 'out_of_range', /tmParams\.globalDecay is 0\.1/],
    ['tmParams.doPooling', true, 'unsupported', /doPooling is true, can only be false/],
    ['tmParams.maxSegmentsPerCell', -1, 'out_of_range', /tmParams\.maxSegmentsPerCell must be .* not -1/],
    ['tpParams', {}, 'conflict', /tpParams is the older name of tmParams/],
    ['clParams.steps', '1,x', 'wrong_type', /clParams\.steps is NaN/],
  ])('%s = %j is refused', (path, value, codes, message) => {
    const json = change(change(original('cpp'), 'clEnable', true), path, value);
    const error = errorOf(() => parseCompleteParameters(json));
    expect(codes.split('|')).toContain(error.code);
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(error.path)).toBe(true);
  });

  it('refuses field names that disagree, and a missing predicted field', () => {
    const named = { ...original('cpp'), timestampFieldName: 'c0', valueFieldName: 'c1' };
    expect(parseCompleteParameters(named).valueFieldName).toBe('c1');
    expect(errorOf(() => parseCompleteParameters({ ...named, valueFieldName: 'x' }))).toMatchObject({
      code: 'conflict',
      path: 'valueFieldName',
    });
    expect(errorOf(() => parseCompleteParameters({ ...named, timestampFieldName: 'x' })).code).toBe(
      'conflict',
    );
    expect(errorOf(() => parseCompleteParameters({ ...named, inferenceArgs: {} }))).toMatchObject({
      code: 'missing_key',
      path: 'inferenceArgs.predictedField',
    });
    expect(errorOf(() => parseCompleteParameters({ ...named, more: 1 })).code).toBe('unknown_key');
  });

  it('refuses aggregation', () => {
    const json = original('cpp');
    (json['modelConfig'] as Json)['aggregationInfo'] = { fields: [], hours: 1 };
    expect(errorOf(() => parseCompleteParameters(json)).path).toBe('modelConfig.aggregationInfo.hours');
  });
});
