import { describe, expect, it } from 'vitest';
import { AnomalyModel } from './model.ts';
import { logLikelihood } from './likelihood.ts';
import { scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';
import { LikelihoodWithHistory } from './streaming-likelihood.ts';

/** One day of the series of the model reference, section 12.10: 50 + 40 sin(2 pi t / 24), rounded. */
const DAY = [
  50, 60.35, 70, 78.28, 84.64, 88.64, 90, 88.64, 84.64, 78.28, 70, 60.35, 50, 39.65, 30, 21.72, 15.36, 11.36,
  10, 11.36, 15.36, 21.72, 30, 39.65,
];

/** Anomaly score and log likelihood at each of the 400 hours; the value of hour 350 is out of place. */
function scores(variant: 'cpp' | 'tm_cpp') {
  const model = AnomalyModel.create(scalarAnomalyParameters({ resolution: 140 / 130, variant }));
  const likelihood = new LikelihoodWithHistory({
    learningPeriod: 100,
    estimationSamples: 100,
    reestimationPeriod: 50,
    tail: 'two-sided',
  });
  return Array.from({ length: 400 }, (_, t) => {
    const value = t === 350 ? 95 : DAY[t % 24];
    return likelihood.next(value, model.run(3600 * t, value));
  });
}

describe('likelihood on top of the model', () => {
  it.each([
    [
      'cpp',
      [
        [199, 0.5, 0.030103],
        [200, 0.5930013826465, 0.039040707],
        [201, 0.6998434884034, 0.052265223],
        [250, 0.6871775038301, 0.050470202],
        [349, 0.910842413758, 0.10498417],
        [350, 0.9982738810411, 0.276292926],
        [351, 1, 1],
        [352, 0.999, 0.299999997],
        [353, 0.999, 0.299999997],
        [399, 0.9201173604285, 0.10975476],
      ],
    ],
    [
      'tm_cpp',
      [
        [199, 0.5, 0.030103],
        [200, 0.9453701742618, 0.126257019],
        [201, 0.9644942995834, 0.144970192],
        [250, 0.9115074097982, 0.10530931],
        [349, 0.9504881295596, 0.130529067],
        [350, 0.850630900046, 0.082573924],
        [351, 0.72403484705, 0.055914576],
        [352, 0.7202143814704, 0.055317461],
        [353, 0.716368437861, 0.054724544],
        [399, 0.8801710785666, 0.092143835],
      ],
    ],
  ] as const)('is that of the reference, variant %s', (variant, expected) => {
    const found = scores(variant);
    for (const [hour, score, log] of expected) {
      expect(Math.abs(found[hour] - score), `score at ${hour}`).toBeLessThan(1e-9);
      expect(Math.abs(logLikelihood(found[hour]) - log), `log likelihood at ${hour}`).toBeLessThan(1e-6);
    }
  });
});
