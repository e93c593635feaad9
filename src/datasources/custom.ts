import { HtmEngineError } from '../errors.ts';
import { CUSTOM_DATASOURCE } from '../metric.ts';
import type { ModelSpec } from '../monitoring/model-spec.ts';
import type { ExportedModel } from '../monitoring/transfer.ts';
import type { DatasourceAdapter } from './adapter.ts';

/** What the adapter asks of an engine. */
export type CustomOperations = Omit<
  DatasourceAdapter,
  'getMatchingResources' | 'getInstanceNameForModelSpec'
> & {
  /** @returns the new metric's id. @throws HtmEngineError `metric_already_exists` (`details.metricId`), `invalid_metric_name` */
  createMetric(name: string): Promise<string>;
  /** Removes a metric, its model and its rows. @throws HtmEngineError `metric_not_found` */
  deleteMetricByName(name: string): Promise<void>;
};

/** The source of metrics that come in through listeners. */
export class CustomDatasourceAdapter implements DatasourceAdapter {
  readonly #engine: CustomOperations;

  constructor(engine: CustomOperations) {
    this.#engine = engine;
  }

  /** As of an engine; see `CustomOperations`. */
  createMetric(name: string): Promise<string> {
    return this.#engine.createMetric(name);
  }

  /** As of an engine; see `CustomOperations`. */
  deleteMetricByName(name: string): Promise<void> {
    return this.#engine.deleteMetricByName(name);
  }

  monitorMetric(spec: ModelSpec): Promise<string> {
    return this.#engine.monitorMetric(spec);
  }

  activateModel(metricId: string): Promise<void> {
    return this.#engine.activateModel(metricId);
  }

  unmonitorMetric(metricId: string): Promise<void> {
    return this.#engine.unmonitorMetric(metricId);
  }

  exportModel(metricId: string): Promise<ExportedModel> {
    return this.#engine.exportModel(metricId);
  }

  importModel(spec: ExportedModel): Promise<string> {
    return this.#engine.importModel(spec);
  }

  getMatchingResources(): Promise<readonly object[]> {
    return Promise.reject(
      new HtmEngineError(
        'not_supported',
        `the datasource "${CUSTOM_DATASOURCE}" knows no resources: its metrics are those that were sent`,
      ),
    );
  }

  getInstanceNameForModelSpec({ metricSpec }: ModelSpec): string | null {
    return metricSpec.resource ?? null;
  }
}
