import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import { originalParameters } from '../htm/testing/original-parameters.ts';
import { generationRequest } from './generation-request.ts';
import { canonicalSpec, checkModelSpec, rangeOf } from './model-spec.ts';

const metricSpec = { metric: 'cpu.load' };

function refusal(spec: unknown): { code: string; message: string; path: unknown } {
  try {
    checkModelSpec(spec);
  } catch (error) {
    if (error instanceof HtmEngineError) {
      return { code: error.code, message: error.message, path: error.details['path'] };
    }
    throw error;
  }
  throw new Error('the spec was accepted');
}

describe('checkModelSpec', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['no object', 'cpu.load', '', /it = 'cpu.load': .*expected object/],
    ['nothing', undefined, '', /expected object/],
    ['no metricSpec', {}, 'metricSpec', /expected object/],
    [
      'a datasource there is not',
      { datasource: 'cloudwatch', metricSpec },
      'datasource',
      /'cloudwatch'.*only datasource is "custom"/,
    ],
    ['an unknown key', { metricSpec, colour: 1 }, 'colour', /colour = 1: there is no such key/],
    [
      'an unknown key inside',
      { metricSpec: { metric: 'a', units: 's' } },
      'metricSpec.units',
      /metricSpec.units = 's'/,
    ],
    ['a name that is no text', { metricSpec: { metric: 5 } }, 'metricSpec.metric', /= 5: .*expected string/],
    ['neither name nor uid', { metricSpec: { unit: 's' } }, 'metricSpec', /"metric".*"uid"/],
    [
      'a resource with a line break',
      { metricSpec: { metric: 'a', resource: 'b\nc' } },
      'metricSpec.resource',
      /control characters/,
    ],
    [
      'a unit that is too long',
      { metricSpec: { metric: 'a', unit: 'x'.repeat(256) } },
      'metricSpec.unit',
      /1 to 255/,
    ],
    [
      'a list as userInfo',
      { metricSpec: { metric: 'a', userInfo: [] } },
      'metricSpec.userInfo',
      /object of JSON values/,
    ],
    [
      'a function in userInfo',
      { metricSpec: { metric: 'a', userInfo: { f: () => 1 } } },
      'metricSpec.userInfo',
      /JSON/,
    ],
    [
      'userInfo that is too long',
      { metricSpec: { metric: 'a', userInfo: { a: 'x'.repeat(40_000) } } },
      'metricSpec.userInfo',
      /at most 32768/,
    ],
    [
      'a bound as text',
      { metricSpec, modelParams: { min: '1', max: 2 } },
      'modelParams.min',
      /min = '1': .*expected number/,
    ],
    [
      'a bound that is null',
      { metricSpec, modelParams: { min: null, max: 2 } },
      'modelParams.min',
      /= null: /,
    ],
    [
      'a resolution of 0',
      { metricSpec, modelParams: { minResolution: 0 } },
      'modelParams.minResolution',
      /= 0: .*>0/,
    ],
    [
      'a switch as number',
      { metricSpec, modelParams: { enableClassifier: 1 } },
      'modelParams.enableClassifier',
      /= 1: .*expected boolean/,
    ],
  ])('refuses %s, naming path, value and rule', (_what, spec, path, message) => {
    const refused = refusal(spec);
    expect(refused.code).toBe('invalid_argument');
    expect(refused.path).toBe(path);
    expect(refused.message).toMatch(message);
  });

  it.each([
    { min: 1 },
    { max: 1 },
    { min: 2, max: 2 },
    { min: 3, max: 2 },
    { min: 0, max: Infinity },
    { min: NaN, max: 1 },
    { min: -1e308, max: 1e308 },
  ])('refuses the range %j', (modelParams) => {
    expect(refusal({ metricSpec, modelParams }).code).toBe('invalid_range');
  });

  it.each(['', 'a\u0000b', 'x'.repeat(256)])('refuses the metric name %j', (metric) => {
    expect(refusal({ metricSpec: { metric } }).code).toBe('invalid_metric_name');
  });

  it('refuses userInfo that is nested beyond measure without running out of stack', () => {
    const deep = JSON.parse('{"a":'.repeat(5000) + '1' + '}'.repeat(5000)) as unknown;
    expect(refusal({ metricSpec: { metric: 'a', userInfo: deep } })).toMatchObject({
      code: 'invalid_argument',
      path: 'metricSpec.userInfo',
    });
  });

  it('takes both bounds or neither as the range', () => {
    expect(rangeOf(checkModelSpec({ metricSpec, modelParams: { min: -1, max: 0.5 } }))).toEqual({
      min: -1,
      max: 0.5,
    });
    expect(rangeOf(checkModelSpec({ metricSpec, modelParams: { minResolution: 2 } }))).toBeNull();
    expect(rangeOf(checkModelSpec({ metricSpec }))).toBeNull();
  });

  it('answers any input with a spec or an HtmEngineError', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
        for (const spec of [
          value,
          { metricSpec: value },
          { metricSpec, modelParams: value },
          { metricSpec: { metric: 'a', userInfo: value } },
        ]) {
          try {
            checkModelSpec(spec);
          } catch (error) {
            expect(error).toBeInstanceOf(HtmEngineError);
          }
        }
      }),
    );
  });
});

