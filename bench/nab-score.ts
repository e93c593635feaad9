import type { Window } from './nab-corpus.ts';

/**
 * The scoring rules of the Numenta Anomaly Benchmark, version 1.1. A detection is a row whose score reaches the
 * threshold. In a labelled window only the detection worth most counts, the earlier the more; one outside costs, the
 * farther behind the last window the more; a window without any costs its weight. The first 15 % of a series (of at
 * most 5,000 rows) never count.
 */
export interface Profile {
  readonly name: string;
  readonly truePositive: number;
  readonly falseNegative: number;
  readonly falsePositive: number;
}

/** The three application profiles of the benchmark. */
export const PROFILES: readonly Profile[] = [
  { name: 'standard', truePositive: 1, falseNegative: 1, falsePositive: 0.11 },
  { name: 'reward low FP', truePositive: 1, falseNegative: 1, falsePositive: 0.22 },
  { name: 'reward low FN', truePositive: 1, falseNegative: 2, falsePositive: 0.11 },
];

/** What a detection at each row that counts is worth before weighting, in order of the rows. */
export interface LabelledSeries {
  /** Index of the row in its series. */
  readonly rows: Int32Array;
  /** Its window, 0 .. windowCount - 1, or -1 outside of all. */
  readonly window: Int32Array;
  /** In a window 0 .. 1, of the profile's `truePositive`; outside -1 .. 0, of its `falsePositive`. */
  readonly worth: Float64Array;
  /** Windows with at least one row that counts. */
  readonly windowCount: number;
}

/** A profile's result over a set of series. */
export interface ProfileScore {
  readonly profile: string;
  /** Lowest score that counts as a detection. */
  readonly threshold: number;
  /** Sum of what was gained and lost. */
  readonly total: number;
  /** 0 for a detector that never speaks, 100 for a perfect one; null without windows. */
  readonly normalized: number | null;
  readonly windows: number;
  readonly windowsFound: number;
  readonly falsePositiveRows: number;
}

/** Rows at the start of a series that do not count. */
export function probationaryRows(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 0.15 * 5000);
}

/**
 * Works out what each row of a series is worth.
 * @param seconds the rows' times. @param windows in order of time; both ends must be among the times.
 * @throws RangeError if an end of a window is not.
 */
export function labelSeries(seconds: Float64Array, windows: readonly Window[]): LabelledSeries {
  const length = seconds.length;
  const spans = windows.map(({ start, end }) => ({
    first: seconds.indexOf(start),
    last: seconds.indexOf(end),
  }));
  if (spans.some(({ first, last }) => first < 0 || last < first))
    throw new RangeError('the ends of a labelled window are not among the times of its series');
  const firstRow = probationaryRows(length);
  const rows: number[] = [];
  const window: number[] = [];
  const worth: number[] = [];
  let counted = -1;
  let lastCounted = -1;
  let next = 0;
  for (let row = 0; row < length; row++) {
    while (row > (spans[next]?.last ?? length)) next++;
    if (row < firstRow) continue;
    const span = spans[next];
    const inside = span !== undefined && row >= span.first;
    if (inside && next !== lastCounted) {
      lastCounted = next;
      counted++;
    }
    rows.push(row);
    window.push(inside ? counted : -1);
    worth.push(inside ? worthInside(row, span) : worthOutside(row, spans[next - 1]));
  }
  return {
    rows: Int32Array.from(rows),
    window: Int32Array.from(window),
    worth: Float64Array.from(worth),
    windowCount: counted + 1,
  };
}

/**
 * The result of a profile at the threshold that is best for it; of several, at the highest.
 * @param scores of each series, one for every row.
 */
export function bestScore(
  series: readonly LabelledSeries[],
  scores: readonly Float64Array[],
  profile: Profile,
): ProfileScore {
  const detections = sortedDetections(series, scores);
  const windows = series.reduce((sum, { windowCount }) => sum + windowCount, 0);
  const gained = new Float64Array(windows).fill(-profile.falseNegative);
  let total = -profile.falseNegative * windows;
  let best = { threshold: SILENCE, total };
  detections.forEach(({ score, window, worth }, i) => {
    if (window < 0) {
      total += worth * profile.falsePositive;
    } else {
      const before = gained[window] ?? 0;
      gained[window] = Math.max(before, worth * profile.truePositive);
      total += gained[window] - before;
    }
    const isLastOfItsScore = detections[i + 1]?.score !== score;
    // The margin keeps the rounding of the running total from preferring a lower threshold.
    if (isLastOfItsScore && total > best.total + 1e-10) best = { threshold: score, total };
  });
  return scoreAt(best.threshold, series, scores, profile);
}

/** The result of a profile at a given threshold. */
export function scoreAt(
  threshold: number,
  series: readonly LabelledSeries[],
  scores: readonly Float64Array[],
  profile: Profile,
): ProfileScore {
  let total = 0;
  let windows = 0;
  let windowsFound = 0;
  let falsePositiveRows = 0;
  series.forEach((labelled, s) => {
    const best = new Float64Array(labelled.windowCount).fill(-1);
    labelled.rows.forEach((row, i) => {
      if (!((scores[s]?.[row] ?? NaN) >= threshold)) return;
      const window = labelled.window[i] ?? -1;
      const worth = labelled.worth[i] ?? 0;
      if (window < 0) {
        total += worth * profile.falsePositive;
        falsePositiveRows++;
      } else {
        best[window] = Math.max(best[window] ?? -1, worth);
      }
    });
    windows += labelled.windowCount;
    for (const worth of best) {
      if (worth >= 0) windowsFound++;
      total += worth >= 0 ? worth * profile.truePositive : -profile.falseNegative;
    }
  });
  const silent = -profile.falseNegative * windows;
  const perfect = profile.truePositive * windows;
  const normalized = windows === 0 ? null : (100 * (total - silent)) / (perfect - silent);
  return { profile: profile.name, threshold, total, normalized, windows, windowsFound, falsePositiveRows };
}

/** A threshold above every score. */
const SILENCE = 1.1;

interface Span {
  readonly first: number;
  readonly last: number;
}

/** Falls from 1 (far before 0) through 0 to -1 (far after). */
function sigmoid(position: number): number {
  return 2 / (1 + Math.exp(5 * position)) - 1;
}

/** 1 at the first row of a window, near 0 at its last. */
function worthInside(row: number, { first, last }: Span): number {
  return sigmoid(-(last - row + 1) / (last - first + 1)) / sigmoid(-1);
}

/** 0 right behind the window before, -1 far behind it or when there is none. */
function worthOutside(row: number, before: Span | undefined): number {
  if (!before) return -1;
  const position = (row - before.last) / (before.last - before.first);
  return position > 3 ? -1 : sigmoid(position);
}

interface Detection {
  readonly score: number;
  /** Counted through all series; -1 outside. */
  readonly window: number;
  readonly worth: number;
}

/** Every row that counts, highest score first. */
function sortedDetections(
  series: readonly LabelledSeries[],
  scores: readonly Float64Array[],
): readonly Detection[] {
  let windowsBefore = 0;
  const detections: Detection[] = [];
  series.forEach((labelled, s) => {
    labelled.rows.forEach((row, i) => {
      const window = labelled.window[i] ?? -1;
      detections.push({
        score: scores[s]?.[row] ?? NaN,
        window: window < 0 ? -1 : windowsBefore + window,
        worth: labelled.worth[i] ?? 0,
      });
    });
    windowsBefore += labelled.windowCount;
  });
  return detections.sort((a, b) => b.score - a.score);
}
