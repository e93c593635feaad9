import type { Metric } from '../api/contract.ts';

/** A monitored metric without data, but for what is given. */
export function aMetric(name: string, given: Partial<Metric> = {}): Metric {
  return {
    name,
    uid: name,
    state: 'ACTIVE',
    message: null,
    rows: 0,
    scoredRows: 0,
    learning: null,
    lastTimestamp: null,
    lastValue: null,
    lastLogLikelihood: null,
    lastScoredTimestamp: null,
    demo: false,
    ...given,
  };
}
