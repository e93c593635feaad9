/**
 * `htmengine/htm`: the HTM anomaly model of a scalar metric and the likelihood on top of it, without the engine
 * around them. No I/O, no clock; equal parameters and records give equal results, bit for bit, on every machine.
 */
export { AnomalyModel, algorithmRevision } from './model.ts';
export { rdseResolution, scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';
export type { ScalarAnomalyOptions } from './scalar-anomaly-parameters.ts';
export { checkCeiling } from './ceiling.ts';
export type { Ceiling } from './ceiling.ts';
export { parseModelParameters } from './parameters.ts';
export type { MemoryParameters, ModelParameters, PredictionParameters } from './parameters.ts';
export { parseCompleteParameters } from './complete-parameters.ts';
export type { CompleteParameters } from './complete-parameters.ts';
export type { EncoderParameters } from './encoders/multi.ts';
export type { DateEncoderParameters, WidthAndRadius } from './encoders/date.ts';
export { EncoderCapacityError } from './encoders/rdse.ts';
export type { RdseParameters } from './encoders/rdse.ts';
export type { ScalarEncoderParameters } from './encoders/scalar.ts';
export type { PoolerParameters } from './pooler-base.ts';
export { ModelParameterError } from './parameter-reader.ts';
export type { ModelParameterErrorCode } from './parameter-reader.ts';
export { ArenaFormatError } from './arena.ts';
export {
  DEFAULT_LIKELIHOOD,
  LikelihoodStateError,
  LikelihoodWithHistory,
  StreamingLikelihood,
  UNDECIDED_SCORE,
} from './streaming-likelihood.ts';
export type { LikelihoodHistory, LikelihoodParameters, LikelihoodStanding } from './streaming-likelihood.ts';
export { displayValue, logLikelihood, MovingAverage } from './likelihood.ts';
export type { Tail } from './likelihood.ts';
export { RangeRule } from './range-rule.ts';
export { ClassifierCapacityError } from './classifier.ts';
export type { Prediction } from './classifier.ts';
