import { algorithmRevision, DEFAULT_LIKELIHOOD } from '../../src/htm/index.ts';
import type { GenerationRequest, Json } from '../../src/generation.ts';

/** The metrics of every simulation, with ids that are the same in each run. */
export const METRICS = ['a', 'b'].map((name, index) => ({ name, metricId: String(index + 1).repeat(32) }));
export const ROWS = 36;
const START = 1_700_000_000;

/** Sample number `index` (0 to `ROWS` - 1) of metric `metric`: a cycle, some noise, and a step. */
export function sampleOf(metric: number, index: number): { timestamp: number; value: number } {
  const noise = (Math.imul(index + 1, 2_654_435_761 + metric) >>> 24) / 64;
  const value = 20 + 10 * ((index * (metric + 3)) % 7) + noise + (index > 24 ? 15 : 0);
  return { timestamp: START + index * 300, value };
}

/** A model of 128 columns, which takes microseconds a row. */
const SMALL_MODEL: Json = {
  encoders: [{ type: 'rdse', resolution: 1, w: 9, n: 60, seed: 42, offset: null }],
  pooler: {
    columnCount: 128,
    potentialPct: 0.8,
    wrapAround: true,
    numActiveColumns: 6,
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
    variant: 'tm_cpp',
    cellsPerColumn: 4,
    activationThreshold: 4,
    minThreshold: 3,
    maxNewSynapseCount: 6,
    initialPermanence: 0.24,
    connectedPermanence: 0.5,
    permanenceIncrement: 0.1,
    permanenceDecrement: 0.008,
    predictedSegmentDecrement: 0.001,
    maxSegmentsPerCell: 8,
    maxSynapsesPerSegment: 12,
    seed: 1960,
    ceiling: null,
  },
  classifier: null,
};

/** What the store is asked for in place of a model of usual size; the range stays what it was. */
export function small(request: GenerationRequest): GenerationRequest {
  return {
    ...request,
    modelParams: SMALL_MODEL,
    resolutionPath: ['encoders', '0', 'resolution'],
    algorithmRevision,
    likelihood: {
      ...DEFAULT_LIKELIHOOD,
      learningPeriod: 6,
      estimationSamples: 4,
      historicWindowSize: 24,
      reestimationPeriod: 7,
      averagingWindow: 3,
    },
  };
}
