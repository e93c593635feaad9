import type { MetricJson } from '../../client/types.ts';
import type { Tone } from '../terminal/table.ts';
import { printable } from '../terminal/text.ts';

/** Log-likelihoods from which on a row is likely, or certain, to be an anomaly: the engine's yellow and red. */
const LIKELY = 0.4;
const CERTAIN = 0.5;

/** A metric's state in plain words. */
export function stateText({
  state,
  learning,
  message,
}: Pick<MetricJson, 'state' | 'learning' | 'message'>): string {
  switch (state) {
    case 'UNMONITORED':
      return 'not monitored';
    case 'PENDING_DATA':
      return learning === null ? 'waiting for data' : `waiting for data, ${learning.rows} of ${learning.of}`;
    case 'CREATE_PENDING':
      return 'the model is being built';
    case 'ERROR':
      return message === null ? 'failed' : `failed: ${printable(message)}`;
    case 'ACTIVE':
      return learning === null ? 'active' : `learning ${learning.rows} of ${learning.of}`;
  }
}

/** How a metric, or a row, with this log-likelihood stands out. */
export function toneOf(logLikelihood: number | null): Tone | undefined {
  if (logLikelihood === null || logLikelihood < LIKELY) return undefined;
  return logLikelihood < CERTAIN ? 'yellow' : 'red';
}

export function scoreText(logLikelihood: number | null): string {
  return logLikelihood === null ? '-' : logLikelihood.toFixed(3);
}
