import type { ModelSpec } from '../monitoring/model-spec.ts';
import type { ExportedModel } from '../monitoring/transfer.ts';

/**
 * What an application may do with the metrics of one source (system reference, section 5). An application's own sources
 * implement it, over their own catalogue or over the custom adapter.
 */
export interface DatasourceAdapter {
  /** Monitors the metric that the spec names, created if need be. @returns its id. @throws HtmEngineError `metric_already_monitored` (`details.metricId`), and what is wrong with the spec */
  monitorMetric(spec: ModelSpec): Promise<string>;
  /** Lets a metric that waits for rows begin with those that are there. @throws HtmEngineError `metric_not_found`, `metric_not_monitored`, `statistics_not_ready` */
  activateModel(metricId: string): Promise<void>;
  /** @throws HtmEngineError `metric_not_found` */
  unmonitorMetric(metricId: string): Promise<void>;
  /** @throws HtmEngineError `metric_not_found`, `metric_not_monitored` */
  exportModel(metricId: string): Promise<ExportedModel>;
  /** @returns the metric's id; one that is monitored already is left as it is. */
  importModel(spec: ExportedModel): Promise<string>;
  /** The resources that a query names. @throws HtmEngineError `not_supported` by sources that know none */
  getMatchingResources(query: unknown): Promise<readonly object[]>;
  /** What the metric of a spec belongs to, or null. */
  getInstanceNameForModelSpec(spec: ModelSpec): string | null;
}
