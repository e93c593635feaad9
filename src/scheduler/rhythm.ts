/** Metrics whose last time is remembered; those that were seen longest ago are forgotten first. */
const MAX_METRICS = 100_000;

/** How far the rows of each metric are apart, by the times of the last two. Keeps two numbers a metric. */
export class Rhythm {
  readonly #metrics = new Map<
    string,
    { readonly lastSeconds: number; readonly apartSeconds: number | null }
  >();

  /** Rows that were processed, one or more. @returns the seconds between the last two rows; null if only one is known */
  rows(metricId: string, timestamps: Float64Array): number | null {
    const lastSeconds = timestamps.at(-1);
    if (lastSeconds === undefined) return null;
    const before = timestamps.at(-2) ?? this.#metrics.get(metricId)?.lastSeconds;
    const apartSeconds = before === undefined ? null : lastSeconds - before;
    // To the end of the order in which metrics are forgotten.
    this.#metrics.delete(metricId);
    this.#metrics.set(metricId, { lastSeconds, apartSeconds });
    if (this.#metrics.size > MAX_METRICS) {
      const [oldest] = this.#metrics.keys();
      if (oldest !== undefined) this.#metrics.delete(oldest);
    }
    return apartSeconds;
  }

  /** The seconds between the last two rows that were processed; null if nobody knows. */
  of(metricId: string): number | null {
    return this.#metrics.get(metricId)?.apartSeconds ?? null;
  }
}
