import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { MetricStatus } from '../metric.ts';
import { failedAtRow } from '../model-failure.ts';
import { lastSequence, rowModes } from '../model-command.ts';
import type { Ownership } from '../ownership/ownership.ts';
import type { ModelTask, RowBlock } from '../store/log.ts';
import type { CheckpointPolicy } from './checkpoint-policy.ts';
import type { CheckpointWriter } from './checkpoint-writer.ts';
import type { Committer, SchedulerLog } from './committer.ts';
import type { ModelLoader } from './model-loader.ts';
import type { ModelWorker, RunReply } from './model-worker.ts';
import type { Patience } from './patience.ts';
import { Rhythm } from './rhythm.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';
import type { TurnEnd } from './slot-terms.ts';
import type { WarmModel, WarmModels } from './warm-models.ts';

export interface ModelRunnerParts {
  readonly store: SchedulerLog;
  readonly bus: Pick<Bus, 'wake'>;
  readonly loader: ModelLoader;
  readonly committer: Committer;
  readonly writer: CheckpointWriter;
  readonly policy: CheckpointPolicy;
  readonly warmModels: WarmModels;
  readonly patience: Patience;
  /** Rows of one turn. */
  readonly sliceRows: number;
  readonly ownership: Ownership;
  readonly clock: Clock;
  /** Deletes the checkpoints of a metric's closed generations. */
  readonly deleteClosed: (metricId: string) => Promise<void>;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics;
}

/**
 * One turn of one model: what the store says, at most one slice of rows, one commit.
 *
 * Rows up to the watermark that the model has not seen since it was loaded are computed again and compared; the
 * rest is new. Both come in one slice, so a model that was away for a few rows needs one turn.
 */
export class ModelRunner {
  readonly #parts: ModelRunnerParts;
  readonly #rhythm = new Rhythm();

  constructor(parts: ModelRunnerParts) {
    this.#parts = parts;
  }

  /**
   * The caller sees to it that a metric has one turn at a time, on the worker where its model is warm.
   * @param fresh the turn comes before those of models with a backlog: declined if the new rows are more than a slice.
   * @returns what is left to do. Whether the model is warm afterwards is in `warmModels`.
   * @throws store_unavailable, stopped, WorkerLostError: the model was dropped unless all it did is committed
   */
  async turn(metricId: string, worker: ModelWorker, fresh: boolean): Promise<TurnEnd> {
    const task = await this.#task(metricId);
    if (task === null || !isDue(task)) return 'rest';
    if (fresh && task.lastRowid - task.processedRowid > this.#parts.sliceRows) return 'declined';
    const model = this.#parts.warmModels.get(metricId) ?? (await this.#load(task, worker));
    const block = model === null ? null : await this.#read(task, model);
    if (model === null || block === null) return 'rest';
    try {
      return await this.#slice(task, model, block);
    } catch (error) {
      // A model that may be ahead of what is committed must not be used again.
      this.#parts.warmModels.drop(metricId);
      throw error;
    }
  }

  /** How far the rows of a metric are apart, by the last two that were processed; null if nobody knows. */
  apartMs(metricId: string): number | null {
    const seconds = this.#rhythm.of(metricId);
    return seconds === null ? null : 1000 * seconds;
  }

  /** What the store says is to be done, and the epoch to do it under; null if that is nothing of ours. Drops a model that is of no use for it. */
  async #task(metricId: string): Promise<OwnTask | null> {
    const { store, warmModels, patience, ownership } = this.#parts;
    const task = await patience.read(
      'read what a model has to do',
      async () => await store.modelTask(metricId),
    );
    const epoch = task === null ? null : ownership.epochFor({ metricId, partition: task.partition });
    const held = warmModels.get(metricId);
    if (task === null || epoch === null || (held !== null && !continues(held, task)))
      warmModels.drop(metricId);
    // Another process closed the generation. It deletes the checkpoints too, but not one that was written meanwhile.
    if (task === null && held !== null) await this.#parts.deleteClosed(metricId);
    return task === null || epoch === null ? null : { ...task, epoch };
  }

