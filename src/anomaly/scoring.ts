import { HtmEngineError } from '../errors.ts';
import type { Generation } from '../generation.ts';
import { AnomalyBars } from '../anomaly-bars.ts';
import { displayValue, logLikelihood } from '../htm/likelihood.ts';
import { LikelihoodStateError, StreamingLikelihood } from '../htm/streaming-likelihood.ts';
import type { AnomalyScoreSlice, AnomalyTask, RowBlock } from '../store/log.ts';
import { RowWindow } from './row-window.ts';

/** Rows of one metric with `after < rowid <= through`, ascending, at most `limit`. */
export type RowReader = (after: number, through: number, limit: number) => Promise<RowBlock>;

/** What T2 stores for the rows of a slice. */
export type ScoredSlice = Pick<
  AnomalyScoreSlice,
  'rowids' | 'anomalyScores' | 'displayValues' | 'state' | 'bars'
>;

/** Rows that the likelihood must see again are not stored any more: this generation cannot be scored on. */
export class HistoryLostError extends Error {
  override readonly name = 'HistoryLostError';
}

const MAX_READ_ROWS = 10_000;

/**
 * The anomaly scores of one generation, slice after slice: model reference 7.1, with the history of a fit taken
 * from the stored rows. A row without a raw score (the model left it out) has no part in it.
 */
export class Scoring {
  readonly #generation: Generation;
  readonly #readRows: RowReader;
  readonly #likelihood: StreamingLikelihood;
  readonly #window: RowWindow;
  readonly #bars: AnomalyBars;
  /** The last row before those in the window. */
  #before: number;

  private constructor(
    generation: Generation,
    readRows: RowReader,
    likelihood: StreamingLikelihood,
    bars: AnomalyBars,
    scoredRowid: number,
  ) {
    this.#generation = generation;
    this.#readRows = readRows;
    this.#likelihood = likelihood;
    this.#bars = bars;
    this.#window = new RowWindow(generation.likelihood.historicWindowSize);
    this.#before = scoredRowid;
  }

  /**
   * Goes on after the task's watermark.
   * @throws LikelihoodStateError if the stored state is damaged or missing: `recompute` may mend that.
   */
  static resume(task: AnomalyTask, readRows: RowReader): Scoring {
    const { generation, scoredRowid, state, bars } = task;
    if (state === null && scoredRowid >= generation.startRowid) {
      throw new LikelihoodStateError(`rows up to ${scoredRowid} are scored but no state is stored`);
    }
    const likelihood =
      state === null
        ? new StreamingLikelihood(generation.likelihood)
        : StreamingLikelihood.decodeState(generation.likelihood, state);
    return new Scoring(generation, readRows, likelihood, AnomalyBars.decode(bars), scoredRowid);
  }

  /**
   * As `resume`, but from the generation's first row instead of the stored state: reads every row again.
   * @throws HistoryLostError if any of them is gone; HtmEngineError `stopped` if the signal is aborted meanwhile.
   */
  static async recompute(task: AnomalyTask, readRows: RowReader, signal: AbortSignal): Promise<Scoring> {
    const { generation, scoredRowid } = task;
    let after = generation.startRowid - 1;
    const likelihood = new StreamingLikelihood(generation.likelihood);
    const scoring = new Scoring(generation, readRows, likelihood, AnomalyBars.decode(null), after);
    while (after < scoredRowid) {
      if (signal.aborted) throw new HtmEngineError('stopped', 'given up while stopping: scoring again');
      const through = Math.min(scoredRowid, after + MAX_READ_ROWS);
      const block = await readRows(after, through, MAX_READ_ROWS);
      if (block.rowids.length !== through - after) {
        throw new HistoryLostError(`not all rows from ${after + 1} to ${through} are stored any more`);
      }
      await scoring.score(block);
      after = through;
    }
    return scoring;
  }

  /** Scores the rows that come next. After an error this object must not be used again. @throws HistoryLostError */
  async score(block: RowBlock): Promise<ScoredSlice> {
    const { rowids, timestamps, values, rawScores } = withRawScores(block);
    const anomalyScores = new Float64Array(rowids.length);
    for (const [i, rawScore] of rawScores.entries()) {
      const value = at(values, i);
      const needed = this.#likelihood.needsHistory();
      if (needed > this.#window.length) await this.#readBack(needed - this.#window.length);
      const anomalyScore = this.#likelihood.next(value, rawScore, this.#window.last(needed));
      anomalyScores[i] = anomalyScore;
      this.#bars.append(at(timestamps, i), logLikelihood(anomalyScore));
      this.#window.append(value, rawScore);
    }
    return {
      rowids,
      anomalyScores,
      displayValues: Int32Array.from(anomalyScores, displayValue),
      state: this.#likelihood.encodeState(),
      bars: this.#bars.encode(),
    };
  }

  /** Reads the rows that the next row's fit needs and the window lacks. Once at the most: from then on the window has them. */
  async #readBack(missingRows: number): Promise<void> {
    let missing = missingRows;
    while (missing > 0) {
      const through = this.#before;
      const after = Math.max(this.#generation.startRowid - 1, through - Math.min(missing, MAX_READ_ROWS));
      if (after >= through) {
        throw new HistoryLostError(`${missing} rows that a fit looks back over are not stored any more`);
      }
      const older = withRawScores(await this.#readRows(after, through, MAX_READ_ROWS));
      this.#window.prepend(older);
      this.#before = after;
      missing -= older.rowids.length;
    }
  }
}

function withRawScores({ rowids, timestamps, values, rawScores }: RowBlock) {
  const present = (_: number, i: number) => !Number.isNaN(rawScores[i]);
  return {
    rowids: rowids.filter(present),
    timestamps: timestamps.filter(present),
    values: values.filter(present),
    rawScores: rawScores.filter(present),
  };
}

function at(array: Float64Array, index: number): number {
  const value = array[index];
  if (value === undefined) throw new RangeError(`no element ${index} of ${array.length}`);
  return value;
}
