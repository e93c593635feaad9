import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCompleteParameters } from './complete-parameters.ts';
import { AnomalyModel } from './model.ts';
import { ModelParameterError } from './parameter-reader.ts';
import { parseModelParameters } from './parameters.ts';
import type { ModelParameters } from './parameters.ts';
import { scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';
import { requireRefusedOrSound, scoreOrNoRoom } from './testing/check-model.ts';

// The same inputs in every run, so that what is green stays green; HTMENGINE_FUZZ_SEED tries others.
fc.configureGlobal({ seed: Number(process.env['HTMENGINE_FUZZ_SEED'] ?? 1) });
/** HTMENGINE_FUZZ_RUNS multiplies the number of runs, for long searches. */
const factor = Number(process.env['HTMENGINE_FUZZ_RUNS'] ?? 1);
const TIMEOUT_MS = 120_000 * factor;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const records = Array.from({ length: 60 }, (_, t) => ({
  timestampSeconds: t * 900,
  value: 50 + ((t * 7) % 24),
}));

/** Parameters of a small model, so that damage hits structure more often than permanences. */
function small(variant: 'cpp' | 'tm_cpp'): ModelParameters {
  const { pooler, memory } = scalarAnomalyParameters({ resolution: 1, variant });
  return {
    encoders: [{ type: 'rdse', resolution: 1, w: 7, n: 400, seed: 7, offset: null }],
    pooler: { ...pooler, columnCount: 40, numActiveColumns: 4 },
    memory: {
      ...memory,
      cellsPerColumn: 4,
      activationThreshold: 3,
      minThreshold: 2,
      maxSynapsesPerSegment: 8,
      ...(memory.variant === 'cpp' ? { newSynapseCount: 4 } : { maxNewSynapseCount: 4 }),
    },
    classifier: { steps: [1, 2], alpha: 0.1, actValueAlpha: 0.3 },
  };
}

function trained(variant: 'cpp' | 'tm_cpp'): Uint8Array {
  const model = AnomalyModel.create(small(variant));
  for (const { timestampSeconds, value } of records) model.run(timestampSeconds, value);
  return model.bytes();
}

/** Edits of saved bytes: words set to values that are likely to be wrong, at any place or at a section's beginning. */
const edits = fc.array(
  fc.record({
    at: fc.nat(),
    value: fc.oneof(
      fc.constantFrom(0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000, 0xffff, 0x10000),
      fc.nat({ max: 0xffffffff }),
      fc.nat({ max: 100 }),
    ),
    atSectionStart: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

function edited(bytes: Uint8Array, list: readonly { at: number; value: number; atSectionStart: boolean }[]) {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const sections = view.getUint32(12, true);
  for (const { at, value, atSectionStart } of list) {
    const start = view.getUint32(16 + (at % sections) * 12 + 8, true);
    const place = atSectionStart ? start + ((at >>> 8) % 16) * 4 : at % (bytes.length - 3);
    if (place + 4 <= bytes.length) view.setUint32(place, value, true);
  }
  return copy;
}

describe.each(['cpp', 'tm_cpp'] as const)('the loader, %s', (variant) => {
  const bytes = trained(variant);

  it('refuses any bytes', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat({ max: 200 }), (noise, header) => {
        const withHeader = new Uint8Array(header + noise.length);
        withHeader.set(bytes.subarray(0, header));
        withHeader.set(noise, header);
        requireRefusedOrSound(withHeader, records, 'noise');
      }),
      { numRuns: 300 * factor },
    );
  });

  it('refuses edited bytes or loads a model that runs', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(edits, (list) => requireRefusedOrSound(edited(bytes, list), records, 'edited')),
      { numRuns: 400 * factor },
    );
  });

  it('refuses other parameters than those the state belongs to', { timeout: TIMEOUT_MS }, () => {
    const start = new DataView(bytes.buffer).getUint32(16 + 8, true);
    const length = new DataView(bytes.buffer).getUint32(16 + 4, true);
    fc.assert(
      fc.property(
        fc.nat({ max: length - 1 }),
        fc.constantFrom(...Array.from('0123456789-."{},ex')),
        (at, character) => {
          const copy = bytes.slice();
          copy[start + at] = character.charCodeAt(0);
          requireRefusedOrSound(copy, records, `parameters with ${character} at ${at}`);
        },
      ),
      { numRuns: 400 * factor },
    );
  });
});

/** Values that parameters do not expect, or just so. */
const surprises: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    null,
    true,
    '',
    [],
    {},
    -1,
    0,
    1,
    2,
    3,
    0.5,
    1e-40,
    1e308,
    2 ** 31,
    2 ** 53,
    65_536,
    [1, 2],
  ),
  fc.integer({ min: 0, max: 300 }),
  fc.double({ noNaN: true }),
  fc.jsonValue() as fc.Arbitrary<Json>,
);

