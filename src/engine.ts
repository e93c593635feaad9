import { pino, type Logger } from 'pino';
import type { CheckpointName } from './checkpoints/checkpoint-store.ts';
import type { Config, ConfigInput } from './config.ts';
import type { ReloadOutcome } from './config/reloading.ts';
import { parseConfig } from './config/resolve.ts';
import { DatasourceRegistry } from './datasources/registry.ts';
import { HtmEngineError } from './errors.ts';
import type { GivenSample, SampleOutcome } from './intake.ts';
import { createLogger } from './logging.ts';
import type { Metric, TimeRange } from './metric.ts';
import type { Incident } from './incidents/grouping.ts';
import type { ModelReport } from './monitoring/model-report.ts';
import type { ModelSpec } from './monitoring/model-spec.ts';
import type { ExportedModel } from './monitoring/transfer.ts';
import type { ResultHandler } from './publishing/delivery.ts';
import type { Subscription } from './publishing/publisher.ts';
import { type EngineAddresses, type Services, startServices } from './services.ts';
import { ALL_ROLES, type Role } from './roles.ts';
import { StartedServices } from './started-services.ts';
import type { DataRow, DataSelection, MetricSummary } from './store/queries.ts';

export type { EngineAddresses } from './services.ts';

export interface SubscribeOptions {
  /**
   * A lasting name, 1-64 letters, digits or `_ . : -`: what is scored while nobody listens is delivered after the
   * next `subscribe` under it. Without a name delivery begins with what is scored from now on.
   */
  readonly consumer?: string;
}

/**
 * The whole engine in this process, as a library: starting, stopping, and what an application may ask of it. An engine
 * starts once and stops once.
 */
export class Engine {
  readonly config: Config;
  /** Where metrics come from; an application may register sources of its own. */
  readonly datasources = new DatasourceRegistry(this);
  readonly #roles: ReadonlySet<Role>;
  /** Resolves with the reason if the engine can no longer work and should be stopped. */
  readonly failed: Promise<Error>;
  readonly #fail: (reason: Error) => void;
  readonly #log: Logger;
  readonly #started: StartedServices;
  #services: Services | null = null;
  #starting = false;
  #stopped: Promise<void> | null = null;

