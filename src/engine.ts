import { randomUUID } from 'node:crypto';
import { pino, type Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Address } from './address.ts';
import { AnomalyService } from './anomaly/anomaly-service.ts';
import { Api } from './api/server.ts';
import type { ApiServices } from './api/services.ts';
import { createMemoryBus } from './bus/memory/memory-bus.ts';
import type { CheckpointName, CheckpointStore } from './checkpoints/checkpoint-store.ts';
import { FilesystemCheckpointStore } from './checkpoints/filesystem/filesystem-checkpoint-store.ts';
import { DemoFeeder, type DemoServices } from './collector/demo/demo-feeder.ts';
import { HostCollector, type HostCollectorOptions } from './collector/host.ts';
import { systemReaders } from './collector/readers.ts';
import type { Config, ConfigInput } from './config.ts';
import { parseConfig } from './config/resolve.ts';
import { openDataDirectory } from './data-directory.ts';
import { hasCode, HtmEngineError } from './errors.ts';
import { logLikelihood } from './htm/index.ts';
import { createIntake, type GivenSample, type Intake, type SampleOutcome } from './intake.ts';
import { ScoringLag } from './lag.ts';
import { createLineReader } from './listener/line-reader.ts';
import { GraphiteListener, type GraphiteListenerServices } from './listener/listener.ts';
import { createLogger } from './logging.ts';
import type { Metric } from './metric.ts';
import { automaticRequest, type ModelSettings } from './monitoring/generation-request.ts';
import type { ModelSpec } from './monitoring/model-spec.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { ModelTransfer, type ExportedModel } from './monitoring/transfer.ts';
import type { ResultHandler } from './publishing/delivery.ts';
import { Publisher, type Subscription } from './publishing/publisher.ts';
import { StoredResults } from './publishing/stored-results.ts';
import { RefusalCounter } from './refusals.ts';
import { openStore, SQLITE } from './open-store.ts';
import { storeRepetitions } from './store-repetitions.ts';
import { ModelScheduler } from './scheduler/model-scheduler.ts';
import type { DataRow, DataSelection, MetricSummary } from './store/queries.ts';
import type { Store } from './store/store.ts';
import { MetricStorer } from './storer/metric-storer.ts';
import { timedLog } from './timed-log.ts';
import { version } from './version.ts';

/** Where a running engine listens; null for what is switched off. */
export interface EngineAddresses {
  readonly http: Address | null;
  readonly graphite: Address | null;
}

export interface SubscribeOptions {
  /**
   * A lasting name, 1-64 letters, digits or `_ . : -`: what is scored while nobody listens is delivered after the
   * next `subscribe` under it. Without a name delivery begins with what is scored from now on.
   */
  readonly consumer?: string;
}

/** How long each service may take to finish what it is in. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * The whole engine in this process: every service, on SQLite and an in-memory bus. The one place that names concrete
 * adapters.
 *
 * An engine starts once and stops once. Services start in the order that lets each find those it hands work to, and
 * stop in the opposite one: first what lets samples in, so that what was accepted is stored, last the store.
 */
export class Engine {
  readonly config: Config;
  /** Resolves with the reason if the engine can no longer work and should be stopped. */
  readonly failed: Promise<Error>;
  readonly #fail: (reason: Error) => void;
  readonly #log: Logger;
  /** How to end what was started, in the order it was. */
  readonly #started: (() => Promise<void> | void)[] = [];
  #services: Services | null = null;
  #stopped: Promise<void> | null = null;

