import type { AnswerOf } from '../contract/operation.ts';
import type { getRetention } from '../contract/retention.ts';
import type { DatasourceRegistry } from '../datasources/registry.ts';
import type { IncidentService } from '../incidents/incidents.ts';
import type { CountsRefusals, Intake } from '../intake.ts';
import type { RefusalReason, Result, Sample, TimeRange } from '../metric.ts';
import type { ModelChange } from '../model-command.ts';
import type { LikelihoodReport, ModelReport } from '../monitoring/model-report.ts';
import type { ExportedModel } from '../monitoring/transfer.ts';
import type { Relearning } from '../store/catalogue.ts';
import type { Leases } from '../store/leases.ts';
import type { Queries } from '../store/queries.ts';
import type { Telemetry } from '../telemetry.ts';

/** What the API may do to metrics and their models. Each is described in src/monitoring. */
export interface MetricControl {
  createMetric(name: string): Promise<string>;
  renameMetric(metricId: string, name: string): Promise<void>;
  /** @param spec a `ModelSpec`, checked there. */
  monitorMetric(spec: unknown): Promise<string>;
  activateModel(metricId: string): Promise<unknown>;
  cloneModel(metricId: string, name: string, rows: boolean): Promise<string>;
  unmonitorMetric(metricId: string): Promise<void>;
  deleteMetricByName(name: string): Promise<void>;
}

/** What the API may do to a model that exists; see src/monitoring/model-control.ts. */
export interface ModelControl {
  restart(
    metricId: string,
    how: 'retry' | 'skip' | 'relearn',
    relearning?: Partial<Relearning>,
  ): Promise<void>;
  change(metricId: string, change: ModelChange): Promise<unknown>;
  doNotLearn(metricId: string, times: TimeRange, relearn: boolean): Promise<void>;
  deleteRows(metricId: string, times: TimeRange, relearn: boolean): Promise<number>;
}

/** Everything there is to tell of a model; see src/monitoring/model-report.ts. */
export interface TellsOfModels {
  describe(name: string): Promise<ModelReport>;
  likelihood(name: string): Promise<LikelihoodReport>;
}

/** Monitors a metric as a model spec says; see src/monitoring/transfer.ts. */
export type ImportModel = (
  spec: unknown,
) => Promise<{ readonly metricId: string; readonly outcome: 'monitored' | 'already_monitored' }>;

/** Serves results of all metrics from now on, those of one metric in order. */
export type LiveSubscribe = (
  handler: (results: readonly Result[]) => Promise<void>,
) => Promise<{ unsubscribe(): Promise<void> }>;

/** Stored results of a metric after a position; null unless a generation is open. */
export type ReadResults = (
  metricId: string,
  after: { readonly generation: number; readonly rowid: number },
  limit: number,
) => Promise<{
  /** The open one; if it is another than that of the position there are no results. */
  readonly generation: number;
  readonly scoredRowid: number;
  readonly results: readonly Result[];
} | null>;

/** How long rows are kept; see src/retention. */
export interface RetentionControl {
  status(): AnswerOf<typeof getRetention>;
  /** Begins a pass over all metrics unless one is running. */
  begin(): void;
  /** A metric's own age in seconds: 0 for ever, null for none. */
  maxAge(metricId: string): Promise<number | null>;
  setMaxAge(metricId: string, maxAgeSeconds: number | null): Promise<void>;
}

/** What the API needs of the engine; it never reaches into other stages. */
export interface ApiServices {
  readonly queries: Queries;
  readonly control: MetricControl;
  readonly models: ModelControl;
  readonly reports: TellsOfModels;
  readonly retention: RetentionControl;
  readonly importModel: ImportModel;
  /** Spec and newest rows of a monitored metric; see src/monitoring/transfer.ts. */
  readonly exportModel: (metricId: string) => Promise<ExportedModel>;
  readonly datasources: Pick<DatasourceRegistry, 'names' | 'create'>;
  readonly incidents: Pick<
    IncidentService,
    'list' | 'acknowledge' | 'mute' | 'mutes' | 'unmute' | 'callUsual' | 'usualPatterns' | 'forgetUsual'
  >;
  readonly intake: Intake;
  readonly refusals: CountsRefusals;
  /** One Graphite line, by the listener's rules: the sample, why there is none, or null for a blank line. */
  readonly readLine: (line: Buffer) => Sample | RefusalReason | null;
  readonly telemetry: Telemetry;
  readonly subscribeLive: LiveSubscribe;
  readonly readResults: ReadResults;
  /** The anomaly score on its log scale, 0..1. */
  readonly logLikelihood: (anomalyScore: number) => number;
  /** Who works on which partition of a stage. */
  readonly leases: Pick<Leases, 'look'>;
  /** Of this program. */
  readonly version: string;
  /** Resolves when the engine can keep what it accepts; rejects with the reason otherwise. */
  readonly ready: () => Promise<void>;
}
