import type { Metric, MetricStatus, TimeRange } from '../metric.ts';
import type { GenerationRequest } from '../generation.ts';
import type { ModelChange, ModelCommand } from '../model-command.ts';

/** A copy that is being made. */
export interface MetricCopy {
  readonly copyId: string;
  readonly sourceId: string;
  /** The source's generation. */
  readonly generation: number;
  /** The source's rows that belong to it; `lastRowid` is less than `firstRowid` without any. */
  readonly firstRowid: number;
  readonly lastRowid: number;
}

/** How a new generation takes the place of the present one. */
export interface Relearning {
  /** Times whose rows it scores but does not learn, and does not take its range from. */
  readonly leaveOut: readonly TimeRange[];
  /** Whether those that the present generation leaves out stay left out. */
  readonly keepLeftOut: boolean;
  /** The generation that is to be replaced: if another is there already, nothing happens. Null for whichever it is. */
  readonly generation: number | null;
}

/** The catalogue: metrics, their generations, and who works on them. Every change of state is one transaction, guarded by the state it expects. */
export interface Catalogue {
  /** How many partitions the metrics are in. */
  partitions(): Promise<number>;
  /**
   * Divides all metrics among so many partitions, by their names, and raises the epochs of all leases. No process may work
   * on the store, and this one is to be opened anew.
   * @returns how many metrics there are. @throws HtmEngineError `store_locked` (somebody works on it)
   */
  repartition(partitions: number): Promise<number>;

  /** Creates a metric of the custom datasource, UNMONITORED; one that exists is left as it is (`created` false). */
  createMetric(name: string): Promise<{ metricId: string; created: boolean }>;
  getMetric(metricId: string): Promise<Metric | null>;
  findMetric(name: string): Promise<Metric | null>;
  /**
   * Gives a metric another name; its rows, model and partition stay. Its spec names it by the new one.
   * @throws invalid_metric_name, metric_not_found, metric_already_exists (`details.metricId`)
   */
  renameMetric(metricId: string, name: string): Promise<void>;

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
  /**
   * A metric in ERROR goes back to CREATE_PENDING with its generation as it stood: its model is loaded, or built, again.
   * @returns false, and nothing is changed, if it is in another state. @throws metric_not_found
   */
  retry(metricId: string): Promise<boolean>;
  /**
   * As `retry`, and the row at which the model failed, the first that is not processed, is left out by a command.
   * @returns its rowid; null, and nothing is changed, if the metric is in another state.
   * @throws metric_not_found, metric_status_changed (there is no such row), overloaded
   */
  skipRow(metricId: string): Promise<number | null>;
  /**
   * Changes the model of the present generation from the row after `afterRowid` on, or after what is processed by now if
   * that is later.
   * @returns null if that is so already. @throws metric_not_found, metric_not_monitored, interval_learned, overloaded
   */
  changeModel(metricId: string, change: ModelChange, afterRowid: number): Promise<ModelCommand | null>;
  /**
   * Closes the generation and asks for another in the same transaction, so that no crash leaves the metric without:
   * PENDING_DATA until the old results are cleared, then opened by `activate`. The range is the one given, or that of
   * all rows if at least `minimumRows` are stored now; with fewer it waits for them.
   * @returns false, and nothing is changed, if the generation that was to be replaced is not the present one.
   * @throws metric_not_found, metric_not_monitored, overloaded (too many times are left out)
   */
  relearn(metricId: string, request: GenerationRequest, relearning: Relearning): Promise<boolean>;

  /**
   * Begins a copy of a monitored metric, which nobody sees before `finishCopy`.
   * @returns its id, and which of the source's rows there are now. @throws metric_not_found, metric_not_monitored
   */
  beginCopy(metricId: string): Promise<MetricCopy>;
  /** Copies up to `limit` more of those rows, without results; rowids begin at 1. @returns whether any are left. @throws metric_not_found, metric_status_changed (rows are gone) */
  copyRows(copy: MetricCopy, limit: number): Promise<boolean>;
  /**
   * Makes the copy a metric of that name with the source's present generation, everything frozen included; all its
   * rows are backlog. An unmonitored metric without rows gives way.
   * @returns its status. @throws metric_already_exists, metric_already_monitored, metric_not_found, metric_not_monitored, metric_status_changed (the source has another generation now)
   */
  finishCopy(copy: MetricCopy, name: string): Promise<MetricStatus>;
  /** Gives up a copy, or all that a killed process left behind: `removeDiscarded` takes them away. */
  abandonCopies(copyId?: string): Promise<void>;

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
