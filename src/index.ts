/**
 * `htmengine`: the engine as a library.
 *
 * ```ts
 * import { Engine } from 'htmengine';
 *
 * const engine = new Engine({ dataDirectory: './data', api: { enabled: false } });
 * await engine.start();
 * const subscription = engine.subscribe(async (results) => console.log(results), { consumer: 'my-app' });
 * await engine.monitorMetric({ datasource: 'custom', metricSpec: { metric: 'room.temperature' }, modelParams: { min: 0, max: 40 } });
 * await engine.push([{ name: 'room.temperature', value: 21.5 }]);
 * ...
 * await engine.stop();
 * ```
 */
export { Engine, type EngineAddresses, type SubscribeOptions } from './engine.ts';
export type { DatasourceAdapter } from './datasources/adapter.ts';
export type { CustomDatasourceAdapter } from './datasources/custom.ts';
export type { AdapterFactory, DatasourceRegistry } from './datasources/registry.ts';
export type { Config, ConfigInput } from './config.ts';
export { loadConfig } from './config/resolve.ts';
export { HtmEngineError, type ErrorCode } from './errors.ts';
export type { GivenSample, SampleOutcome } from './intake.ts';
export {
  MetricStatus,
  type Metric,
  type RefusalReason,
  type Result,
  type Sample,
  type TimeRange,
} from './metric.ts';
export type { ModelReport } from './monitoring/model-report.ts';
export type { ModelSpec } from './monitoring/model-spec.ts';
export type { ExportedModel } from './monitoring/transfer.ts';
export type { Incident } from './incidents/grouping.ts';
export type { CheckpointName } from './checkpoints/checkpoint-store.ts';
export type { DataRow, DataSelection, MetricSummary } from './store/queries.ts';