/** A copy of `json` with some of its values replaced or removed, or keys added, wherever the numbers point. */
function mutated(
  json: Json,
  changes: readonly { path: readonly number[]; value: Json; how: number }[],
): Json {
  const copy = structuredClone(json);
  for (const { path, value, how } of changes) {
    let parent = copy as Record<string, Json>;
    for (const [depth, turn] of path.entries()) {
      const keys = Object.keys(parent);
      if (keys.length === 0) break;
      const key = keys[turn % keys.length];
      const child = parent[key];
      if (depth < path.length - 1 && typeof child === 'object' && child !== null) {
        parent = child as Record<string, Json>;
        continue;
      }
      if (how === 0 && Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (how === 0) Reflect.deleteProperty(parent, key);
      else if (how === 1 && !Array.isArray(parent)) parent[`${key}2`] = value;
      else parent[key] = value;
      break;
    }
  }
  return copy;
}

const changes = fc.array(
  fc.record({
    path: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 }),
    value: surprises,
    how: fc.nat({ max: 9 }),
  }),
  { minLength: 1, maxLength: 3 },
);

const complete: Json = {
  inferenceArgs: { predictedField: 'v', predictionSteps: [1] },
  modelConfig: {
    modelParams: {
      inferenceType: 'TemporalAnomaly',
      sensorParams: {
        encoders: {
          v: { fieldname: 'v', type: 'RandomDistributedScalarEncoder', resolution: 1, w: 7, n: 400 },
          s: {
            fieldname: 'v',
            type: 'ScalarEncoder',
            minval: 0,
            maxval: 100,
            w: 3,
            n: 30,
            forced: true,
            clipInput: true,
          },
          t: { fieldname: 't', type: 'DateEncoder', timeOfDay: [5, 4], weekend: 3, holiday: 3, season: 3 },
        },
      },
      spParams: {
        columnCount: 60,
        numActiveColumnsPerInhArea: 4,
        globalInhibition: true,
        potentialPct: 0.8,
        synPermConnected: 0.2,
        synPermActiveInc: 0.003,
        synPermInactiveDec: 0.0005,
        boostStrength: 1,
        seed: 1,
      },
      tmParams: {
        temporalImp: 'cpp',
        cellsPerColumn: 4,
        activationThreshold: 3,
        minThreshold: 2,
        newSynapseCount: 4,
        initialPerm: 0.21,
        permanenceInc: 0.1,
        permanenceDec: 0.1,
        maxSegmentsPerCell: 4,
        maxSynapsesPerSegment: 8,
        pamLength: 3,
        seed: 1,
      },
      clEnable: true,
      clParams: { steps: '1,2', alpha: 0.1 },
    },
  },
};

/** What parses must be refused with a proper error, or else be parameters a model can be made of. */
function requireRefusedOrUsable(parse: () => ModelParameters): void {
  let parameters: ModelParameters;
  try {
    parameters = parse();
  } catch (error) {
    expect(error).toBeInstanceOf(ModelParameterError);
    expect((error as Error).message.length).toBeLessThan(1000);
    return;
  }
  const text = JSON.stringify(parameters);
  expect(JSON.stringify(parseModelParameters(JSON.parse(text)))).toBe(text);
  const model = AnomalyModel.create(parameters);
  // Later errors that parameters may lead to: a value outside a scalar encoder's range, or for which there is no room.
  if (parameters.encoders.some((encoder) => encoder.type === 'scalar' && !encoder.clipInput)) return;
  for (const record of records.slice(0, 5)) {
    const score = scoreOrNoRoom(model, record);
    if (score === null) return;
    expect(score).toBeGreaterThanOrEqual(0);
  }
}

describe('the parameter parsers', () => {
  it('refuse any JSON', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(() => parseModelParameters(json)).toThrow(ModelParameterError);
        expect(() => parseCompleteParameters(json)).toThrow(ModelParameterError);
      }),
      { numRuns: 500 * factor },
    );
  });

  it('refuse changed parameters or read something usable', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fc.constantFrom('cpp', 'tm_cpp'), changes, (variant, list) => {
        const json = mutated(small(variant) as unknown as Json, list);
        requireRefusedOrUsable(() => parseModelParameters(json));
      }),
      { numRuns: 400 * factor },
    );
  });

  it('refuse changed parameters of the original or read something usable', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(changes, (list) => {
        requireRefusedOrUsable(() => parseCompleteParameters(mutated(complete, list)).parameters);
      }),
      { numRuns: 400 * factor },
    );
  });
});
