import { Histogram, type Registry } from 'prom-client';

/** Metrics whose samples are timed at the same time; those of more are not timed. */
const MAX_METRICS = 100_000;

interface Mark {
  readonly rowid: number;
  readonly storedMs: number;
}

/**
 * How long live samples take to become anomaly scores: from the commit that stored them (T0) to the one that scored
 * them (T2), in `htmengine_anomaly_lag_seconds`. Of each metric one batch at a time is timed, the first that was stored
 * when none was, so the time is true however much waits, and one number a metric is kept. What was stored before the
 * metric had a model, or by another process, is not timed. One per engine.
 */
export class ScoringLag {
  readonly #seconds: Histogram;
  readonly #nowMs: () => number;
  readonly #marks = new Map<string, Mark>();

  constructor(registry: Registry, nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#seconds = new Histogram({
      name: 'htmengine_anomaly_lag_seconds',
      help: 'Time from the transaction that stored a live sample (T0) to the one that stored its anomaly score (T2)',
      buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
      registers: [registry],
    });
  }

  /** Rows of a metric that has a model were stored; `rowid` is the last of them. */
  stored(metricId: string, rowid: number): void {
    if (this.#marks.has(metricId) || this.#marks.size >= MAX_METRICS) return;
    this.#marks.set(metricId, { rowid, storedMs: this.#nowMs() });
  }

  /** The metric has anomaly scores up to `rowid`. */
  scored(metricId: string, rowid: number): void {
    const mark = this.#marks.get(metricId);
    if (mark === undefined || rowid < mark.rowid) return;
    this.#marks.delete(metricId);
    this.#seconds.observe((this.#nowMs() - mark.storedMs) / 1000);
  }

  /** The metric has no model any more: what waits for it will not be scored. */
  forget(metricId: string): void {
    this.#marks.delete(metricId);
  }
}
