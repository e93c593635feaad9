import type { Metric } from '../api/contract.ts';
import { type AnomalySpan, SPAN_HOLDS_AT, SPAN_OPENS_AT } from './anomaly-spans.ts';
import { presentAnomaly } from './arrange.ts';
import { formatCount, formatTime, type Zone } from './format.ts';
import { howSeldom } from './likelihood-words.ts';

export type Mood = 'good' | 'waiting' | 'off' | 'bad';

/** A metric's state in plain words, and its mood (for a mark beside the words). */
export function describeState({ state, learning, message }: Metric): { words: string; mood: Mood } {
  switch (state) {
    case 'UNMONITORED':
      return { words: 'not monitored', mood: 'off' };
    case 'CREATE_PENDING':
      return { words: 'model is being built', mood: 'waiting' };
    case 'PENDING_DATA':
      return {
        words: learning === null ? 'waiting for rows' : `waiting for rows ${learning.rows} of ${learning.of}`,
        mood: 'waiting',
      };
    case 'ERROR':
      return { words: `error: ${message ?? 'the model failed'}`, mood: 'bad' };
    case 'ACTIVE':
      return learning === null
        ? { words: 'monitored', mood: 'good' }
        : { words: `learning ${learning.rows} of ${learning.of}`, mood: 'waiting' };
  }
}

/** How a monitored metric stands now, in a sentence. @param lastSpan the newest anomalous span, if it is known */
export function standingWords(metric: Metric, lastSpan: AnomalySpan | null, zone: Zone): string {
  const { state, learning, lastLogLikelihood, lastScoredTimestamp } = metric;
  switch (state) {
    case 'PENDING_DATA':
      return 'Waiting for rows: the range of its values is not known yet.';
    case 'CREATE_PENDING':
      return 'The model is being built.';
    case 'ERROR':
      return 'Nothing is scored: the model has failed. Rows go on being stored.';
    case 'UNMONITORED':
      return 'Not monitored: rows are stored and nothing is scored.';
    case 'ACTIVE':
      break;
  }
  if (learning !== null) {
    return `Learning what is usual: ${formatCount(learning.rows)} of ${formatCount(learning.of)} rows. Scores count from then on.`;
  }
  if (lastLogLikelihood === null || lastScoredTimestamp === null) return 'No row is scored yet.';
  const seldom = howSeldom(lastLogLikelihood);
  if (lastSpan?.open === true) {
    return `Anomalous since ${formatTime(lastSpan.from, zone)}, at its height ${howSeldom(lastSpan.peak)}.`;
  }
  if (presentAnomaly(metric) >= SPAN_OPENS_AT) return `Anomalous just now; the last row is ${seldom}.`;
  return `${lastLogLikelihood < SPAN_HOLDS_AT ? 'As usual' : 'Unusual'}: the last row is ${seldom}.`;
}

/** Whether a model belongs to the metric, healthy or not. */
export const isMonitored = ({ state }: Metric) => state !== 'UNMONITORED';
