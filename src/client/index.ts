/**
 * `htmengine/client`: a running engine's HTTP interface, typed by the schemas that the engine checks with.
 * Every method throws `HtmEngineError` with code `engine_unreachable` or `engine_refused` (`details.code` is the engine's own).
 */
export { HtmEngineError } from '../errors.ts';
export { EngineClient, type RowSelection } from './engine-client.ts';
export { type ClientOptions, refusedWith } from './http.ts';
export { resultEvents, type StreamEvent, type StreamOptions } from './result-stream.ts';
export type {
  BucketJson,
  BulkAnswer,
  BulkRequest,
  CreateModelRequest,
  DoNotLearnRequest,
  ImportOutcome,
  IntervalJson,
  Learning,
  LikelihoodJson,
  MetricJson,
  ModelJson,
  ModelSpecJson,
  MonitorRequest,
  Ranking,
  RankingQuery,
  RestartRequest,
  ResultJson,
  RowJson,
  SampleJson,
  SamplesAnswer,
  StatusJson,
} from './types.ts';
