import type { RankedPeriod } from '../api/contract.ts';
import { SPAN_HOLDS_AT, SPAN_OPENS_AT } from './anomaly-spans.ts';

/** Levels of heat, 0 (as usual) to 4; `styles/theme.css` has a colour for each. */
const LEVELS = [
  { from: 0, words: 'as usual' },
  { from: 0.15, words: 'slightly unusual' },
  { from: SPAN_HOLDS_AT, words: 'unusual' },
  { from: SPAN_OPENS_AT, words: 'anomalous' },
  { from: 0.75, words: 'very anomalous' },
] as const;

/** The level of a log-likelihood (0..1). */
export function heatLevel(score: number): number {
  return Math.max(
    0,
    LEVELS.findLastIndex(({ from }) => score >= from),
  );
}

export const heatWords = (score: number) => LEVELS[heatLevel(score)]?.words ?? '';

/** A strip of scores, oldest first, in one sentence. */
export function describeStrip(scores: readonly number[]): string {
  if (scores.length === 0) return 'no scores yet';
  return `${scores.length === 1 ? 'the last score' : `the last ${scores.length} scores`}: ${summary(scores)}`;
}

/** The bars of a period, each the highest score of its part, in one sentence. */
export function describeBars(bars: readonly (number | null)[], period: RankedPeriod): string {
  const scores = bars.filter((bar) => bar !== null);
  if (scores.length === 0) return `no scores in the last ${period}`;
  return `the last ${period} in ${bars.length} bars: ${summary(scores)}`;
}

function summary(scores: readonly number[]): string {
  const highest = Math.max(...scores);
  const anomalous = scores.filter((score) => score >= SPAN_OPENS_AT).length;
  return `highest ${highest.toFixed(2)} (${heatWords(highest)}), ${anomalous === 0 ? 'none' : anomalous} anomalous`;
}
