import { HtmEngineError } from '../errors.ts';
import { ModelParameterError, parseCompleteParameters, type ModelParameters } from '../htm/index.ts';

/** The original's keys of `completeModelParams`; all are needed. */
const KEYS = ['inferenceArgs', 'timestampFieldName', 'valueFieldName', 'modelConfig'] as const;
export type CompleteSpec = Readonly<Record<(typeof KEYS)[number], unknown>>;

/**
 * Refuses a spec whose complete parameters contradict something else in it, in the original's order (system reference
 * 5.5): each refusal has a message and a `details.path` of its own.
 * @throws HtmEngineError `invalid_argument`
 */
export function checkCompleteSpec(spec: object): void {
  const { completeModelParams: given, modelParams } = spec as Readonly<Record<string, unknown>>;
  if (given === undefined) return;
  if (modelParams !== undefined)
    throw refused('modelParams', 'modelParams and completeModelParams exclude each other: give one of them');
  const complete = objectOf(given, 'completeModelParams');
  for (const key of KEYS)
    if (complete[key] === undefined)
      throw refused(`completeModelParams.${key}`, `completeModelParams.${key} is missing`);
  const { predictedField } = objectOf(complete['inferenceArgs'], 'completeModelParams.inferenceArgs');
  if (predictedField !== complete['valueFieldName'])
    throw refused(
      'completeModelParams.inferenceArgs.predictedField',
      'completeModelParams.inferenceArgs.predictedField must be completeModelParams.valueFieldName: that field is predicted',
    );
}

/** The model that complete parameters describe. @throws HtmEngineError `invalid_argument` */
export function completeParameters(complete: CompleteSpec): ModelParameters {
  try {
    return parseCompleteParameters(complete).parameters;
  } catch (error) {
    if (!(error instanceof ModelParameterError)) throw error;
    throw refused(`completeModelParams.${error.path}`, `completeModelParams: ${error.message}`);
  }
}

function objectOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused(path, `${path} must be an object`);
  return value as Readonly<Record<string, unknown>>;
}

function refused(path: string, what: string): HtmEngineError {
  return new HtmEngineError('invalid_argument', `model spec: ${what}`, { path });
}
