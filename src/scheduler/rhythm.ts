/** Metrics whose last time is remembered; those that were seen longest ago are forgotten first. */
const MAX_METRICS = 100_000;

/** How far the rows of each metric are apart, by the times of the last two. Keeps one number a metric. */
export class Rhythm {
  readonly #lastSeconds = new Map<string, number>();

  /** Rows that were processed, one or more. @returns the seconds between the last two rows; null if only one is known */
  rows(metricId: string, timestamps: Float64Array): number | null {
    const last = timestamps.at(-1);
    if (last === undefined) return null;
    const before = timestamps.at(-2) ?? this.#lastSeconds.get(metricId);
    // To the end of the order in which metrics are forgotten.
    this.#lastSeconds.delete(metricId);
    this.#lastSeconds.set(metricId, last);
    if (this.#lastSeconds.size > MAX_METRICS) {
      const [oldest] = this.#lastSeconds.keys();
      if (oldest !== undefined) this.#lastSeconds.delete(oldest);
    }
    return before === undefined ? null : last - before;
  }
}
