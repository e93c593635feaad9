import type {
  AnomalyScoreSlice,
  AnomalyTask,
  AppendOptions,
  AppendOutcome,
  CursorMove,
  CursorPosition,
  FoldOutcome,
  Log,
  MetricSamples,
  ModelFailure,
  ModelTask,
  Partitions,
  RawScoreSlice,
  RowBlock,
  ScoredRow,
} from '../log.ts';
import { appendSamples, checkBatches, isStored, type Appended } from './append.ts';
import { checkLimit } from './bounds.ts';
import {
  advanceCursor,
  checkAnomalyScoreSlice,
  checkFold,
  checkRawScoreSlice,
  failModel,
  FoldRefused,
  recordAnomalyScores,
  recordRawScores,
} from './folds.ts';
import { readRows, readScoredRows } from './rows.ts';
import type { Attempt, Db, Session, SqlDialect } from './session.ts';
import { metricsToPublish, metricsToScore, modelsWithWork } from './sweeps.ts';
import { anomalyTask, cursorPosition, modelTask } from './tasks.ts';

/** The log in an SQL database. */
export class SqlLog implements Log {
  readonly #session: Session;
  readonly #dialect: SqlDialect;
  readonly #partitions: number;

  constructor(session: Session, dialect: SqlDialect, partitions: number) {
    this.#session = session;
    this.#dialect = dialect;
    this.#partitions = partitions;
  }

  async appendSamples(batches: readonly MetricSamples[], options: AppendOptions): Promise<AppendOutcome[]> {
    checkBatches(batches);
    let before: Appended | undefined;
    return this.#session.write(async (db, { mayHaveLanded }) => {
      if (before === undefined || !mayHaveLanded || !(await isStored(db, before))) {
        before = await appendSamples(db, this.#dialect, this.#partitions, batches, options);
      }
      return before.outcomes;
    });
  }

  async readRows(metricId: string, after: number, through: number, limit: number): Promise<RowBlock> {
    checkLimit(limit);
    return this.#session.query((db) => readRows(db, metricId, after, through, limit));
  }

  modelTask(metricId: string): Promise<ModelTask | null> {
    return this.#session.query((db) => modelTask(db, metricId));
  }

  async recordRawScores(slice: RawScoreSlice): Promise<FoldOutcome> {
    checkRawScoreSlice(slice);
    return this.#fold((db, attempt) => recordRawScores(db, this.#dialect, slice, attempt));
  }

  failModel(failure: ModelFailure): Promise<FoldOutcome> {
    return this.#fold((db) => failModel(db, failure));
  }

  async modelsWithWork(afterMetricId: string, limit: number, within: Partitions = null): Promise<string[]> {
    checkLimit(limit);
    if (within?.length === 0) return [];
    return this.#session.query((db) => modelsWithWork(db, afterMetricId, limit, within));
  }

  anomalyTask(metricId: string): Promise<AnomalyTask | null> {
    return this.#session.query((db) => anomalyTask(db, metricId));
  }

  async recordAnomalyScores(slice: AnomalyScoreSlice): Promise<FoldOutcome> {
    checkAnomalyScoreSlice(slice);
    return this.#fold((db, attempt) => recordAnomalyScores(db, this.#dialect, slice, attempt));
  }

  async metricsToScore(afterMetricId: string, limit: number, within: Partitions = null): Promise<string[]> {
    checkLimit(limit);
    if (within?.length === 0) return [];
    return this.#session.query((db) => metricsToScore(db, afterMetricId, limit, within));
  }

  cursor(consumer: string, metricId: string): Promise<CursorPosition | null> {
    return this.#session.query((db) => cursorPosition(db, consumer, metricId));
  }

  async readScoredRows(
    metricId: string,
    generation: number,
    after: number,
    through: number,
    limit: number,
  ): Promise<ScoredRow[]> {
    checkLimit(limit);
    return this.#session.query((db) => readScoredRows(db, metricId, generation, after, through, limit));
  }

  async advanceCursor(move: CursorMove): Promise<FoldOutcome> {
    checkFold(move);
    return this.#fold((db, attempt) => advanceCursor(db, move, attempt));
  }

  async metricsToPublish(
    consumer: string,
    afterMetricId: string,
    limit: number,
    within: Partitions = null,
  ): Promise<string[]> {
    checkLimit(limit);
    if (within?.length === 0) return [];
    return this.#session.query((db) => metricsToPublish(db, consumer, afterMetricId, limit, within));
  }

  async #fold(operation: (db: Db, attempt: Attempt) => Promise<void>): Promise<FoldOutcome> {
    try {
      await this.#session.write(operation);
      return { refused: null };
    } catch (error) {
      if (error instanceof FoldRefused) return { refused: error.reason };
      throw error;
    }
  }
}
