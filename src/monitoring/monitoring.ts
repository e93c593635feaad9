import type { Logger } from 'pino';
import { retryStore } from '../backoff.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Bus } from '../bus/bus.ts';
import { HtmEngineError, hasCode } from '../errors.ts';
import { FoldRunner, FoldTelemetry, type TurnOutcome } from '../fold-runner.ts';
import { MetricStatus, statusName } from '../metric.ts';
import type { Catalogue } from '../store/catalogue.ts';
import type { Retention } from '../store/retention.ts';
import type { Telemetry } from '../telemetry.ts';
import { cloneMetric } from './cloning.ts';
import { generationRequest, type ModelSettings } from './generation-request.ts';
import { ModelControl } from './model-control.ts';
import { checkMetricName, checkModelSpec, type CheckedModelSpec } from './model-spec.ts';
import { notFound, notMonitored } from './refusals.ts';
import type { SavedModels } from './saved-models.ts';
import { SerialByKey } from './serial-by-key.ts';

export interface MonitoringOptions {
  readonly catalogue: Catalogue;
  readonly bus: Pick<Bus, 'wake'>;
  readonly telemetry: Telemetry;
  /** Drops a metric's warm model and all its checkpoints; fine if there are none. */
  readonly forgetModel: (metricId: string) => Promise<void>;
  readonly models: ModelSettings;
  readonly retention: Pick<Retention, 'deleteRows'>;
  readonly savedModels: SavedModels;
  /** How often the store is asked for metrics whose generation may open. */
  readonly sweepMs: number;
  readonly clock?: Clock;
}

/** Rows of one transaction when results are cleared or rows removed, so that others get in between. */
const BATCH_ROWS = 5_000;
const PAGE_METRICS = 100;
/** How often what others left half done is looked for. */
const TIDYING_MS = 60_000;
const ACTIVATION_CONCURRENCY = 4;

/**
 * The operations on metrics that API, library and storer share (system reference, section 5). Those of one metric
 * run one after the other. Each is a few transactions that may be cut short anywhere: repeating it, or `start` on
 * the next run, finishes it.
 */
export class Monitoring {
  /** What is done to a model that exists. */
  readonly models: ModelControl;
  readonly #options: MonitoringOptions;
  readonly #log: Logger;
  readonly #activation: FoldRunner;
  readonly #serial = new SerialByKey();
  readonly #stopping = new AbortController();
  #finishing: Promise<void> = Promise.resolve();
  /** Copies that an earlier run left are gone, so that those that are there are of this run. */
  #copiesAbandoned: Promise<void> = Promise.resolve();

