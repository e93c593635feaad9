import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Result } from '../metric.ts';
import { ResultRing } from './result-ring.ts';

const result = (rowid: number): Result => ({
  metricId: 'ab',
  name: 'load',
  generation: 1,
  rowid,
  timestamp: 1_700_000_000 + rowid,
  value: rowid,
  rawAnomalyScore: 0,
  anomalyScore: 0.5,
  logLikelihood: 0,
  displayValue: 0,
  multiStepBestPredictions: null,
  backlog: false,
});

describe('ResultRing', () => {
  it('gives what came after a number, or says that some of it is gone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 1, max: 30 }),
        (capacity, pushed, sequence, limit) => {
          const ring = new ResultRing(capacity);
          for (let rowid = 1; rowid <= pushed; rowid += 1) ring.push(result(rowid));
          expect(ring.last).toBe(pushed);
          const found = ring.after(sequence, limit);
          if (sequence > pushed || sequence < pushed - capacity) {
            expect(found).toBeNull();
            return;
          }
          const expected = Array.from(
            { length: Math.min(limit, pushed - sequence) },
            (_, i) => sequence + i + 1,
          );
          expect(found?.map((entry) => entry.sequence)).toEqual(expected);
          expect(found?.map((entry) => entry.result.rowid)).toEqual(expected);
        },
      ),
    );
  });

  it('makes the text that streams send once: a line of JSON with the uid', () => {
    const ring = new ResultRing(2);
    ring.push({ ...result(1), name: 'line\nfeed' });
    const [entry] = ring.after(0, 1) ?? [];
    expect(entry?.data).not.toContain('\n');
    const { metricId, ...others } = result(1);
    expect(JSON.parse(entry?.data ?? '')).toEqual({ ...others, name: 'line\nfeed', uid: metricId });
  });
});
