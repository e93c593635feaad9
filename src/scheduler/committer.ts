import type { Logger } from 'pino';
import { hasCode } from '../errors.ts';
import { MetricStatus } from '../metric.ts';
import type { FoldOutcome, Log, ModelTask, RawScoreSlice } from '../store/log.ts';
import type { Patience } from './patience.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';

/** The part of the log that the scheduler works with. */
export type SchedulerLog = Pick<
  Log,
  'modelTask' | 'readRows' | 'recordRawScores' | 'failModel' | 'modelsWithWork'
>;

/** A commit whose outcome stays unknown this often in a row is given up; the sweep finds the rows again. */
const UNKNOWN_OUTCOMES = 5;

export interface CommitterParts {
  readonly store: SchedulerLog;
  readonly patience: Patience;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics;
}

/** Brings the scheduler's results into the store exactly once, through faults before and after a commit. */
export class Committer {
  readonly #parts: CommitterParts;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /**
   * T1. Waits as long as the store is away.
   * @returns whether the slice is recorded; if not, the model must be dropped.
   * @throws HtmEngineError `stopped` when the scheduler stops before it is known
   */
  async commit(slice: RawScoreSlice): Promise<boolean> {
    const { store, patience, log, metrics } = this.#parts;
    for (let trial = 1; trial <= UNKNOWN_OUTCOMES; trial++) {
      let outcome: FoldOutcome | null;
      try {
        outcome = await patience.insist('record raw scores', async () => await store.recordRawScores(slice));
      } catch (error) {
        if (!isUnknownOutcome(error)) throw error;
        metrics.storeFaults.inc();
        log.warn(
          { event: 'scheduler.commit_unknown', metricId: slice.metricId, err: error },
          'it is not known whether raw scores were recorded',
        );
        outcome = await this.#lookUp(slice);
      }
      if (outcome !== null) return this.#accept(slice, outcome);
      await patience.wait(trial);
    }
    log.error(
      { event: 'scheduler.commit_given_up', metricId: slice.metricId, from: slice.from },
      'raw scores cannot be recorded; given up for now',
    );
    return false;
  }

  /** Puts the metric into ERROR, unless its generation or our epoch has passed. Waits as long as the store is away. */
  async fail(task: ModelTask, epoch: number, message: string): Promise<void> {
    const { store, patience, log, metrics } = this.#parts;
    const { metricId, generation } = task.generation;
    log.error({ event: 'scheduler.model_failed', metricId, generation, reason: message }, 'a model failed');
    const { refused } = await patience.insist(
      'record the failure of a model',
      async () => await store.failModel({ metricId, generation, epoch, message }),
    );
    if (refused === null) metrics.failedModels.inc();
    else metrics.refused.inc({ reason: refused });
  }

  #accept(slice: RawScoreSlice, outcome: FoldOutcome): boolean {
    const { log, metrics } = this.#parts;
    if (outcome.refused !== null) {
      metrics.refused.inc({ reason: outcome.refused });
      const level = outcome.refused === 'epoch' ? 'warn' : 'info';
      log[level](
        { event: 'scheduler.scores_refused', metricId: slice.metricId, reason: outcome.refused },
        'raw scores were refused',
      );
      return false;
    }
    metrics.slices.inc();
    metrics.rows.inc(slice.rowids.length);
    return true;
  }

  /** What became of a commit, told by the watermark: null if nothing did and it has to be repeated. */
  async #lookUp(slice: RawScoreSlice): Promise<FoldOutcome | null> {
    const { store, patience } = this.#parts;
    const task = await patience.insist('read a watermark', async () => await store.modelTask(slice.metricId));
    if (task?.generation.generation !== slice.generation) return { refused: 'generation' };
    if (task.processedRowid === slice.to && (slice.to > slice.from || isBuilt(task)))
      return { refused: null };
    return task.processedRowid === slice.from ? null : { refused: 'watermark' };
  }
}

/** A slice without rows moves no watermark; it makes the metric ACTIVE instead. */
function isBuilt(task: ModelTask): boolean {
  return task.status !== MetricStatus.CREATE_PENDING;
}

/** Neither the end of the scheduler nor that of the store: the statement may have taken effect. */
function isUnknownOutcome(error: unknown): boolean {
  return !hasCode(error, 'stopped');
}
