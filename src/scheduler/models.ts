import type { Json } from '../generation.ts';
import { AnomalyModel, parseModelParameters } from '../htm/index.ts';

/** One model as a worker runs it. */
export interface Model {
  /**
   * One record.
   * @param timestamp epoch seconds UTC.
   * @param learn whether the record changes the model; it does unless told otherwise.
   * @returns the raw anomaly score, 0..1.
   * @throws whatever went wrong inside; the model's state is undefined then.
   */
  run(timestamp: number, value: number, learn?: boolean): number;
  /** The next record is the first of a new sequence. */
  reset(): void;
  /** JSON text of the best predictions after the last record; null while the classifier is off. */
  predictions(): string | null;
  /** The complete state, as a copy. */
  save(): Uint8Array;
  readonly byteLength: number;
  /** Gives its memory back at once. Nothing else is asked of it afterwards. */
  release(): void;
}

/** Makes models; the same parameters and rows give the same scores in every process. */
export interface ModelFactory {
  /** @throws for parameters that are none. */
  create(parameters: Json): Model;
  /** @throws for bytes that `save` of this revision did not make. */
  restore(state: Uint8Array): Model;
}

/** The HTM models. */
export const anomalyModels: ModelFactory = {
  create: (parameters) => hosted(AnomalyModel.create(parseModelParameters(parameters))),
  restore: (state) => hosted(AnomalyModel.from(state)),
};

function hosted(model: AnomalyModel): Model {
  const steps = model.parameters.classifier?.steps ?? null;
  return {
    run: (timestamp, value, learn = true) => {
      model.learning = learn;
      return model.run(timestamp, value);
    },
    reset: () => model.reset(),
    predictions: () =>
      steps === null
        ? null
        : JSON.stringify(Object.fromEntries(steps.map((step) => [step, model.bestPrediction(step)]))),
    save: () => model.bytes(),
    release: () => model.release(),
    get byteLength() {
      return model.byteLength;
    },
  };
}
