import type { Metric } from '../api/contract.ts';

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

/** Whether a model belongs to the metric, healthy or not. */
export const isMonitored = ({ state }: Metric) => state !== 'UNMONITORED';
