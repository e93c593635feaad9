import { describe, expect, it } from 'vitest';
import { ModelParameterError } from './parameter-reader.ts';
import { parseModelParameters } from './parameters.ts';
import { rdseResolution, scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';

type Json = Record<string, unknown>;

/** A deep copy of the production parameters with the value at `path` replaced, or removed if it is undefined. */
function changed(path: string, value: unknown, variant: 'cpp' | 'tm_cpp' = 'cpp'): Json {
  const json = structuredClone(
    scalarAnomalyParameters({ min: 0, max: 100, variant, enableClassifier: true }),
  ) as unknown as Json;
  const keys = path.split('.');
  const last = keys.pop()!;
  const parent = keys.reduce((object, key) => object[key] as Json, json);
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

describe('scalarAnomalyParameters', () => {
  it('divides the range by 130, above a least resolution: reference 12.3', () => {
    expect(rdseResolution(-20, 120)).toBe(1.0769230769230769);
    expect(rdseResolution(5, 5)).toBe(0.007692307692307693);
    expect(rdseResolution(0, 0.01)).toBe(0.001);
    expect(rdseResolution(0, 1, 0.5)).toBe(0.5);
    const [, value] = scalarAnomalyParameters({ min: -20, max: 120 }).encoders;
    expect(value).toMatchObject({ type: 'rdse', resolution: 1.0769230769230769 });
  });

  it('is the production set of reference 1.2', () => {
    expect(scalarAnomalyParameters({ resolution: 2 })).toEqual({
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
        { type: 'rdse', resolution: 2, w: 21, n: 400, seed: 42, offset: null },
      ],
      pooler: {
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
      },
      memory: {
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
      },
      classifier: null,
    });
    expect(
      scalarAnomalyParameters({ resolution: 2, variant: 'tm_cpp', enableClassifier: true }),
    ).toMatchObject({
      memory: {
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
      },
      classifier: { steps: [1], alpha: 0.035828933612158, actValueAlpha: 0.3 },
    });
  });

  it.each([
    [{}, 'missing_key', 'min'],
    [{ min: 1 }, 'missing_key', 'max'],
    [{ min: 2, max: 1 }, 'out_of_range', 'min'],
    [{ min: 0, max: Infinity }, 'out_of_range', 'min'],
    [{ min: -1.7e308, max: 1.7e308 }, 'out_of_range', 'min'],
    [{ min: 0, max: 1, resolution: 1 }, 'conflict', 'resolution'],
    [{ resolution: 1, minResolution: 1 }, 'conflict', 'resolution'],
    [{ resolution: 0 }, 'out_of_range', 'encoders.1.resolution'],
    [{ resolution: NaN }, 'wrong_type', 'encoders.1.resolution'],
  ])('refuses %j', (options, code, path) => {
    expect(errorOf(() => scalarAnomalyParameters(options))).toMatchObject({ code, path });
  });
});

describe('parseModelParameters', () => {
  it('gives valid parameters back, with equal JSON text whatever the order of their keys', () => {
    const parameters = scalarAnomalyParameters({ min: 0, max: 1, enableClassifier: true });
    const text = JSON.stringify(parameters);
    const reversed = JSON.parse(text, (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    ) as unknown;
    expect(JSON.stringify(reversed)).not.toBe(text);
    expect(JSON.stringify(parseModelParameters(reversed))).toBe(text);
  });

  it('knows a ceiling, and that older parameters have none', () => {
    const ceiling = { maxSegments: 45_000, maxSynapses: 1_080_000 };
    for (const variant of ['cpp', 'tm_cpp'] as const) {
      const parameters = scalarAnomalyParameters({ resolution: 1, variant, ceiling });
      expect(parameters.memory.ceiling).toEqual(ceiling);
      expect(parseModelParameters(JSON.parse(JSON.stringify(parameters)))).toEqual(parameters);
      const older = scalarAnomalyParameters({ resolution: 1, variant });
      expect(JSON.stringify(older)).not.toContain('ceiling');
      expect(parseModelParameters(changed('memory.ceiling', null, variant)).memory).toEqual(older.memory);
    }
  });

  it.each([
    ['encoders', undefined, 'missing_key', /encoders is missing/],
    ['encoders', {}, 'wrong_type', /encoders is an object, must be an array/],
    ['encoders', [], 'out_of_range', /encoders has 0 elements, must have 1 to 32/],
    ['encoders.1', 7, 'wrong_type', /encoders\.1 is 7, must be an object/],
    [
      'encoders.1.type',
      'delta',
      'unsupported',
      /encoders\.1\.type is "delta", must be one of date, rdse, scalar/,
    ],
    ['encoders.1.w', 20, 'out_of_range', /encoders\.1\.w is 20, must be odd/],
    ['encoders.1.w', 0, 'out_of_range', /encoders\.1\.w is 0, must be at least 1/],
    ['encoders.1.n', 126, 'out_of_range', /encoders\.1\.n is 126, must be at least 127/],
    ['encoders.1.n', 400.5, 'wrong_type', /encoders\.1\.n is 400\.5, must be a whole number/],
    ['encoders.1.resolution', 0, 'out_of_range', /resolution is 0, must be above 0/],
    ['encoders.1.seed', -1, 'out_of_range', /seed is -1, must be at least 1/],
    ['encoders.1.color', 'red', 'unknown_key', /encoders\.1\.color is not known; known: n, offset/],
    ['encoders.0.timeOfDay', null, 'conflict', /encoders\.0 has no part that is not null/],
    ['encoders.0.timeOfDay.radius', 1e-9, 'out_of_range', /timeOfDay\.radius is 1e-9, which gives \d+ bits/],
    ['encoders.0.timeOfDay.radius', 30, 'out_of_range', /timeOfDay\.radius is 30, which gives 17 bits/],
    ['encoders.0.customDays', { w: 3, days: [7] }, 'out_of_range', /customDays\.days\.0 is 7/],
    ['encoders.0.holiday', { w: 3, dates: [[2, 30]] }, 'out_of_range', /holiday\.dates\.0\.1 is 30/],
    ['encoders.0.holiday', { w: 3, dates: [[2020]] }, 'out_of_range', /dates\.0 has 1 elements/],
    [
      'encoders',
      [{ type: 'date', timeOfDay: { w: 3, radius: 4 } }],
      'conflict',
      /encoders have none of the value/,
    ],
    ['pooler', null, 'missing_key', /pooler is missing/],
    ['pooler.columnCount', 1e9, 'out_of_range', /pooler\.columnCount is 1000000000, must be/],
    ['pooler.columnCount', 60_000, 'out_of_range', /is 60000, times 454 inputs is more than/],
    ['pooler.columnCount', 4096, 'out_of_range', /pooler\.columnCount must be .* 2048, not 4096/],
    ['pooler.potentialPct', 0.001, 'out_of_range', /leaves no input in a pool of 454/],
    ['pooler.numActiveColumns', 0, 'out_of_range', /no column could win/],
    ['pooler.numActiveColumns', 2049, 'out_of_range', /at most 2048/],
    ['pooler.stimulusThreshold', 364, 'out_of_range', /at most 363/],
    ['pooler.synPermConnected', 0.0015, 'out_of_range', /synPermConnected is 0\.0015, must be above/],
    ['pooler.synPermInactiveDec', 1e-12, 'out_of_range', /must be 0 or at least 1e-9/],
    ['pooler.boostStrength', '2', 'wrong_type', /boostStrength is "2", must be a finite number/],
    ['pooler.wrapAround', 'yes', 'wrong_type', /wrapAround is "yes", must be true or false/],
    ['memory.variant', 'py', 'unsupported', /memory\.variant is "py", must be one of cpp, tm_cpp/],
    ['memory.cellsPerColumn', 1, 'out_of_range', /memory\.cellsPerColumn must be .* 2 to 32, not 1/],
    ['memory.newSynapseCount', 33, 'out_of_range', /1 to 32, not 33/],
    [
      'memory.predictedSegmentDecrement',
      0.1,
      'unknown_key',
      /memory\.predictedSegmentDecrement is not known/,
    ],
    ['memory.ceiling', 5, 'wrong_type', /memory\.ceiling is 5, must be an object/],
    ['memory.ceiling', { maxSegments: 9 }, 'missing_key', /memory\.ceiling\.maxSynapses is missing/],
    [
      'memory.ceiling',
      { maxSegments: 0, maxSynapses: 9 },
      'out_of_range',
      /memory\.ceiling\.maxSegments must be a whole number from 1 to 16777216, not 0/,
    ],
    [
      'memory.ceiling',
      { maxSegments: 9, maxSynapses: 9, maxCells: 9 },
      'unknown_key',
      /memory\.ceiling\.maxCells is not known/,
    ],
    ['classifier.steps', [], 'out_of_range', /classifier\.steps has 0 elements/],
    ['classifier.steps', [2, 1], 'out_of_range', /classifier\.steps are 2, 1, must be ascending/],
    ['classifier.steps', [1, 1000], 'out_of_range', /classifier\.steps\.1 is 1000/],
    ['classifier.alpha', 0, 'out_of_range', /classifier\.alpha is 0, must be above 0/],
    ['surprise', 1, 'unknown_key', /surprise is not known; known: classifier, encoders, memory, pooler/],
  ])('%s = %j is refused', (path, value, code, message) => {
    const error = errorOf(() => parseModelParameters(changed(path, value)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(error.path)).toBe(true);
  });

  it.each([
    ['memory.maxSynapsesPerSegment', 40_000, /1 to 32767, not 40000/],
    ['memory.cellsPerColumn', 33, /1 to 32, not 33/],
    ['memory.initialPermanence', 1.5, /to 1, not 1\.5/],
    ['memory.initialPermanence', 1e-7, /initialPermanence must be from 0\.000001 to 1, not 1e-7/],
    ['memory.ceiling', { maxSegments: 9, maxSynapses: 0.5 }, /ceiling\.maxSynapses/],
  ])('tm_cpp: %s = %j is refused', (path, value, message) => {
    expect(errorOf(() => parseModelParameters(changed(path, value, 'tm_cpp'))).message).toMatch(message);
  });

  it.each([[null], [[]], ['{}'], [undefined]])('%j is no object', (json) => {
    expect(errorOf(() => parseModelParameters(json))).toMatchObject({ code: 'wrong_type', path: '' });
  });

  it('takes no key from a prototype', () => {
    const json = Object.create(scalarAnomalyParameters({ resolution: 1 })) as unknown;
    expect(errorOf(() => parseModelParameters(json))).toMatchObject({
      code: 'missing_key',
      path: 'encoders',
    });
    const polluting = JSON.parse('{"__proto__": {"encoders": []}}') as unknown;
    expect(errorOf(() => parseModelParameters(polluting)).path).toBe('encoders');
  });

  it('keeps messages short, whatever is in them', () => {
    const long = errorOf(() => parseModelParameters(changed('memory.variant', 'x'.repeat(1e6))));
    expect(long.message.length).toBeLessThan(300);
    const key = errorOf(() => parseModelParameters(changed('k'.repeat(1e6), 1)));
    expect(key.message.length).toBeLessThan(300);
  });
});
