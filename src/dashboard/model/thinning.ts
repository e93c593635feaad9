/** Rows of a metric by column, in the order of their times. */
export interface Columns {
  readonly timestamps: readonly number[];
  readonly values: readonly number[];
  readonly scores: readonly (number | null)[];
  /** What a model that predicts expected of each row; absent without one. */
  readonly predictions?: readonly (number | null)[];
}

/** The rows from `from` to `to` (inclusive) and one neighbour on each side, so that a line reaches the edges. */
export function rowsBetween(timestamps: readonly number[], from: number, to: number): [number, number] {
  const first = firstAtOrAfter(timestamps, from);
  const end = firstAtOrAfter(timestamps, to + 1);
  return [Math.max(0, first - 1), Math.min(timestamps.length, end + 1)];
}

/**
 * At most about `points` rows of `[begin, end)` for drawing: of every group of neighbouring rows those with the lowest and the
 * highest value and the highest score, so that no peak is lost.
 */
export function thin(columns: Columns, begin: number, end: number, points: number): Columns {
  const count = end - begin;
  const groupRows = Math.ceil((3 * count) / Math.max(3, points));
  if (count <= points) return pick(columns, range(begin, end));
  const kept: number[] = [];
  for (let group = begin; group < end; group += groupRows) {
    kept.push(...extremes(columns, group, Math.min(end, group + groupRows)));
  }
  return pick(columns, kept);
}

/** Indexes of the rows with the lowest and highest value and the highest score of a group, ascending, each once. */
function extremes({ values, scores }: Columns, begin: number, end: number): number[] {
  let low = begin;
  let high = begin;
  let peak = begin;
  for (let i = begin + 1; i < end; i++) {
    const value = values[i] ?? 0;
    if (value < (values[low] ?? 0)) low = i;
    if (value > (values[high] ?? 0)) high = i;
    if ((scores[i] ?? -1) > (scores[peak] ?? -1)) peak = i;
  }
  return [...new Set([low, high, peak])].sort((a, b) => a - b);
}

function pick({ timestamps, values, scores, predictions }: Columns, indexes: readonly number[]): Columns {
  return {
    timestamps: indexes.map((i) => timestamps[i] ?? 0),
    values: indexes.map((i) => values[i] ?? 0),
    scores: indexes.map((i) => scores[i] ?? null),
    ...(predictions !== undefined && { predictions: indexes.map((i) => predictions[i] ?? null) }),
  };
}

function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i);
}

/** Index of the first time that is not before `time`, or the length. */
function firstAtOrAfter(timestamps: readonly number[], time: number): number {
  let low = 0;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timestamps[middle] ?? Infinity) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
