import type { Intake } from '../intake.ts';
import type { Queries } from '../store/queries.ts';
import type { Telemetry } from '../telemetry.ts';

/** What the API may do to metrics. */
export interface MetricControl {
  /** @returns the metric's id. */
  monitorMetric(spec: {
    datasource: 'custom';
    metricSpec: { metric: string };
    modelParams: Record<string, unknown>;
  }): Promise<string>;
  deleteMetricByName(name: string): Promise<void>;
}

/** What the API needs of the engine; it never reaches into other stages. */
export interface ApiServices {
  readonly queries: Queries;
  readonly control: MetricControl;
  readonly intake: Intake;
  readonly telemetry: Telemetry;
  /** Resolves when the engine can keep what it accepts; rejects with the reason otherwise. */
  ready(): Promise<void>;
}
