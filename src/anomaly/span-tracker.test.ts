import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnomalySpan } from '../store/incidents.ts';
import { SpanTracker } from './span-tracker.ts';

const RULES = { opensAt: 0.5, holdsAt: 0.29, endingRows: 12 };
/** Anomaly scores of known log-likelihood x: 1 - 10^(-10 x). */
const USUAL = 0.5;
const HOLDS = 0.999; // 0.3, less a little
const OPENS = 0.999991; // 0.5046
const HIGHER = 0.9999999; // 0.7

/** Rows from `first` on with these scores, one a minute; the value of each is its rowid. */
function follow(tracker: SpanTracker, first: number, scores: readonly number[]): AnomalySpan[] {
  const rowids = Int32Array.from(scores, (_, i) => first + i);
  const block = {
    rowids,
    timestamps: Float64Array.from(rowids, (rowid) => 60 * rowid),
    values: Float64Array.from(rowids),
    rawScores: new Float64Array(rowids.length),
  };
  return tracker.follow(block, rowids, Float64Array.from(scores));
}

const usual = (rows: number) => Array<number>(rows).fill(USUAL);

describe('SpanTracker', () => {
  it('opens a span where a score reaches 0.5, holds it from 0.29 on, and ends it after 12 usual rows', () => {
    const tracker = new SpanTracker(RULES, 0, null);
    const scores = [USUAL, HOLDS, OPENS, HOLDS, USUAL, HIGHER, ...usual(12), HOLDS];
    expect(follow(tracker, 1, scores)).toEqual([
      {
        openedRowid: 3,
        openedAt: 180,
        lastRowid: 6,
        lastAt: 360,
        peakScore: HIGHER,
        peakAt: 360,
        lowestValue: 3,
        highestValue: 6,
        ended: true,
      },
    ]);
  });

  it('stays open through 11 usual rows', () => {
    const spans = follow(new SpanTracker(RULES, 0, null), 1, [OPENS, ...usual(11), HOLDS]);
    expect(spans).toMatchObject([{ openedRowid: 1, lastRowid: 13, ended: false }]);
  });

  it('opens none in the backlog', () => {
    const spans = follow(new SpanTracker(RULES, 2, null), 1, [OPENS, OPENS, OPENS]);
    expect(spans).toMatchObject([{ openedRowid: 3, lastRowid: 3 }]);
  });

  it('tells only what these rows have changed', () => {
    const tracker = new SpanTracker(RULES, 0, null);
    expect(follow(tracker, 1, [OPENS])).toHaveLength(1);
    expect(follow(tracker, 2, [USUAL])).toEqual([]);
    expect(follow(tracker, 3, [HOLDS])).toMatchObject([{ openedRowid: 1, lastRowid: 3 }]);
  });

  it('counts as usual what the model left out', () => {
    const open = follow(new SpanTracker(RULES, 0, null), 1, [OPENS])[0] ?? null;
    const tracker = new SpanTracker(RULES, 0, open);
    const block = {
      rowids: Int32Array.of(2, 3, 4),
      timestamps: Float64Array.of(120, 180, 240),
      values: Float64Array.of(7, 8, 9),
      rawScores: Float64Array.of(NaN, NaN, 0),
    };
    expect(tracker.follow(block, Int32Array.of(4), Float64Array.of(HOLDS))).toMatchObject([
      { lastRowid: 4, lastAt: 240, lowestValue: 1, highestValue: 9 },
    ]);
  });

  it('gives the same spans however the rows are cut, resumed from the open span', () => {
    const score = fc.constantFrom(USUAL, USUAL, USUAL, HOLDS, OPENS, HIGHER);
    fc.assert(
      fc.property(
        fc.array(score, { maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        (scores, cuts) => {
          const whole = follow(new SpanTracker(RULES, 5, null), 1, scores);
          const kept = new Map<number, AnomalySpan>();
          let open: AnomalySpan | null = null;
          for (let start = 0, cut = 0; start < scores.length; cut += 1) {
            const end = start + (cuts[cut % cuts.length] ?? 1);
            for (const span of follow(new SpanTracker(RULES, 5, open), start + 1, scores.slice(start, end))) {
              kept.set(span.openedRowid, span);
            }
            open = [...kept.values()].find(({ ended }) => !ended) ?? null;
            start = end;
          }
          expect([...kept.values()]).toEqual(whole);
        },
      ),
    );
  });
});