describe('canonicalSpec', () => {
  it('names the metric instead of its uid and keeps everything else', () => {
    const spec = checkModelSpec({
      modelParams: { enableClassifier: true, minResolution: 0.5, max: 4, min: 1 },
      metricSpec: {
        userInfo: { owner: ['a', { b: null }], für: 1 },
        resource: 'host 1',
        unit: '%',
        uid: 'abc',
      },
    });
    expect(JSON.parse(canonicalSpec(spec, 'cpu.load'))).toEqual({
      datasource: 'custom',
      metricSpec: {
        metric: 'cpu.load',
        unit: '%',
        resource: 'host 1',
        userInfo: { owner: ['a', { b: null }], für: 1 },
      },
      modelParams: { min: 1, max: 4, minResolution: 0.5, enableClassifier: true },
    });
  });

  it('adds nothing that was not given, and takes nothing that is empty away', () => {
    const canonical = (spec: unknown) => JSON.parse(canonicalSpec(checkModelSpec(spec), 'a')) as unknown;
    const bare = { datasource: 'custom', metricSpec: { metric: 'a' } };
    expect(canonical({ metricSpec: { metric: 'a' } })).toEqual(bare);
    expect(canonical({ ...bare, modelParams: {} })).toEqual({ ...bare, modelParams: {} });
  });

  it('is its own canonical form', () => {
    const text = canonicalSpec(
      checkModelSpec({ metricSpec: { uid: '1', unit: 's' }, modelParams: { max: 2, min: 1 } }),
      'a',
    );
    expect(canonicalSpec(checkModelSpec(JSON.parse(text)), 'a')).toBe(text);
  });
});

describe('complete parameters', () => {
  const complete = { ...originalParameters('cpp'), timestampFieldName: 'c0', valueFieldName: 'c1' };
  const without = (key: string) =>
    Object.fromEntries(Object.entries(complete).filter(([name]) => name !== key));

  it('are kept as they were given, and make the model', () => {
    const spec = checkModelSpec({ metricSpec, completeModelParams: complete });
    expect(JSON.parse(canonicalSpec(spec, 'cpu.load'))).toEqual({
      datasource: 'custom',
      metricSpec,
      completeModelParams: complete,
    });
    const request = generationRequest(spec, 'cpu.load', {
      minimumRows: 288,
      variant: 'tm_cpp',
      ceiling: { maxSegments: 1000, maxSynapses: 20_000 },
    });
    expect(request).toMatchObject({
      range: null,
      resolutionPath: null,
      modelParams: { memory: { variant: 'cpp', ceiling: { maxSegments: 1000, maxSynapses: 20_000 } } },
    });
  });

  it.each<[string, object, string]>([
    ['modelParams beside them, even empty', { modelParams: {}, completeModelParams: {} }, 'modelParams'],
    [
      'no inferenceArgs',
      { completeModelParams: without('inferenceArgs') },
      'completeModelParams.inferenceArgs',
    ],
    [
      'no timestampFieldName',
      { completeModelParams: without('timestampFieldName') },
      'completeModelParams.timestampFieldName',
    ],
    [
      'no valueFieldName',
      { completeModelParams: without('valueFieldName') },
      'completeModelParams.valueFieldName',
    ],
    ['no modelConfig', { completeModelParams: without('modelConfig') }, 'completeModelParams.modelConfig'],
    [
      'another predictedField',
      { completeModelParams: { ...complete, valueFieldName: 'c2' } },
      'completeModelParams.inferenceArgs.predictedField',
    ],
    [
      'no predictedField',
      { completeModelParams: { ...complete, inferenceArgs: {} } },
      'completeModelParams.inferenceArgs.predictedField',
    ],
    [
      'a model of another type',
      {
        completeModelParams: {
          ...complete,
          modelConfig: { model: 'CLA', modelParams: { inferenceType: 'NontemporalClassification' } },
        },
      },
      'completeModelParams.modelConfig.modelParams.inferenceType',
    ],
    ['a key there is not', { completeModelParams: { ...complete, colour: 1 } }, 'completeModelParams.colour'],
    ['what is no object', { completeModelParams: 5 }, 'completeModelParams'],
  ])('are refused with %s', (_what, given, path) => {
    expect(refusal({ metricSpec, ...given })).toMatchObject({ code: 'invalid_argument', path });
  });
});
