/** A database of the original htmengine's on its way to become one of ours. */
export interface OriginalDatabase {
  /** Which of the original's four migrations ran last; null where an earlier upgrade was cut short. */
  readonly state: 1 | 2 | 3 | 4 | null;
  /**
   * Gives the tables our shape and adds those that are missing. Rows stay; the original's results move to
   * `original_result`; every metric is unmonitored afterwards.
   * @throws HtmEngineError `store_not_ours` (nothing was changed)
   */
  upgradeTables(onProgress: (progress: UpgradeProgress) => void): Promise<TablesOutcome>;
  /** What is left to be monitored, in the order of uids. */
  models(): Promise<OriginalModel[]>;
  /** Notes that a model needs nothing more. */
  done(metricId: string): Promise<void>;
  /** The upgrade is over: from now on engines start on the database. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** A metric that the original monitored and that waits to be monitored by us. */
export interface OriginalModel {
  readonly metricId: string;
  readonly name: string;
  /** The model spec (JSON) as the original stored it. */
  readonly parameters: string | null;
}

/** What becomes of names that begin with a slash, as the original's skeleton application made them. */
export interface Renaming {
  readonly renamed: readonly { readonly uid: string; readonly from: string; readonly to: string }[];
  /** There is a metric of the name without the slash. */
  readonly kept: readonly string[];
}

/** What was done to the tables. */
export interface TablesOutcome extends Renaming {
  readonly metrics: number;
  /** Metrics whose rows had gaps in their numbers, and were numbered anew. */
  readonly renumbered: readonly string[];
}

/** How far the rows are. */
export interface UpgradeProgress {
  readonly metrics: number;
  readonly metricsInAll: number;
}
