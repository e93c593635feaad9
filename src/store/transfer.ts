/**
 * Moving a whole installation from one store to another, for `htmengine copy`. Values are those of the database's
 * columns; times are epoch seconds. Only `checkpoints` of the store are moved apart.
 */
export interface Transfer {
  /** What is in this store; its metrics are gone through with `metrics`. */
  describe(): Promise<InstallationSummary>;
  /** Metrics with all that belongs to them but their rows, in uid order after `afterMetricId`, at most `limit`. */
  metrics(afterMetricId: string, limit: number): Promise<MetricRecord[]>;
  /** Rows of a metric with all columns, ascending after rowid `after`, at most `limit`. */
  rows(metricId: string, after: number, limit: number): Promise<RowRecord[]>;

  /**
   * Makes this store, which must have no metrics, the target of a copy, or goes on with a copy from the same source
   * that was cut short. No engine serves it until `finish`.
   * @throws HtmEngineError `store_not_empty`
   */
  begin(source: InstallationSummary): Promise<void>;
  /** Adds a metric; one that is there already stays. @returns the last of its rows that are there, 0 for none. */
  addMetric(metric: MetricRecord): Promise<number>;
  /** Adds rows of a metric; they follow those that are there. */
  addRows(metricId: string, rows: readonly RowRecord[]): Promise<void>;
  /** The copy is whole and checked: from now on engines may serve this store. */
  finish(): Promise<void>;
}

export interface InstallationSummary {
  readonly partitions: number;
  /** Highest epoch of any lease: whoever takes over in the copy gets a higher one. */
  readonly epoch: number;
  readonly metrics: number;
  readonly rows: number;
}

/** Values of a table's row by column. */
export type ColumnValues = Readonly<Record<string, string | number | Uint8Array | null>>;

export interface MetricRecord {
  readonly metricId: string;
  readonly name: string;
  readonly metric: ColumnValues;
  /** Rows of the tables that belong to a metric, parents first. */
  readonly parts: readonly { readonly table: MetricPart; readonly rows: readonly ColumnValues[] }[];
}

/** The tables whose rows belong to one metric, in the order in which they may be inserted. */
export const METRIC_PARTS = [
  'generation',
  'model_command',
  'scheduler_watermark',
  'anomaly_watermark',
  'cursor',
  'result_clearing',
  'anomaly_span',
  'usual_pattern',
  'metric_retention',
  'stalled_cursor',
] as const;
export type MetricPart = (typeof METRIC_PARTS)[number];

export interface RowRecord {
  readonly rowid: number;
  readonly timestamp: number;
  readonly metric_value: number;
  readonly raw_anomaly_score: number | null;
  readonly anomaly_score: number | null;
  readonly display_value: number | null;
  readonly multi_step_best_predictions: string | null;
}
