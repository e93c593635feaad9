import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../checkpoints/codec.ts';
import { RowMode } from '../model-command.ts';
import type { LoadReply, LoadRequest, ModelCalls, RunReply, RunRequest } from './model-worker.ts';
import type { Model, ModelFactory } from './models.ts';

/** The inside of a worker: its warm models. */
export class ModelHost implements ModelCalls {
  readonly #factory: ModelFactory;
  readonly #models = new Map<string, Model>();

  constructor(factory: ModelFactory) {
    this.#factory = factory;
  }

  load({ metricId, modelParams, checkpoint }: LoadRequest): LoadReply {
    this.#models.delete(metricId);
    try {
      const model =
        checkpoint === null
          ? this.#factory.create(modelParams)
          : this.#factory.restore(decodeCheckpoint(checkpoint.name, checkpoint.bytes));
      this.#models.set(metricId, model);
      return { bytes: model.byteLength, failure: null };
    } catch (error) {
      return { failure: reason(error) };
    }
  }

  run({ metricId, timestamps, values, modes }: RunRequest): RunReply {
    const model = this.#expect(metricId);
    const rawScores = new Float64Array(values.length);
    const predictions: string[] = [];
    for (const [row, value] of values.entries()) {
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
        this.#models.delete(metricId);
        return {
          rawScores: rawScores.slice(0, row),
          predictions: texts(predictions.slice(0, row)),
          bytes: 0,
          failure: reason(error),
        };
      }
    }
    return { rawScores, predictions: texts(predictions), bytes: model.byteLength, failure: null };
  }

  save(name: CheckpointName): Uint8Array<ArrayBuffer> {
    return encodeCheckpoint(name, this.#expect(name.metricId).save());
  }

  drop(metricId: string): void {
    this.#models.delete(metricId);
  }

  #expect(metricId: string): Model {
    const model = this.#models.get(metricId);
    if (model === undefined) throw new Error(`the model of metric ${metricId} is not warm in this worker`);
    return model;
  }
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
