import type { GenerationRequest } from '../generation.ts';
import type { TimeRange } from '../metric.ts';

/**
 * Purging of old rows. What may go is decided and done in one transaction, under locks of the metric's watermarks:
 * a row that anything may still ask for stays (docs/retention.md).
 */
export interface Retention {
  /** Metrics with rows, in uid order after `afterMetricId`, at most `limit` (1..10,000). */
  listRetained(afterMetricId: string, limit: number): Promise<RetainedMetric[]>;
  /** Purges up to `limit` rows of one metric, oldest first. */
  purgeRows(request: PurgeRequest): Promise<PurgeOutcome>;
  /**
   * Deletes the rows of a time. Those before them move up, so that rowids stay consecutive and `last_rowid` where it is:
   * whatever is past the time knows nothing of it. If the newest row goes, older samples than it are taken again.
   * @throws metric_not_found, metric_not_monitored (`relearn`), invalid_argument (too many rows in one go)
   */
  deleteRows(deletion: RowDeletion): Promise<DeletionOutcome>;
  /**
   * Gives a metric an age of its own, in seconds: `KEEP_FOR_EVER`, or null for the engine's setting.
   * @throws metric_not_found
   */
  setMaxAge(metricId: string, maxAgeSeconds: number | null): Promise<void>;
  /** The metric's own age in seconds, null where it has none. */
  maxAge(metricId: string): Promise<number | null>;
}

/** As an age: no row is too old. */
export const KEEP_FOR_EVER = 0;

export interface RetainedMetric {
  readonly metricId: string;
  readonly name: string;
  /** Epoch seconds of the oldest row. */
  readonly firstTimestamp: number;
  /** Stored rows. */
  readonly rows: number;
  /** The metric's own age, null where it has none. */
  readonly maxAgeSeconds: number | null;
  /** The open generation, or null. */
  readonly generation: number | null;
}

export interface PurgeRequest {
  readonly metricId: string;
  /** The open generation the checkpoints were listed for; null for none. If there is another now, nothing is purged. */
  readonly generation: number | null;
  /** Rows before this time are too old; epoch seconds. */
  readonly olderThan: number;
  /** The rows of the generation's checkpoints that can be loaded. Without two of them nothing is purged. */
  readonly checkpointRowids: readonly number[];
  /** The present time, epoch seconds. */
  readonly now: number;
  /** A cursor that keeps rows from being purged is dropped when it has stood there for so long. */
  readonly cursorIdleSeconds: number;
  /** 1..10,000. */
  readonly limit: number;
}

/**
 * What keeps the oldest row that is too old: its model or likelihood has not had it, a checkpoint is not past it (or
 * there are no two), a refit of the likelihood looks back over it, a consumer has not had it, it is the metric's last,
 * or the metric's state (it waits for rows, or was monitored anew meanwhile).
 */
export type Keeper = 'scoring' | 'checkpoints' | 'likelihood' | 'cursor' | 'last_row' | 'state';

export interface PurgeOutcome {
  readonly purgedRows: number;
  /** Null if no row is left that is too old, or `limit` was reached: then there may be more. */
  readonly keptBy: Keeper | null;
  readonly limitReached: boolean;
  readonly droppedCursors: readonly DroppedCursor[];
}

export interface RowDeletion {
  readonly metricId: string;
  readonly times: TimeRange;
  /** As in `PurgeRequest`. */
  readonly generation: number | null;
  readonly checkpointRowids: readonly number[];
  /**
   * The generation that takes the place of the present one in the same transaction, as `Catalogue.relearn` does, keeping
   * what is left out; null for none: then nothing is deleted if anything needs one of the rows.
   */
  readonly relearn: GenerationRequest | null;
}

export interface DeletionOutcome {
  readonly deletedRows: number;
  /** What needs the rows; nothing was deleted then. */
  readonly keptBy: Keeper | null;
}

export interface DroppedCursor {
  readonly consumer: string;
  /** Where it stood. */
  readonly rowid: number;
}
