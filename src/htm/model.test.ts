import { describe, expect, it } from 'vitest';
import { AnomalyModel, algorithmRevision } from './model.ts';
import type { ModelParameters } from './parameters.ts';
import { Random } from './random.ts';
import { scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';
import { modelChecks } from './testing/check-model.ts';
import type { ModelRecord } from './testing/check-model.ts';
import { sineSeries } from './testing/sine-series.ts';

const variants = ['cpp', 'tm_cpp'] as const;

function production(variant: 'cpp' | 'tm_cpp', enableClassifier = false): ModelParameters {
  return scalarAnomalyParameters({ resolution: 140 / 130, variant, enableClassifier });
}

/** Small enough to meet what production sizes hardly do: full cells, full segments, weak columns, raised pools, boosts. */
function small(variant: 'cpp' | 'tm_cpp', stimulusThreshold: number, boostStrength: number): ModelParameters {
  const { pooler, memory } = production(variant);
  const limits = {
    cellsPerColumn: 4,
    activationThreshold: 4,
    minThreshold: 3,
    maxSegmentsPerCell: 2,
    maxSynapsesPerSegment: 8,
  };
  return {
    encoders: [
      {
        type: 'date',
        season: { w: 3, radius: 91.5 },
        dayOfWeek: { w: 3, radius: 1 },
        weekend: { w: 3, radius: 1 },
        customDays: { w: 3, days: [0, 6] },
        holiday: { w: 3, dates: [[12, 25]] },
        timeOfDay: { w: 3, radius: 4 },
      },
      { type: 'rdse', resolution: 4, w: 7, n: 60, seed: 7, offset: null },
      {
        type: 'scalar',
        w: 3,
        min: 10,
        max: 90,
        periodic: false,
        sizedBy: 'n',
        size: 20,
        clipInput: true,
      },
    ],
    pooler: {
      ...pooler,
      columnCount: 70,
      numActiveColumns: 6,
      stimulusThreshold,
      boostStrength,
      synPermActiveInc: 0.05,
      synPermInactiveDec: 0.02,
      minPctOverlapDutyCycle: 0.5,
      dutyCyclePeriod: 20,
    },
    memory:
      memory.variant === 'cpp'
        ? { ...memory, ...limits, newSynapseCount: 6 }
        : { ...memory, ...limits, maxNewSynapseCount: 6, initialPermanence: 0.45 },
    classifier: { steps: [1, 3], alpha: 0.1, actValueAlpha: 0.3 },
  };
}

function smallWithCeiling(variant: 'cpp' | 'tm_cpp'): ModelParameters {
  const parameters = small(variant, 0, 0);
  return { ...parameters, memory: { ...parameters.memory, ceiling: { maxSegments: 30, maxSynapses: 800 } } };
}

/** Name, parameters, and how many records to check with. */
const kinds: [string, ModelParameters, number][] = [
  ['cpp', production('cpp'), 100],
  ['tm_cpp', production('tm_cpp'), 100],
  ['small cpp with all encoders and classifier, boosted', small('cpp', 0, 3), 300],
  ['small tm_cpp with all encoders and classifier, with a stimulus threshold', small('tm_cpp', 2, 0), 300],
  ['small cpp with a ceiling', smallWithCeiling('cpp'), 300],
  ['small tm_cpp with a ceiling', smallWithCeiling('tm_cpp'), 300],
];

/** A noisy daily sine, every half hour, with a value missing now and then. */
function records(count: number): ModelRecord[] {
  const random = Random.seeded(3);
  return Array.from({ length: count }, (_, i) => {
    const value = sineSeries[Math.floor(i / 2)] + random.below(300) / 100;
    return { timestampSeconds: 1_577_836_800 + i * 1800, value: i % 37 === 36 ? null : value };
  });
}

describe.each(kinds)('a model, %s', (_, parameters, count) => {
  it.each(modelChecks)('$name', { timeout: 120_000 }, ({ run }) => {
    run(() => AnomalyModel.create(parameters), records(count));
  });

  it('gives its parameters back when loaded', () => {
    const model = AnomalyModel.create(parameters);
    expect(AnomalyModel.from(model.bytes()).parameters).toEqual(model.parameters);
    expect(model.parameters).toEqual(parameters);
  });
});

function sineScores(model: AnomalyModel): number[] {
  return sineSeries.map((value, t) => model.run(t * 3600, value));
}

describe('reference 12.10, end to end', () => {
  const expected = {
    cpp: {
      first: [
        ...[1, 1, 1, 1, 1, 1, 1, 0.975, 0.875, 0.975, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0.9, 0.7, 1, 1, 1, 1],
        ...[0.075, 0.1, 0.1, 0.1, 0.05, 0, 0.025],
      ],
      blocks: [26.125, 1.9, 1.35, 1.725, 2.125, 1.425, 1.25, 3.875],
      spike: [0, 0.05, 0, 0.025, 0.025, 0.725, 0.975, 0, 0, 0.025, 0.025, 0, 0.225, 0.35, 0],
      segments: 6722,
      synapses: 148_989,
    },
    tm_cpp: {
      first: [...Array<number>(54).fill(1), 0.8, 0.8, 0.675, 0.975, 1, 1],
      blocks: [50, 45.3, 33.8, 23.15, 13.175, 8.775, 7.35, 7.575],
      spike: [0, 0.025, 0.075, 0.125, 0.275, 0.825, 0.975, 0.025, 0.025, 0, 0, 0, 0.025, 0.025, 0],
      segments: 815,
      synapses: 40_149,
    },
  };

  it('begins with the values the reference gives', () => {
    expect(sineSeries.slice(0, 6)).toEqual([50, 60.35, 70, 78.28, 84.64, 88.64]);
    expect(sineSeries).toHaveLength(400);
    expect(sineSeries[350]).toBe(95);
  });

  it.each(variants)('raw scores, segments and synapses of %s', (variant) => {
    const model = AnomalyModel.create(production(variant));
    const scores = sineScores(model);
    const { first, blocks, spike, segments, synapses } = expected[variant];
    expect(scores.slice(0, first.length)).toEqual(first.map(Math.fround));
    expect(scores.slice(345, 360)).toEqual(spike.map(Math.fround));
    blocks.forEach((sum, block) => {
      const found = scores.slice(block * 50, block * 50 + 50).reduce((a, b) => a + b, 0);
      expect(found).toBeCloseTo(sum, 5);
    });
    expect(model.segmentCount).toBe(segments);
    expect(model.synapseCount).toBe(synapses);
    expect(model.recordCount).toBe(400);
  });
});

describe('AnomalyModel', () => {
  it.each(variants)('meets the ceiling of the test above, and goes beyond without: %s', (variant) => {
    const counts = [smallWithCeiling(variant), small(variant, 0, 0)].map((parameters) => {
      const model = AnomalyModel.create(parameters);
      const segments = records(300).map(({ timestampSeconds, value }) => {
        model.run(timestampSeconds, value);
        return model.segmentCount;
      });
      return {
        most: Math.max(...segments),
        falls: segments.filter((count, i) => count < segments[i - 1]).length,
      };
    });
    expect(counts[0].most).toBeLessThanOrEqual(30);
    expect(counts[0].falls).toBeGreaterThan(5);
    expect(counts[1].most).toBeGreaterThan(50);
  });

  it.each(variants)('scores as without it if the classifier is on: %s', (variant) => {
    const without = sineScores(AnomalyModel.create(production(variant)));
    expect(sineScores(AnomalyModel.create(production(variant, true)))).toEqual(without);
  });

  it('predicts a value that always follows', () => {
    const model = AnomalyModel.create(production('cpp', true));
    for (let t = 0; t < 300; t++) model.run(t * 3600, sineSeries[t]);
    expect(model.bestPrediction(1)).toBeCloseTo(sineSeries[300 % 24], 0);
    expect(model.predictions(1)[0]?.value).toBe(model.bestPrediction(1));
  });

  it('refuses to predict what it was not made for', () => {
    const model = AnomalyModel.create(production('cpp', true));
    expect(() => model.bestPrediction(2)).toThrow(/2 records ahead; steps: 1/);
    expect(() => AnomalyModel.create(production('cpp')).predictions(1)).toThrow(/the classifier is off/);
  });

  it('takes NaN and null for a missing value, which is no first value either', () => {
    const [a, b] = [AnomalyModel.create(production('cpp')), AnomalyModel.create(production('cpp'))];
    for (let t = 0; t < 100; t++) {
      const missing = t < 3 || t % 10 === 9;
      expect(a.run(t * 3600, missing ? null : sineSeries[t])).toBe(
        b.run(t * 3600, missing ? NaN : sineSeries[t]),
      );
    }
  });

  it('is refused by a build of another algorithm revision', () => {
    const bytes = AnomalyModel.create(production('cpp')).bytes();
    const view = new DataView(bytes.buffer);
    const switches = view.getUint32(16 + 12 + 8, true); // The place of the second section.
    expect(view.getUint32(switches, true)).toBe(algorithmRevision);
    view.setUint32(switches, algorithmRevision + 1, true);
    expect(() => AnomalyModel.from(bytes)).toThrow(/algorithm revision 2 is not 1/);
  });

  it('is refused if it was saved with parameters in other words', () => {
    const model = AnomalyModel.create(production('cpp'));
    const bytes = model.bytes();
    const start = new DataView(bytes.buffer).getUint32(16 + 8, true);
    const edit = (at: number, byte: string) => {
      const edited = bytes.slice();
      edited[start + at] = byte.charCodeAt(0);
      return edited;
    };
    const text = JSON.stringify(model.parameters);
    expect(() => AnomalyModel.from(edit(0, '['))).toThrow(/not the JSON text that a model writes/);
    expect(() => AnomalyModel.from(edit(text.indexOf('2048'), '0'))).toThrow(/not the JSON text/);
    expect(() => AnomalyModel.from(edit(text.indexOf('"date"') + 1, 'x'))).toThrow(
      /saved parameters: encoders\.0\.type is "xate"/,
    );
  });

  it.each(['cpp', 'tm_cpp'] as const)(
    'is saved and loaded alike after models of other sizes: %s',
    (variant) => {
      const learned = [20, 300, 1].map((records) => {
        const model = AnomalyModel.create(production(variant));
        for (let record = 0; record < records; record++) model.run(300 * record, (7 * record) % 50);
        return { model, bytes: model.bytes() };
      });
      // What saving and loading the others left in the thread's scratch memory must not be found in it.
      for (const { model, bytes } of [...learned, ...learned.toReversed()]) {
        expect(model.bytes()).toEqual(bytes);
        expect(AnomalyModel.from(bytes).bytes()).toEqual(bytes);
      }
    },
  );

  it('knows what it takes in memory', () => {
    const model = AnomalyModel.create(production('cpp'));
    const atFirst = model.byteLength;
    expect(atFirst).toBeGreaterThan(model.bytes().length);
    sineScores(model);
    expect(model.byteLength).toBeGreaterThan(atFirst);
    expect(model.byteLength).toBeGreaterThan(model.bytes().length);
  });

  it.each(['cpp', 'tm_cpp'] as const)('gives its memory back at once (%s)', (variant) => {
    const model = AnomalyModel.create(scalarAnomalyParameters({ min: 0, max: 100, variant }));
    for (let i = 0; i < 100; i++) model.run(i * 300, (i * 37) % 100);
    const { byteLength } = model;
    const before = process.memoryUsage().arrayBuffers;
    model.release();
    expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThan(0.9 * byteLength);
    expect(() => model.run(30_000, 1)).toThrow();
  });
});