  async #load(task: OwnTask, worker: ModelWorker): Promise<WarmModel | null> {
    const { loader, committer, warmModels } = this.#parts;
    const { model, failure } = await loader.load(task, worker);
    if (model === undefined) {
      await committer.fail(task, task.epoch, failure);
      return null;
    }
    warmModels.add(model);
    return model;
  }

  /** The rows of this turn; null if they are gone. */
  async #read(task: ModelTask, model: WarmModel): Promise<RowBlock | null> {
    const { store, patience, sliceRows, warmModels, log } = this.#parts;
    const { metricId, rowid } = model;
    const block = await patience.read(
      'read rows',
      async () => await store.readRows(metricId, rowid, task.lastRowid, sliceRows),
    );
    const first = block.rowids[0] ?? task.lastRowid + 1;
    if (first === rowid + 1) return block;
    // Removed since the task was read: what to do is decided anew when the sweep comes by.
    log.warn(
      { event: 'scheduler.rows_gone', metricId, after: rowid, first },
      'rows that a model needs are gone',
    );
    warmModels.drop(metricId);
    return null;
  }

  async #slice(task: OwnTask, model: WarmModel, block: RowBlock): Promise<TurnEnd> {
    const { warmModels, committer } = this.#parts;
    const { metricId } = model;
    const replayed = block.rowids.filter((rowid) => rowid <= task.processedRowid).length;
    const reply = await this.#run(task, model, block, replayed);
    await this.#compareReplayed(task, block, reply, replayed);
    if (!(await this.#commit(task, block, reply, replayed))) {
      warmModels.drop(metricId);
      return 'rest';
    }
    if (reply.failure !== null) {
      warmModels.drop(metricId);
      const row = block.rowids[reply.rawScores.length] ?? 0;
      await committer.fail(task, task.epoch, failedAtRow(row, reply.failure));
      return 'rest';
    }
    model.rowid = block.rowids.at(-1) ?? model.rowid;
    model.bytes = reply.bytes;
    this.#expectNext(model, block);
    await this.#parts.writer.saveStaying(model);
    if (model.rowid >= task.lastRowid) return 'rest';
    return model.rowid > task.processedRowid ? 'more' : 'replaying';
  }

  #expectNext(model: WarmModel, { timestamps }: RowBlock): void {
    const seconds = this.#rhythm.rows(model.metricId, timestamps);
    if (seconds !== null) model.nextMs = this.#parts.clock.now() + 1000 * seconds;
  }

  /** The first `replayed` rows were processed before. */
  async #run(
    { commands }: ModelTask,
    model: WarmModel,
    block: RowBlock,
    replayed: number,
  ): Promise<RunReply> {
    const { policy, metrics } = this.#parts;
    const { rowids, timestamps, values } = block;
    const modes = commands.length === 0 ? {} : { modes: rowModes(commands, rowids, timestamps) };
    const request = { metricId: model.metricId, timestamps, values, replayed, ...modes };
    const reply = await model.worker.run(request);
    policy.ran(model, reply.rawScores.length, reply.replayMs + reply.computeMs);
    metrics.modelCpu.inc({ part: 'replay' }, reply.replayMs / 1000);
    metrics.modelCpu.inc({ part: 'compute' }, reply.computeMs / 1000);
    return reply;
  }

  async #compareReplayed(task: ModelTask, block: RowBlock, reply: RunReply, replayed: number): Promise<void> {
    const { log, metrics } = this.#parts;
    const scores = Array.from(reply.rawScores.subarray(0, replayed));
    const different = scores.flatMap((score, i) => (Object.is(score, block.rawScores[i]) ? [] : [i]));
    metrics.replayedRows.inc(scores.length);
    const [first] = different;
    // Closed between the two reads, a generation's scores are not to be seen any more.
    if (first !== undefined && (await this.#isOpen(task))) {
      metrics.mismatches.inc(different.length);
      const { metricId, generation } = task.generation;
      const row = block.rowids[first];
      const [stored, computed] = [block.rawScores[first], scores[first]];
      log.error(
        {
          event: 'scheduler.determinism_mismatch',
          metricId,
          generation,
          rows: different.length,
          row,
          stored,
          computed,
        },
        'replayed rows have other raw scores than are stored: the model is not deterministic',
      );
    }
  }

  async #isOpen({ generation: { metricId, generation } }: ModelTask): Promise<boolean> {
    const { store, patience } = this.#parts;
    const present = await patience.read(
      'read what a model has to do',
      async () => await store.modelTask(metricId),
    );
    return present?.generation.generation === generation;
  }

  /** T1 for the scores after the first `replayed`, if there are any or the model is new. @returns false if they were refused. */
  async #commit(task: OwnTask, block: RowBlock, reply: RunReply, replayed: number): Promise<boolean> {
    const { bus, committer } = this.#parts;
    const { epoch } = task;
    const { metricId, generation } = task.generation;
    const { rawScores, predictions, failure } = reply;
    const rowids = block.rowids.slice(replayed, rawScores.length);
    const modelBuilt = task.status === MetricStatus.CREATE_PENDING && (rowids.length > 0 || failure === null);
    if (rowids.length === 0 && !modelBuilt) return true;
    // Rows that were skipped have no score.
    const isScored = (_: number, i: number) => !Number.isNaN(rawScores[replayed + i]);
    const before = rawScores.slice(0, replayed).filter((score) => !Number.isNaN(score)).length;
    const committed = await committer.commit({
      metricId,
      generation,
      epoch,
      from: task.processedRowid,
      to: rowids.at(-1) ?? task.processedRowid,
      rowids: rowids.filter(isScored),
      rawScores: rawScores.slice(replayed).filter(isScored),
      ...(predictions === null ? {} : { predictions: predictions.slice(before) }),
      commandSequence: lastSequence(task.commands),
      modelBuilt,
    });
    if (committed && rowids.length > 0) bus.wake('rawScored', [metricId]);
    return committed;
  }
}

/** A task of a metric whose partition is ours. */
type OwnTask = ModelTask & { readonly epoch: number };

/** Whether a warm model is still the one the task is about: of its generation, and not ahead of the watermark. */
function continues(model: WarmModel, task: ModelTask): boolean {
  return model.generation === task.generation.generation && model.rowid <= task.processedRowid;
}

function isDue(task: ModelTask): boolean {
  return task.lastRowid > task.processedRowid || task.status === MetricStatus.CREATE_PENDING;
}
