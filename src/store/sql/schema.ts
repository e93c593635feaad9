import type { MetricStatus } from '../../metric.ts';
import type { Stage } from '../leases.ts';
import type { ModelEventKind } from '../outbox.ts';

/**
 * The tables, as Kysely sees them. `metric` and `metric_data` keep the original's columns (system reference 8.1).
 * Times are epoch seconds here; an adapter whose columns are of a date type converts in its driver.
 */
export interface Schema {
  metric: MetricTable;
  metric_data: MetricDataTable;
  generation: GenerationTable;
  scheduler_watermark: SchedulerWatermarkTable;
  anomaly_watermark: AnomalyWatermarkTable;
  cursor: CursorTable;
  model_command: ModelCommandTable;
  result_clearing: ResultClearingTable;
  lease: LeaseTable;
  member: MemberTable;
  installation: InstallationTable;
  checkpoint: CheckpointTable;
  anomaly_span: AnomalySpanTable;
  mute: MuteTable;
  usual_pattern: UsualPatternTable;
  metric_retention: MetricRetentionTable;
  stalled_cursor: StalledCursorTable;
  outbox: OutboxTable;
}

export interface MetricTable {
  /** 32 hex digits. */
  uid: string;
  /** `custom`, `copying` for a copy that is not finished, or `discarded` for a metric that only waits for its rows to be removed. */
  datasource: string;
  /** Unique per datasource, compared by bytes. */
  name: string;
  description: string | null;
  server: string | null;
  location: string | null;
  tag_name: string | null;
  status: MetricStatus;
  message: string | null;
  collector_error: string | null;
  poll_interval: number;
  /** The storer's watermark. The stored rowids of a metric have no gaps, so they and the lowest give the count. */
  last_rowid: number;
  /** Time of the row `last_rowid`. */
  last_timestamp: number | null;
  /** A hash of the name at creation; never changes. */
  partition: number;
  /** The model spec as it was given. */
  parameters: string | null;
  /** The frozen model parameters. */
  model_params: string | null;
}

export interface MetricDataTable {
  uid: string;
  /** From 1, consecutive per metric. */
  rowid: number;
  timestamp: number;
  metric_value: number;
  raw_anomaly_score: number | null;
  anomaly_score: number | null;
  display_value: number | null;
  multi_step_best_predictions: string | null;
}

/** Everything that was asked of a generation and, once it is open, everything that is frozen with it. */
export interface GenerationTable {
  uid: string;
  /** 1, 2, ... per metric. A closed generation's row stays, so that its number is never given again. */
  generation: number;
  state: GenerationState;
  /** `last_rowid` at `monitor`'s commit. */
  backlog_rowid: number;
  /** The row the fold starts from; null until it opens. */
  start_rowid: number | null;
  minimum_rows: number;
  min_resolution: number | null;
  /** As given; estimated from rows when the generation opens without. */
  range_min: number | null;
  range_max: number | null;
  /** The value encoder's; null until it opens, and where the parameters came complete. */
  resolution: number | null;
  algorithm_revision: number;
  resource: string | null;
  /** JSON of `LikelihoodConstants`. */
  likelihood: string;
  /** JSON of the keys that lead to the resolution; null where the parameters came complete. */
  resolution_path: string | null;
  spec: string;
  /** JSON; complete once it is open. */
  model_params: string;
}

/** `pending`: waits for rows; `open`: models and scores belong to it; `closed`: past. At most one per metric is not closed. */
export type GenerationState = 'pending' | 'open' | 'closed';

/** One row per open generation; T1 moves it. */
export interface SchedulerWatermarkTable {
  uid: string;
  generation: number;
  processed_rowid: number;
  /** The last command that has been applied. */
  command_sequence: number;
}

/** One row per open generation; T2 moves it. */
export interface AnomalyWatermarkTable {
  uid: string;
  generation: number;
  scored_rowid: number;
  /** The likelihood's small state after that row. */
  state: Uint8Array | null;
  /** `AnomalyBars` after that row. */
  bars: Uint8Array | null;
}

/** T3 moves it. */
export interface CursorTable {
  consumer: string;
  uid: string;
  generation: number;
  rowid: number;
}

export interface ModelCommandTable {
  uid: string;
  generation: number;
  sequence: number;
  /** The command takes effect after this row: never before what was processed when it was inserted. */
  after_rowid: number;
  what: string;
  args: string | null;
}

/** Rows of a metric that may still carry results of its last closed generation; gone when they are cleared. */
export interface ResultClearingTable {
  uid: string;
  next_rowid: number;
  through_rowid: number;
}

export interface LeaseTable {
  stage: Stage;
  partition: number;
  owner: string | null;
  epoch: number;
}

/** Who works on a stage, where several processes share the work. */
export interface MemberTable {
  stage: Stage;
  owner: string;
  /** Epoch seconds with a fraction, by the database's clock: dead from then on. */
  expires_at: number;
}

/** What was decided when the database was created, and what serves the whole of it. */
export interface InstallationTable {
  /** `outbox` is there while somebody tells what happened to models. */
  name: 'partitions' | 'ping' | 'copying' | 'outbox';
  value: string;
}

/** A part of a saved model; those of one name follow each other by `chunk`, from 0. */
export interface CheckpointTable {
  uid: string;
  generation: number;
  rowid: number;
  revision: number;
  chunk: number;
  /** Length of `data`. */
  bytes: number;
  data: Uint8Array;
}

/** Anomalous spans; T2 keeps them. Times here and below are epoch seconds in every database. */
export interface AnomalySpanTable {
  uid: string;
  generation: number;
  opened_rowid: number;
  opened_at: number;
  last_rowid: number;
  last_at: number;
  peak_score: number;
  peak_at: number;
  lowest_value: number;
  highest_value: number;
  /** 0 or 1. */
  ended: number;
  acknowledged_at: number | null;
  acknowledged_note: string | null;
}

export interface MuteTable {
  id: string;
  pattern: string;
  from_at: number;
  until_at: number | null;
  note: string;
}

export interface UsualPatternTable {
  id: string;
  uid: string;
  lowest_value: number;
  highest_value: number;
  from_minute: number | null;
  to_minute: number | null;
  created_at: number;
  note: string;
}

/** Metrics whose rows are kept for another time than the engine's setting says. */
export interface MetricRetentionTable {
  uid: string;
  /** `KEEP_FOR_EVER` or more. */
  max_age_seconds: number;
}

/** Cursors that were found to keep rows from being purged; of no meaning any more when the cursor has moved. */
export interface StalledCursorTable {
  uid: string;
  consumer: string;
  generation: number;
  /** Where it was found. */
  rowid: number;
  /** When it was found there first. */
  since: number;
}

/** What happened to models and is still to be told. */
export interface OutboxTable {
  uid: string;
  /** Ascending per metric, among those that are there. */
  sequence: number;
  event_id: string;
  kind: ModelEventKind;
  name: string;
  resource: string;
  generation: number;
  spec: string | null;
  message: string | null;
}

/** Where a discarded metric waits for its rows to be removed. */
export const DISCARDED_DATASOURCE = 'discarded';

/** Where a copy of a metric is made. */
export const COPYING_DATASOURCE = 'copying';