  /** @throws HtmEngineError `config_invalid` */
  constructor(settings: ConfigInput = {}) {
    this.config = parseConfig(settings);
    ({ promise: this.failed, resolve: this.#fail } = Promise.withResolvers<Error>());
    this.#log = createLogger(
      this.config.log.level,
      pino.destination({ dest: process.stderr.fd, sync: true }),
    );
  }

  /**
   * Opens the data directory and starts every service. If one cannot start, those before it are stopped again.
   * @throws HtmEngineError `data_directory_unwritable`, `store_locked`, `store_newer`, `listen_failed`
   */
  async start(): Promise<void> {
    if (this.#started.length > 0 || this.#stopped !== null) throw new Error('an engine starts once');
    try {
      this.#services = await this.#startServices();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops taking samples in, finishes what was begun within a bounded time, closes the store. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopServices();
    return this.#stopped;
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
   * Lets a model begin again: `retry` one in ERROR with the same row, `relearn` any from the lowest stored row.
   * @throws HtmEngineError `metric_not_found`, `metric_not_monitored`, `metric_status_changed`
   */
  restartModel(metricId: string, how: 'retry' | 'relearn'): Promise<void> {
    return this.#running.monitoring.restartModel(metricId, how);
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

  /** The saved models of a metric, newest first. */
  checkpoints(metricId: string): Promise<CheckpointName[]> {
    return this.#running.checkpoints.list(metricId);
  }

  get #running(): Services {
    if (this.#services === null)
      throw new HtmEngineError('stopped', 'the engine is not running: call start() first');
    return this.#services;
  }

  async #startServices(): Promise<Services> {
    const { config } = this;
    const nowSeconds = () => Math.floor(Date.now() / 1000);
    const telemetry = { log: this.#log, registry: new Registry() };
    collectDefaultMetrics({ register: telemetry.registry });

    const directory = openDataDirectory(config.dataDirectory);
    this.#started.push(() => directory.release());
    const store = await openStore(config.store, directory.databaseFile, {
      onFailure: this.#fail,
      onRepeat: storeRepetitions(telemetry),
    });
    this.#started.push(() => store.close());
    const epoch = await store.catalogue.takeLeases(randomUUID());
    const checkpoints = areCheckpointsRows(config)
      ? store.checkpoints
      : await FilesystemCheckpointStore.open(directory.checkpointDirectory);
    const bus = createMemoryBus(config.bus, telemetry);
    const refusals = new RefusalCounter(telemetry);
    const log = timedLog(store.log, telemetry.registry);
    const lag = new ScoringLag(telemetry.registry);

    const publisher = new Publisher({ ...config.publishing, log, bus, telemetry, epoch, logLikelihood });
    publisher.start();
    this.#started.push(() => publisher.stop(STOP_TIMEOUT_MS));

    const anomaly = new AnomalyService({ ...config.anomaly, log, bus, telemetry, lag, epoch });
    anomaly.start();
    this.#started.push(() => anomaly.stop(STOP_TIMEOUT_MS));

    const scheduler = new ModelScheduler({
      store: log,
      bus,
      checkpoints,
      telemetry,
      settings: config.scheduler,
      epoch,
    });
    this.#started.push(() => scheduler.stop());
    await scheduler.start();

    const models = modelSettings(config);
    const monitoring = new Monitoring({
      catalogue: store.catalogue,
      bus,
      telemetry,
      forgetModel: (metricId) => {
        lag.forget(metricId);
        return scheduler.forget(metricId);
      },
      models,
      sweepMs: config.monitoring.sweepMs,
    });
    monitoring.start();
    this.#started.push(() => monitoring.stop(STOP_TIMEOUT_MS));

    const autoMonitor = config.monitoring.auto ? automaticRequest(models) : null;
    const activate = (metricIds: readonly string[]) => monitoring.activateReady(metricIds);
    await new MetricStorer({ bus, log, refusals, telemetry, lag, autoMonitor, activate }).start();
    this.#started.push(() => bus.close());

    const intake = createIntake(bus, refusals, nowSeconds);
    const transfer = new ModelTransfer({
      catalogue: store.catalogue,
      queries: store.queries,
      bus,
      monitoring,
      nowSeconds,
    });
    const addresses = {
      http: await this.#startApi({
        store,
        checkpoints,
        monitoring,
        publisher,
        importModel: (spec) => transfer.importModel(spec),
        intake,
        refusals,
        readLine: createLineReader(config.listener.graphite.maxLineBytes, nowSeconds),
        telemetry,
      }),
      graphite: await this.#startGraphite({ bus, refusals, telemetry, nowSeconds }),
    };
    if (config.collector.host) await this.#startHostCollector({ bus, telemetry, monitoring });
    if (config.collector.demo) this.#startDemo({ store, monitoring, intake, telemetry, nowSeconds });
    return { store, checkpoints, monitoring, transfer, publisher, intake, addresses };
  }

  async #startApi(
    services: Pick<Services, 'store' | 'checkpoints' | 'monitoring' | 'publisher'> &
      Pick<ApiServices, 'importModel' | 'intake' | 'refusals' | 'readLine' | 'telemetry'>,
  ): Promise<Address | null> {
    const { enabled, ...options } = this.config.api;
    if (!enabled) return null;
    const { store, checkpoints, monitoring, publisher, ...others } = services;
    const results = new StoredResults(store.log, logLikelihood);
    const api = new Api(
      { ...options, maxSamples: this.config.bus.maxBatchSamples },
      {
        ...others,
        queries: store.queries,
        control: monitoring,
        subscribeLive: (handler) => publisher.subscribeLive(handler),
        readResults: (metricId, after, limit) => results.read(metricId, after, limit),
        logLikelihood,
        checkpoints: (metricId) => checkpoints.list(metricId),
        version: version(),
        ready: () => store.ping(),
      },
    );
    this.#started.push(() => api.stop());
    return { host: options.host, port: await api.start() };
  }

  async #startGraphite(services: GraphiteListenerServices): Promise<Address | null> {
    const { enabled, ...options } = this.config.listener.graphite;
    if (!enabled) return null;
    const listener = new GraphiteListener(options, services);
    this.#started.push(() => listener.stop());
    return { host: options.host, port: await listener.start() };
  }

  /** This machine's own metrics have known ranges, so they are monitored with those from their first row on. */
  async #startHostCollector({
    monitoring,
    ...services
  }: Pick<HostCollectorOptions, 'bus' | 'telemetry'> & Pick<Services, 'monitoring'>): Promise<void> {
    const { intervalSeconds } = this.config.collector;
    const collector = new HostCollector({
      ...services,
      readers: systemReaders(this.config.dataDirectory),
      intervalSeconds,
    });
    for (const { name, range } of await collector.metrics()) {
      try {
        await monitoring.monitorMetric({ metricSpec: { metric: name }, modelParams: range });
      } catch (error) {
        if (!hasCode(error, 'metric_already_monitored')) throw error;
      }
    }
    await collector.start();
    this.#started.push(() => collector.stop());
  }

  #startDemo({
    store,
    monitoring,
    ...services
  }: Pick<DemoServices, 'intake' | 'telemetry' | 'nowSeconds'> &
    Pick<Services, 'store' | 'monitoring'>): void {
    const demo = new DemoFeeder({
      ...services,
      monitor: (spec) => monitoring.monitorMetric(spec),
      findMetric: (name) => store.catalogue.findMetric(name),
      firstTimestamp: async (metricId) =>
        (await store.queries.readData(metricId, { limit: 1 }))[0]?.timestamp ?? null,
    });
    demo.start();
    this.#started.push(() => demo.stop());
  }

  async #stopServices(): Promise<void> {
    for (let end = this.#started.pop(); end !== undefined; end = this.#started.pop()) {
      try {
        await end();
      } catch (error) {
        // The others must be ended all the same.
        this.#log.error(
          { event: 'engine.stop_failed', err: error },
          'a service could not be stopped properly',
        );
      }
    }
  }
}

function modelSettings({ monitoring: { minimumRows, variant, ceiling } }: Config): ModelSettings {
  const { enabled, ...limits } = ceiling;
  return { minimumRows, variant, ceiling: enabled ? limits : null };
}

function areCheckpointsRows({ checkpoints: { keptIn }, store }: Config): boolean {
  return keptIn === 'auto' ? store.url !== SQLITE : keptIn === 'database';
}

/** What an engine's operations need while it runs. */
interface Services {
  readonly store: Store;
  readonly checkpoints: CheckpointStore;
  readonly monitoring: Monitoring;
  readonly transfer: ModelTransfer;
  readonly publisher: Publisher;
  readonly intake: Intake;
  readonly addresses: EngineAddresses;
}