  constructor(options: MonitoringOptions) {
    const { catalogue, telemetry, sweepMs } = options;
    this.#options = options;
    this.#log = telemetry.log.child({ stage: 'monitoring' });
    this.#activation = new FoldRunner({
      turn: (metricId, signal) => this.#activateIfReady(metricId, signal),
      metricsWithWork: (afterMetricId, limit) => catalogue.metricsToActivate(afterMetricId, limit),
      sweepMs,
      concurrency: ACTIVATION_CONCURRENCY,
      log: this.#log,
      telemetry: new FoldTelemetry(telemetry.registry, 'monitoring'),
      ...(options.clock && { clock: options.clock }),
    });
    this.models = new ModelControl({
      ...options,
      saved: options.savedModels,
      log: this.#log,
      serial: this.#serial,
      clearResults: (metricId) => this.#clearResults(metricId),
      opened: (metricId, status) => this.#opened(metricId, status),
    });
  }

  /**
   * Begins to open generations whose rows are there (`activating`), and finishes in the background what was left half done
   * (`tidying`). Where several processes run, one that does not may leave it to others; operations work in each.
   */
  start({ activating = true, tidying = true }: { activating?: boolean; tidying?: boolean } = {}): void {
    if (activating) this.#activation.start();
    if (!tidying) return;
    const { signal } = this.#stopping;
    this.#copiesAbandoned = this.#patiently(signal, () => this.#options.catalogue.abandonCopies());
    this.#finishing = this.#keepTidying();
  }

  /** Ends the background work, at most `timeoutMs`; what is left of it waits for the next start. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    const [ended] = await Promise.all([this.#activation.stop(timeoutMs), this.#finishing]);
    if (!ended)
      this.#log.warn(
        { event: 'monitoring.stop_timed_out', timeoutMs },
        'stopped before the running activations were done',
      );
  }

  /** @returns the new metric's id. @throws invalid_metric_name, metric_already_exists (`details.metricId`) */
  async createMetric(name: string): Promise<string> {
    checkMetricName(name);
    const { metricId, created } = await this.#options.catalogue.createMetric(name);
    if (created) return metricId;
    throw new HtmEngineError('metric_already_exists', `there is a metric ${JSON.stringify(name)} already`, {
      metricId,
    });
  }

  /**
   * Gives a metric another name; its rows and its model stay. Samples that come under the old one make a new metric.
   * @throws invalid_metric_name, metric_not_found, metric_already_exists (`details.metricId`)
   */
  async renameMetric(metricId: string, name: string): Promise<void> {
    checkMetricName(name);
    await this.#serial.run(metricId, () => this.#options.catalogue.renameMetric(metricId, name));
    this.#log.info({ event: 'monitoring.metric_renamed', metricId, name }, 'metric is renamed');
  }

  /**
   * Opens a generation for the metric that the spec names (created if need be) or lets it wait for rows. Nothing
   * happens if the spec is refused.
   * @param spec a `ModelSpec`.
   * @returns the metric's id.
   * @throws invalid_argument, invalid_range, invalid_metric_name, metric_not_found, metric_already_monitored (`details.metricId`)
   */
  async monitorMetric(spec: unknown): Promise<string> {
    const checked = checkModelSpec(spec);
    const { catalogue, models } = this.#options;
    const { metricId, name } = await this.#resolve(checked);
    const request = generationRequest(checked, name, models);
    await this.#serial.run(metricId, async () => {
      await this.#clearResults(metricId);
      const status = await catalogue.monitor(metricId, request);
      this.#log.info(
        { event: 'monitoring.metric_monitored', metricId, name, status: statusName(status) },
        'metric is monitored',
      );
      this.#opened(metricId, status);
    });
    return metricId;
  }

  /**
   * Opens the generation of a waiting metric from all rows there are; of one whose generation is open it changes nothing.
   * @returns the metric's status afterwards: CREATE_PENDING or ACTIVE.
   * @throws metric_not_found, metric_not_monitored, metric_status_changed (ERROR), statistics_not_ready
   */
  async activateModel(metricId: string): Promise<MetricStatus> {
    const { catalogue } = this.#options;
    const status = await this.#serial.run(metricId, () => catalogue.activate(metricId, 'allRows'));
    if (status === MetricStatus.UNMONITORED) {
      throw notMonitored(metricId);
    }
    if (status === MetricStatus.ERROR) {
      throw new HtmEngineError('metric_status_changed', `metric ${metricId} is in ERROR: restart its model`, {
        status,
      });
    }
    this.#opened(metricId, status);
    return status;
  }

  /**
   * Makes metric `name` a copy of a monitored one, with its frozen parameters and, if asked for, its rows: see
   * `cloneMetric`.
   * @returns the new metric's id.
   * @throws invalid_metric_name, metric_not_found, metric_not_monitored, metric_already_exists, metric_already_monitored, metric_status_changed
   */
  async cloneModel(metricId: string, name: string, rows: boolean): Promise<string> {
    checkMetricName(name);
    await this.#copiesAbandoned;
    const clone = await cloneMetric(this.#options.catalogue, metricId, name, rows);
    this.#log.info(
      { event: 'monitoring.model_cloned', metricId, cloneId: clone.metricId, name, rows },
      'model is cloned',
    );
    this.#opened(clone.metricId, clone.status);
    return clone.metricId;
  }

  /** Tells that these metrics may have the rows they wait for: their generations open soon, from exactly the first rows. Never throws. */
  activateReady(metricIds: readonly string[]): void {
    this.#activation.wake(metricIds);
  }

  /** Ends monitoring from whatever state: results cleared, model and checkpoints gone, rows kept. @throws metric_not_found */
  async unmonitorMetric(metricId: string): Promise<void> {
    await this.#serial.run(metricId, async () => {
      await this.#closeGeneration(metricId);
      await this.#clearResults(metricId);
      this.#log.info(
        { event: 'monitoring.metric_unmonitored', metricId },
        'metric is not monitored any more',
      );
    });
  }

  /** Removes a metric with its rows, monitored or not. Its name is free as soon as this resolves. @throws metric_not_found */
  async deleteMetricByName(name: string): Promise<void> {
    const { catalogue } = this.#options;
    const metric = await catalogue.findMetric(name);
    if (metric === null) throw notFound(`there is no metric ${JSON.stringify(name)}`);
    await this.#serial.run(metric.metricId, async () => {
      await this.#closeGeneration(metric.metricId);
      await catalogue.discardMetric(metric.metricId);
      this.#log.info(
        { event: 'monitoring.metric_deleted', metricId: metric.metricId, name },
        'metric is deleted',
      );
    });
    while (await catalogue.removeDiscarded(BATCH_ROWS));
  }

  async #resolve(spec: CheckedModelSpec): Promise<{ metricId: string; name: string }> {
    const { catalogue } = this.#options;
    const { uid, metric: name } = spec.metricSpec;
    if (uid === undefined) {
      if (name === undefined) throw new Error('a checked spec names its metric');
      return { name, metricId: (await catalogue.createMetric(name)).metricId };
    }
    const metric = await catalogue.getMetric(uid);
    if (metric === null) throw notFound(`there is no metric with uid ${JSON.stringify(uid)}`);
    if (name !== undefined && name !== metric.name) {
      throw new HtmEngineError(
        'invalid_argument',
        `model spec: metricSpec.uid is that of metric ${JSON.stringify(metric.name)}, not of metricSpec.metric ${JSON.stringify(name)}: give only one of them`,
        { path: 'metricSpec' },
      );
    }
    return metric;
  }

  /** The scheduler builds the model of a generation that has just opened. */
  #opened(metricId: string, status: MetricStatus): void {
    if (status === MetricStatus.CREATE_PENDING) this.#options.bus.wake('rowsStored', [metricId]);
  }

  async #activateIfReady(metricId: string, signal: AbortSignal): Promise<TurnOutcome> {
    const { catalogue } = this.#options;
    try {
      const activate = () => catalogue.activate(metricId, 'firstRows');
      this.#opened(metricId, await this.#patiently(signal, activate));
    } catch (error) {
      if (!hasCode(error, 'metric_not_found')) throw error;
    }
    return 'idle';
  }

  /**
   * Closes the generation, which hides its results, and drops the model. The model goes before the results are
   * cleared, because results that are left tell the next start what was not finished.
   */
  async #closeGeneration(metricId: string): Promise<void> {
    await this.#options.catalogue.unmonitor(metricId);
    await this.#options.forgetModel(metricId);
  }

  async #clearResults(metricId: string): Promise<void> {
    while (await this.#options.catalogue.clearResults(metricId, BATCH_ROWS));
  }

  /** Again and again: another process may be killed in the middle of something while this one runs. Never rejects. */
  async #keepTidying(): Promise<void> {
    const { signal } = this.#stopping;
    const { clock = systemClock } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#finishInterruptedWork();
      } catch (error) {
        if (hasCode(error, 'stopped')) return;
        this.#log.error(
          { event: 'monitoring.cleanup_failed', err: error },
          'finishing what was left half done failed; trying again',
        );
      }
      await clock.sleep(TIDYING_MS, signal).catch(() => undefined);
    }
  }

  async #finishInterruptedWork(): Promise<void> {
    const { catalogue } = this.#options;
    await this.#copiesAbandoned;
    await this.#repeat(() => catalogue.removeDiscarded(BATCH_ROWS));
    await this.#repeat(async () => {
      const metricIds = await catalogue.metricsToClear(PAGE_METRICS);
      for (const metricId of metricIds) {
        await this.#serial.run(metricId, () => this.#finishClosing(metricId));
      }
      return metricIds.length > 0;
    });
  }

  /** Of a metric that was unmonitored, or waits to learn anew. */
  async #finishClosing(metricId: string): Promise<void> {
    const { catalogue, forgetModel } = this.#options;
    const metric = await catalogue.getMetric(metricId);
    const waits = metric?.status === MetricStatus.PENDING_DATA;
    if (waits || metric?.status === MetricStatus.UNMONITORED) await forgetModel(metricId);
    await this.#repeat(() => catalogue.clearResults(metricId, BATCH_ROWS));
    if (waits) this.#activation.wake([metricId]);
  }

  /** Repeats a batch of background work while it says that there is more, waiting out faults of the store. */
  async #repeat(batch: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#stopping;
    let more = true;
    while (more && !signal.aborted) more = await this.#patiently(signal, batch);
  }

  #patiently<T>(signal: AbortSignal, operation: () => Promise<T>): Promise<T> {
    return retryStore(signal, this.#log, operation, this.#options.clock);
  }
}
