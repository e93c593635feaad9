import {
  AnomalyModel,
  DEFAULT_LIKELIHOOD,
  LikelihoodWithHistory,
  logLikelihood,
  scalarAnomalyParameters,
  type ScalarAnomalyOptions,
} from '../htm/index.ts';

/** Rows whose anomaly score is 0.5 because nothing can be said yet. */
export const LEARNING_ROWS = DEFAULT_LIKELIHOOD.learningPeriod + DEFAULT_LIKELIHOOD.estimationSamples;

/** What is found out about a row. */
export interface RowScores {
  /** The model's, 0 .. 1: the share of the row that it did not expect. */
  readonly rawScore: number;
  /** 1 minus the tail probability, 0 .. 1. */
  readonly anomalyScore: number;
  /** The same on a log scale, 0 .. 1. */
  readonly logLikelihood: number;
  /** The value that the model expects in the next row; null without predictions, or if it has none. */
  readonly prediction: number | null;
}

/** A model with its likelihood, as the engine runs them for a metric, fed row by row. */
export class Detector {
  readonly #model: AnomalyModel;
  readonly #likelihood = new LikelihoodWithHistory(DEFAULT_LIKELIHOOD);

  constructor(options: ScalarAnomalyOptions) {
    this.#model = AnomalyModel.create(scalarAnomalyParameters(options));
  }

  /** The next row. @param value finite. */
  next(timestampSeconds: number, value: number): RowScores {
    const rawScore = this.#model.run(timestampSeconds, value);
    const anomalyScore = this.#likelihood.next(value, rawScore);
    const predicts = this.#model.parameters.classifier !== null;
    return {
      rawScore,
      anomalyScore,
      logLikelihood: logLikelihood(anomalyScore),
      prediction: predicts ? this.#model.bestPrediction(1) : null,
    };
  }
}
