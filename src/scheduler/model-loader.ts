import type { Logger } from 'pino';
import type { CheckpointName, CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import { checkpointLost, notBuilt, unknownRevision } from '../model-failure.ts';
import type { ModelTask } from '../store/log.ts';
import type { Clock } from '../clock.ts';
import type { CheckpointWriter } from './checkpoint-writer.ts';
import type { ModelWorker } from './model-worker.ts';
import type { Patience } from './patience.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';
import type { WarmModel } from './warm-models.ts';

/** A loaded model, or why there can be none, for people. */
export type Loaded =
  | { readonly model: WarmModel; readonly failure?: undefined }
  | { readonly failure: string; readonly model?: undefined };

export interface ModelLoaderParts {
  readonly checkpoints: CheckpointStore;
  readonly writer: CheckpointWriter;
  readonly knowsRevision: (revision: number) => boolean;
  readonly patience: Patience;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics;
  readonly clock: Clock;
}

/**
 * Makes models warm: from the newest checkpoint that is of the present generation and a known revision, not ahead
 * of the watermark, not damaged, and followed by all rows it needs; else from the generation's first row.
 */
export class ModelLoader {
  readonly #parts: ModelLoaderParts;

  constructor(parts: ModelLoaderParts) {
    this.#parts = parts;
  }

  /** @throws store_unavailable, WorkerLostError */
  async load(task: ModelTask, worker: ModelWorker): Promise<Loaded> {
    const { generation } = task;
    if (!this.#parts.knowsRevision(generation.algorithmRevision)) {
      return { failure: unknownRevision(generation.algorithmRevision) };
    }
    const unusable: CheckpointName[] = [];
    for (const name of await this.#candidates(task)) {
      const model = await this.#restore(task, worker, name);
      if (model === null) {
        unusable.push(name);
        continue;
      }
      await this.#remove(unusable);
      return { model };
    }
    const built = await this.#build(task, worker);
    if (built.model !== undefined) await this.#remove(unusable);
    return built;
  }

  /** Checkpoints worth a try, newest first. Deletes those that can never be used. */
  async #candidates(task: ModelTask): Promise<CheckpointName[]> {
    const { checkpoints, writer, knowsRevision, patience, log, metrics } = this.#parts;
    const { metricId, generation } = task.generation;
    await writer.settled(metricId);
    const names = await patience.read('list checkpoints', async () => await checkpoints.list(metricId));
    const strays = names.filter((name) => name.generation !== generation || name.rowid > task.processedRowid);
    if (strays.length > 0) {
      log.warn(
        {
          event: 'scheduler.checkpoints_removed',
          metricId,
          generation,
          processedRowid: task.processedRowid,
          strays,
        },
        'checkpoints of another generation or ahead of the watermark are deleted',
      );
      metrics.checkpointsRemoved.inc(strays.length);
      await this.#remove(strays);
    }
    return names.filter(
      (name) => !strays.includes(name) && knowsRevision(name.revision) && rowsAreThere(task, name.rowid),
    );
  }

  async #restore(task: ModelTask, worker: ModelWorker, name: CheckpointName): Promise<WarmModel | null> {
    const { checkpoints, patience, log, metrics } = this.#parts;
    const { metricId, modelParams } = task.generation;
    const bytes = await patience.read('read a checkpoint', async () => await checkpoints.get(name));
    if (bytes === null) return null;
    const reply = await worker.load({ metricId, modelParams, checkpoint: { name, bytes } });
    if (reply.failure !== null) {
      log.error(
        { event: 'scheduler.checkpoint_unusable', ...name, reason: reply.failure },
        'a checkpoint cannot be used',
      );
      metrics.checkpointsUnusable.inc();
      return null;
    }
    return this.#warm(task, worker, name.rowid, reply);
  }

  async #build(task: ModelTask, worker: ModelWorker): Promise<Loaded> {
    const { metricId, modelParams, startRowid } = task.generation;
    if (!rowsAreThere(task, startRowid - 1)) {
      return { failure: checkpointLost(startRowid) };
    }
    const reply = await worker.load({ metricId, modelParams, checkpoint: null });
    if (reply.failure !== null) return { failure: notBuilt(reply.failure) };
    return { model: this.#warm(task, worker, startRowid - 1, reply) };
  }

  #warm(
    task: ModelTask,
    worker: ModelWorker,
    rowid: number,
    { bytes, cpuMs: loadMs }: { bytes: number; cpuMs: number },
  ): WarmModel {
    const { metricId, generation, algorithmRevision } = task.generation;
    this.#parts.metrics.swapIns.inc();
    this.#parts.metrics.modelCpu.inc({ part: 'load' }, loadMs / 1000);
    return {
      metricId,
      partition: task.partition,
      worker,
      generation,
      revision: algorithmRevision,
      rowid,
      savedRowid: rowid,
      savedAtMs: this.#parts.clock.now(),
      bytes,
      newFromRowid: task.processedRowid,
      nextMs: null,
      loadMs,
      rowMs: null,
      saveMs: null,
    };
  }

  /** What cannot be removed now is found again. */
  async #remove(names: readonly CheckpointName[]): Promise<void> {
    const { checkpoints, log, metrics } = this.#parts;
    for (const name of names) {
      try {
        await checkpoints.delete(name);
      } catch (error) {
        metrics.checkpointFailures.inc();
        log.warn(
          { event: 'scheduler.checkpoint_not_deleted', ...name, err: error },
          'a useless checkpoint could not be deleted',
        );
      }
    }
  }
}

/** Whether all rows after `rowid` are stored. */
function rowsAreThere(task: ModelTask, rowid: number): boolean {
  return rowid >= task.lastRowid || (task.firstRowid > 0 && task.firstRowid <= rowid + 1);
}
