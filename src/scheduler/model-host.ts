import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../checkpoints/codec.ts';
import { freeTable } from '../htm/tables.ts';
import { RowMode } from '../model-command.ts';
import type { LoadReply, LoadRequest, ModelCalls, RunReply, RunRequest, SaveReply } from './model-worker.ts';
import type { Model, ModelFactory } from './models.ts';

/** The inside of a worker: its warm models. */
export class ModelHost implements ModelCalls {
  readonly #factory: ModelFactory;
  readonly #progress: () => void;
  readonly #cpuMs: () => number;
  readonly #models = new Map<string, Model>();

  /**
   * @param progress is told before every row, however long a call takes.
   * @param cpuMs CPU time so far of what runs the models.
   */
  constructor(factory: ModelFactory, progress: () => void = () => undefined, cpuMs = threadCpuMs) {
    this.#factory = factory;
    this.#progress = progress;
    this.#cpuMs = cpuMs;
  }

  load({ metricId, modelParams, checkpoint }: LoadRequest): LoadReply {
    const startMs = this.#cpuMs();
    this.drop(metricId);
    try {
      const model = checkpoint === null ? this.#factory.create(modelParams) : this.#restore(checkpoint);
      this.#models.set(metricId, model);
      return { bytes: model.byteLength, cpuMs: this.#cpuMs() - startMs, failure: null };
    } catch (error) {
      return { failure: reason(error) };
    }
  }

  run({ metricId, timestamps, values, modes, replayed }: RunRequest): RunReply {
    const model = this.#expect(metricId);
    const rawScores = new Float64Array(values.length);
    const predictions: string[] = [];
    const startMs = this.#cpuMs();
    let newMs: number | null = null;
    const times = () => {
      const endMs = this.#cpuMs();
      return { replayMs: (newMs ?? endMs) - startMs, computeMs: endMs - (newMs ?? endMs) };
    };
    for (const [row, value] of values.entries()) {
      if (row === replayed) newMs = this.#cpuMs();
      this.#progress();
      try {
        const mode = modes?.[row] ?? RowMode.NORMAL;
        if ((mode & RowMode.RESET_BEFORE) !== 0) model.reset();
        if ((mode & RowMode.SKIP) !== 0) {
          rawScores[row] = Number.NaN;
          continue;
        }
        const learn = (mode & RowMode.DO_NOT_LEARN) === 0;
        rawScores[row] = checked(model.run(timestamps[row] ?? Number.NaN, value, learn));
        const text = model.predictions();
        if (text !== null) predictions.push(text);
      } catch (error) {
        this.drop(metricId);
        return {
          rawScores: rawScores.slice(0, row),
          predictions: texts(predictions.slice(0, row)),
          bytes: 0,
          ...times(),
          failure: reason(error),
        };
      }
    }
    return {
      rawScores,
      predictions: texts(predictions),
      bytes: model.byteLength,
      ...times(),
      failure: null,
    };
  }

  save(name: CheckpointName): SaveReply {
    const startMs = this.#cpuMs();
    const state = this.#expect(name.metricId).save();
    const checkpoint = encodeCheckpoint(name, state);
    free(state);
    return { checkpoint, cpuMs: this.#cpuMs() - startMs };
  }

  drop(metricId: string): void {
    this.#models.get(metricId)?.release();
    this.#models.delete(metricId);
  }

  #restore({ name, bytes }: NonNullable<LoadRequest['checkpoint']>): Model {
    const state = decodeCheckpoint(name, bytes);
    const model = this.#factory.restore(state);
    free(state);
    return model;
  }

  #expect(metricId: string): Model {
    const model = this.#models.get(metricId);
    if (model === undefined) throw new Error(`the model of metric ${metricId} is not warm in this worker`);
    return model;
  }
}

/**
 * Gives the memory of bytes that nobody else has back at once: megabytes for each model that comes and goes. Small ones
 * may lie in Node's pool, which others share.
 */
function free(bytes: Uint8Array): void {
  if (bytes.buffer.byteLength > Buffer.poolSize) freeTable(bytes);
}

/** CPU time of this thread so far. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** A score that is none is a fault of the model, to be told with its row and not when it is stored. */
function checked(rawScore: number): number {
  if (rawScore >= 0 && rawScore <= 1) return rawScore;
  throw new RangeError(`the raw score ${rawScore} is not in 0..1`);
}

function texts(predictions: readonly string[]): readonly string[] | null {
  return predictions.length === 0 ? null : predictions;
}

function reason(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
