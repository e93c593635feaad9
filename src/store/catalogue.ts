import type { Metric, MetricStatus } from '../metric.ts';
import type { GenerationRequest } from '../generation.ts';

/** The catalogue: metrics, their generations, and who works on them. Every change of state is one transaction, guarded by the state it expects. */
export interface Catalogue {
  /** Creates a metric of the custom datasource, UNMONITORED; one that exists is left as it is (`created` false). */
  createMetric(name: string): Promise<{ metricId: string; created: boolean }>;
  getMetric(metricId: string): Promise<Metric | null>;
  findMetric(name: string): Promise<Metric | null>;

  /**
   * Opens a generation for an UNMONITORED metric: at once with a given range, or with that of all rows if at least
   * `minimumRows` are stored; else the metric waits in PENDING_DATA with everything the request says kept.
   * The metric's old results must be cleared.
   * @throws metric_not_found, metric_already_monitored
   */
  monitor(metricId: string, request: GenerationRequest): Promise<MetricStatus>;
  /**
   * Opens the pending generation of a metric in PENDING_DATA. `firstRows`: from exactly the `minimumRows` lowest
   * rowids, and nothing happens while there are fewer; `allRows`: from all rows present when it commits.
   * @returns the metric's status afterwards.
   * @throws metric_not_found, statistics_not_ready (`allRows` without any row)
   */
  activate(metricId: string, rows: 'firstRows' | 'allRows'): Promise<MetricStatus>;
  /** Metrics in PENDING_DATA that have enough rows to open, in uid order after `afterMetricId`. */
  metricsToActivate(afterMetricId: string, limit: number): Promise<string[]>;
  /**
   * Closes the generation from whatever state: UNMONITORED, no parameters, no message, watermarks and cursors gone,
   * results hidden at once. The result columns themselves are cleared by `clearResults`.
   * @returns false if the metric was UNMONITORED already. @throws metric_not_found
   */
  unmonitor(metricId: string): Promise<boolean>;
  /** Clears the result columns of up to `limit` rows left by closed generations. @returns whether any are left. */
  clearResults(metricId: string, limit: number): Promise<boolean>;
  /** Metrics that still have results of a closed generation in their rows. */
  metricsToClear(limit: number): Promise<string[]>;

  /** Takes an UNMONITORED metric out of sight: its name is free at once. Its rows are removed by `removeDiscarded`. @throws metric_not_found, metric_status_changed */
  discardMetric(metricId: string): Promise<void>;
  /** Removes up to `limit` rows of discarded metrics, and the metrics when none are left. @returns whether any are left. */
  removeDiscarded(limit: number): Promise<boolean>;

  /** Takes the leases of every stage and partition for `owner` and raises their epochs, so that whoever held them is refused from now on. @returns the new epoch. @throws store_incomplete */
  takeLeases(owner: string): Promise<number>;
}
