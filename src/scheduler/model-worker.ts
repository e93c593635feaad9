import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import type { Json } from '../generation.ts';

/**
 * What the scheduler asks of a worker: it keeps warm models by metric and does one thing at a time, in the order
 * it was asked. All that computes happens here; nothing here touches the store.
 */
export interface ModelCalls {
  /** Makes a model warm, in place of one of the same metric. */
  load(request: LoadRequest): LoadReply;
  /** Feeds rows to a warm model, up to the first that fails. */
  run(request: RunRequest): RunReply;
  /** The warm model as a checkpoint. */
  save(name: CheckpointName): SaveReply;
  drop(metricId: string): void;
}

/** A worker as the scheduler sees it: the calls, answered some time later. */
export type ModelWorker = {
  /** @throws WorkerLostError if the worker ended before it answered. Any other error is a programmer's. */
  readonly [Call in keyof ModelCalls]: (
    argument: Parameters<ModelCalls[Call]>[0],
  ) => Promise<ReturnType<ModelCalls[Call]>>;
} & {
  /** Resolves with the reason when the worker has ended, by itself or by `end`. Its models are gone. */
  readonly ended: Promise<string>;
  /** Ends the worker at once, whatever it is doing. */
  end(): Promise<void>;
};

export interface LoadRequest {
  readonly metricId: string;
  readonly modelParams: Json;
  /** Null makes a new model. The bytes may change hands: the caller must not need them afterwards. */
  readonly checkpoint: { readonly name: CheckpointName; readonly bytes: Uint8Array } | null;
}

/** A model that could not be built, or a checkpoint that could not be used, says why in `failure`. */
export type LoadReply =
  | {
      readonly bytes: number;
      /** CPU time it took. */
      readonly cpuMs: number;
      readonly failure: null;
    }
  | { readonly failure: string };

export interface SaveReply {
  /** As codec.ts makes them, in a buffer of their own. */
  readonly checkpoint: Uint8Array<ArrayBuffer>;
  /** CPU time it took. */
  readonly cpuMs: number;
}

/** Consecutive rows; the arrays have the same length. */
export interface RunRequest {
  readonly metricId: string;
  /** Epoch seconds. */
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** How each row is taken (`RowMode`); absent if all are as usual. */
  readonly modes?: Uint8Array<ArrayBuffer>;
  /** How many of the rows, the first ones, were processed before: their time is told apart. */
  readonly replayed: number;
}

export interface RunReply {
  /** One per row, NaN for one that is skipped; shorter than the request if the row after the last of these failed. */
  readonly rawScores: Float64Array<ArrayBuffer>;
  /** JSON texts of the best predictions, one per score other than NaN; null while the classifier is off. */
  readonly predictions: readonly string[] | null;
  /** Memory the model takes now. */
  readonly bytes: number;
  /** CPU time of the rows that were processed before, and of the others. */
  readonly replayMs: number;
  readonly computeMs: number;
  /** Why the row after the last score failed. The model was dropped: its state is undefined. */
  readonly failure: string | null;
}

/** The worker that held a model ended before it answered. The model comes back from its checkpoint and its rows. */
export class WorkerLostError extends Error {
  override readonly name = 'WorkerLostError';
}