  /**
   * @param roles what this process does of the work, where several share it. Operations work whatever they are.
   * @throws HtmEngineError `config_invalid`
   */
  constructor(settings: ConfigInput = {}, roles: ReadonlySet<Role> = ALL_ROLES) {
    this.config = parseConfig(settings);
    this.#roles = roles;
    ({ promise: this.failed, resolve: this.#fail } = Promise.withResolvers<Error>());
    this.#log = createLogger(
      this.config.log.level,
      pino.destination({ dest: process.stderr.fd, sync: true }),
    );
    this.#started = new StartedServices(this.#log);
  }

  /**
   * Opens the data directory and starts every service. If one cannot start, those before it are stopped again.
   * @throws HtmEngineError `data_directory_unwritable`, `store_locked`, `store_newer`, `listen_failed`
   */
  async start(): Promise<void> {
    if (this.#starting || this.#stopped !== null) throw new Error('an engine starts once');
    this.#starting = true;
    try {
      this.#services = await startServices(this.config, {
        roles: this.#roles,
        log: this.#log,
        datasources: this.datasources,
        started: this.#started,
        onFailure: this.#fail,
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops taking samples in, finishes what was begun within a bounded time, closes the store. */
  stop(): Promise<void> {
    this.#stopped ??= this.#started.end();
    return this.#stopped;
  }

  /**
   * Reads settings again: those that can change while the engine runs are in force afterwards (docs/configuration.md).
   * @returns null if they were refused: then nothing has changed, and the log says why
   */
  reload(load: () => Config): ReloadOutcome | null {
    return this.#running.reloading.reload(load);
  }

  get addresses(): EngineAddresses {
    return this.#running.addresses;
  }

  /** Creates a metric, not monitored. @returns its id. @throws HtmEngineError `metric_already_exists`, `invalid_metric_name` */
  createMetric(name: string): Promise<string> {
    return this.#running.monitoring.createMetric(name);
  }

  /**
   * Monitors a metric, which is created if need be: with a range at once, without one as soon as enough rows are stored.
   * @returns the metric's id
   * @throws HtmEngineError `metric_already_monitored`, `metric_not_found`, `invalid_range`, `invalid_argument`, `invalid_metric_name`
   */
  monitorMetric(spec: ModelSpec): Promise<string> {
    return this.#running.monitoring.monitorMetric(spec);
  }

  /** Lets a metric that waits for rows begin with those that are there. @throws HtmEngineError `metric_not_found`, `metric_not_monitored`, `statistics_not_ready` */
  async activateModel(metricId: string): Promise<void> {
    await this.#running.monitoring.activateModel(metricId);
  }

  /**
   * Lets a model begin again: `retry` one in ERROR with the same row, `skip` one without that row, `relearn` any from the lowest stored row.
   * @param options `without`: intervals that a new generation does not learn; those of the present one unless given.
   * @throws HtmEngineError `metric_not_found`, `metric_not_monitored`, `metric_status_changed`, `checkpoint_lost`
   */
  restartModel(
    metricId: string,
    how: 'retry' | 'skip' | 'relearn',
    { without }: { without?: readonly TimeRange[] } = {},
  ): Promise<void> {
    const relearning = without === undefined ? {} : { leaveOut: without, keepLeftOut: false };
    return this.#running.monitoring.models.restart(metricId, how, relearning);
  }

  /** Switches learning on or off, from the next row on. @throws HtmEngineError `metric_not_found`, `metric_not_monitored`, `overloaded` */
  async setLearning(metricId: string, on: boolean): Promise<void> {
    await this.#running.monitoring.models.change(metricId, { what: 'learning', on });
  }

  /** The next row begins a new sequence; what was learned stays. @throws HtmEngineError as `setLearning` */
  async resetModel(metricId: string): Promise<void> {
    await this.#running.monitoring.models.change(metricId, { what: 'reset' });
  }

  /**
   * Leaves an interval unlearned: its rows are scored and change nothing of the model. If any of them is learned already,
   * `relearn` lets a new generation learn everything but this and what was left out before.
   * @throws HtmEngineError `interval_learned` (without `relearn`), `invalid_argument`, and as `setLearning`
   */
  doNotLearn(metricId: string, times: TimeRange, { relearn = false } = {}): Promise<void> {
    return this.#running.monitoring.models.doNotLearn(metricId, times, relearn);
  }

  /**
   * Deletes the rows of an interval. Of a monitored metric only those that nothing may ask for again; with `relearn` any:
   * then the scores go, too, and a new generation learns from what is left.
   * @returns how many. @throws HtmEngineError `rows_needed`, `metric_not_found`, `invalid_argument`
   */
  deleteRows(metricId: string, times: TimeRange, { relearn = false } = {}): Promise<number> {
    return this.#running.monitoring.models.deleteRows(metricId, times, relearn);
  }

  /** Everything there is to tell of the model of the metric of that name. @throws HtmEngineError `metric_not_found`, `metric_not_monitored` */
  describeModel(name: string): Promise<ModelReport> {
    return this.#running.reports.describe(name);
  }

  /**
   * Makes metric `name` a copy of a monitored one: the same frozen parameters and, unless `rows` is false, the same
   * rows, from which its model learns the same. @returns its id
   * @throws HtmEngineError `metric_not_found`, `metric_not_monitored`, `metric_already_exists`, `metric_already_monitored`, `invalid_metric_name`
   */
  cloneModel(metricId: string, name: string, { rows = true }: { rows?: boolean } = {}): Promise<string> {
    return this.#running.monitoring.cloneModel(metricId, name, rows);
  }

  /** The spec of a monitored metric with its rows of the last 14 days. @throws HtmEngineError `metric_not_found`, `metric_not_monitored` */
  exportModel(metricId: string): Promise<ExportedModel> {
    return this.#running.transfer.exportModel(metricId);
  }

  /**
   * Monitors a metric as an exported spec says; its rows are stored if the metric has none. One that is monitored
   * already is left as it is. @returns the metric's id
   * @throws HtmEngineError as `monitorMetric`
   */
  async importModel(spec: ExportedModel): Promise<string> {
    return (await this.#running.transfer.importModel(spec)).metricId;
  }

  /** Ends monitoring: model and scores go, rows stay. @throws HtmEngineError `metric_not_found` */
  unmonitorMetric(metricId: string): Promise<void> {
    return this.#running.monitoring.unmonitorMetric(metricId);
  }

  /** Removes a metric, its model and its rows. @throws HtmEngineError `metric_not_found` */
  deleteMetricByName(name: string): Promise<void> {
    return this.#running.monitoring.deleteMetricByName(name);
  }

  /** Stores samples. @returns what became of each, in order. @throws HtmEngineError `store_unavailable` (none was kept) */
  push(samples: readonly GivenSample[]): Promise<SampleOutcome[]> {
    return this.#running.intake(samples);
  }

  /**
   * Delivers results to `handler`: of each metric in order, at least once. A handler that rejects gets the same
   * results again.
   */
  async subscribe(handler: ResultHandler, { consumer }: SubscribeOptions = {}): Promise<Subscription> {
    const { publisher } = this.#running;
    if (consumer !== undefined && !this.#roles.has('publisher')) {
      throw new HtmEngineError(
        'invalid_argument',
        `consumer ${consumer}: only a process with the role publisher serves consumers that have a name`,
      );
    }
    return consumer === undefined ? publisher.subscribeLive(handler) : publisher.subscribe(consumer, handler);
  }

  findMetric(name: string): Promise<Metric | null> {
    return this.#running.store.catalogue.findMetric(name);
  }

  /** Metrics in byte order of their names after `afterName`, at most `limit` (1 to 10,000). */
  listMetrics(afterName = '', limit = 10_000): Promise<MetricSummary[]> {
    return this.#running.store.queries.listMetrics(afterName, limit);
  }

  /** Rows of a metric with their scores. */
  readData(metricId: string, selection: DataSelection): Promise<DataRow[]> {
    return this.#running.store.queries.readData(metricId, selection);
  }

  /**
   * What was anomalous in a time (inclusive, epoch seconds), or is: spans of all metrics grouped by time, those with the
   * newest rows first. Mutes and what was called usual: `Incident.silenced`.
   */
  async listIncidents(
    selection: { readonly fromTimestamp?: number; readonly toTimestamp?: number } = {},
  ): Promise<readonly Incident[]> {
    return (await this.#running.incidents.list(selection)).incidents;
  }

  /** The saved models of a metric, newest first. */
  checkpoints(metricId: string): Promise<CheckpointName[]> {
    return this.#running.checkpoints.list(metricId);
  }

  get #running(): Services {
    if (this.#services === null)
      throw new HtmEngineError('stopped', 'the engine is not running: call start() first');
    return this.#services;
  }
}
