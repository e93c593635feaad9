import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Address } from './address.ts';
import { AnomalyService } from './anomaly/anomaly-service.ts';
import { startCustomData, startResultsExchange } from './broker-edges.ts';
import type { CheckpointStore } from './checkpoints/checkpoint-store.ts';
import { FilesystemCheckpointStore } from './checkpoints/filesystem/filesystem-checkpoint-store.ts';
import type { Config } from './config.ts';
import { Reloading } from './config/reloading.ts';
import { openDataDirectory } from './data-directory.ts';
import { DiskWatch } from './disk-watch.ts';
import { type EdgeServices, startApi, startDemo, startGraphite, startHostCollector } from './edges.ts';
import { algorithmRevision, logLikelihood } from './htm/index.ts';
import { IncidentService } from './incidents/incidents.ts';
import { createIntake, type Intake } from './intake.ts';
import { ScoringLag } from './lag.ts';
import { automaticRequest } from './monitoring/generation-request.ts';
import { modelSettings } from './monitoring/model-settings.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { ModelTransfer } from './monitoring/transfer.ts';
import { openBus } from './open-bus.ts';
import { listCheckpointFiles, openStore, SQLITE } from './open-store.ts';
import { openOwnership } from './ownership/open-ownership.ts';
import { Publisher } from './publishing/publisher.ts';
import { RefusalCounter } from './refusals.ts';
import { RetentionService } from './retention/retention-service.ts';
import { ModelScheduler } from './scheduler/model-scheduler.ts';
import type { StartedServices } from './started-services.ts';
import { storeRepetitions } from './store-repetitions.ts';
import type { Store } from './store/store.ts';
import { MetricStorer } from './storer/metric-storer.ts';
import { timedLog } from './timed-log.ts';

/** Where a running engine listens; null for what is switched off. */
export interface EngineAddresses {
  readonly http: Address | null;
  readonly graphite: Address | null;
}

/** What an engine's operations need while it runs. */
export interface Services {
  readonly store: Store;
  readonly checkpoints: CheckpointStore;
  readonly monitoring: Monitoring;
  readonly incidents: IncidentService;
  readonly transfer: ModelTransfer;
  readonly publisher: Publisher;
  readonly intake: Intake;
  readonly reloading: Reloading;
  readonly addresses: EngineAddresses;
}

/** What the services are started with, besides the settings. */
export interface ServiceContext {
  readonly log: Logger;
  /** Filled as services start, so that those that did can be ended if a later one cannot start. */
  readonly started: StartedServices;
  /** Told once if the engine can no longer work. */
  readonly onFailure: (error: Error) => void;
}

const DAY_SECONDS = 86_400;
/** How long each service may take to finish what it is in. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * The composition root: every service in this process, on the store and the bus that are configured; the one place that
 * names concrete adapters (with `open-store.ts` and `open-bus.ts`). Services start in the order that lets each find those it hands work
 * to, and are ended in the opposite one: first what lets samples in, so that what was accepted is stored, last the store.
 * @throws HtmEngineError `data_directory_unwritable`, `store_locked`, `store_newer`, `listen_failed`
 */
export async function startServices(
  config: Config,
  { log: logger, started, onFailure }: ServiceContext,
): Promise<Services> {
  const nowSeconds = () => Math.floor(Date.now() / 1000);
  const telemetry = { log: logger, registry: new Registry() };
  collectDefaultMetrics({ register: telemetry.registry });

  const directory = openDataDirectory(config.dataDirectory);
  started.push(() => directory.release());
  const store = await openStore(config.store, directory.databaseFile, {
    onFailure,
    onRepeat: storeRepetitions(telemetry),
  });
  started.push(() => store.close());
  const ownershipOf = await openOwnership({
    store,
    isSole: config.store.url === SQLITE,
    settings: config.ownership,
    telemetry,
    started,
  });
  const checkpoints = areCheckpointsRows(config)
    ? store.checkpoints
    : await FilesystemCheckpointStore.open(directory.checkpointDirectory);
  const { bus, original, disconnect } = await openBus(
    config.bus,
    () => store.catalogue.partitions(),
    telemetry,
  );
  started.push(disconnect);
  const refusals = new RefusalCounter(telemetry);
  const log = timedLog(store.log, telemetry.registry);
  const lag = new ScoringLag(telemetry.registry);

  const publisher = new Publisher({
    ...config.publishing,
    log,
    bus,
    telemetry,
    ownership: await ownershipOf('publishing'),
    logLikelihood,
  });
  publisher.start();
  started.push(() => publisher.stop(STOP_TIMEOUT_MS));

  const anomaly = new AnomalyService({
    ...config.anomaly,
    log,
    bus,
    telemetry,
    lag,
    ownership: await ownershipOf('anomaly'),
  });
  anomaly.start();
  started.push(() => anomaly.stop(STOP_TIMEOUT_MS));

  const scheduler = new ModelScheduler({
    store: log,
    bus,
    checkpoints,
    telemetry,
    settings: config.scheduler,
    ownership: await ownershipOf('scheduler'),
  });
  started.push(() => scheduler.stop());
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
  started.push(() => monitoring.stop(STOP_TIMEOUT_MS));

  const retention = new RetentionService({
    ...retentionSettings(config),
    retention: store.retention,
    checkpoints: (metricId) => checkpoints.list(metricId),
    knowsRevision: (revision) => revision === algorithmRevision,
    telemetry,
    nowSeconds,
  });
  const { budgetBytes, intervalSeconds } = config.disk;
  const disk = new DiskWatch({
    dataDirectory: directory.path,
    databaseFile: directory.databaseFile,
    checkpointFiles: () => listCheckpointFiles(directory.path),
    budgetBytes,
    intervalMs: intervalSeconds * 1000,
    telemetry,
  });
  disk.start();
  started.push(() => disk.stop());
  retention.start();
  started.push(() => retention.stop());

  const autoMonitor = config.monitoring.auto ? automaticRequest(models) : null;
  const activate = (metricIds: readonly string[]) => monitoring.activateReady(metricIds);
  await new MetricStorer({ bus, log, refusals, telemetry, lag, autoMonitor, activate }).start();
  started.push(() => bus.close());

  const intake = createIntake(bus, refusals, nowSeconds);
  const transfer = new ModelTransfer({
    catalogue: store.catalogue,
    queries: store.queries,
    bus,
    monitoring,
    nowSeconds,
  });
  const incidents = new IncidentService({ ...config.incidents, store: store.incidents, nowSeconds });
  const reloading = new Reloading(config, telemetry);
  const edges: EdgeServices = {
    store,
    checkpoints,
    bus,
    monitoring,
    incidents,
    transfer,
    publisher,
    retention,
    intake,
    refusals,
    telemetry,
    nowSeconds,
    reloading,
    started,
  };
  const addresses = { http: await startApi(config, edges), graphite: await startGraphite(config, edges) };
  if (original !== null) {
    await startResultsExchange(config, edges, original);
    startCustomData(config, edges, original);
  }
  if (config.collector.host) await startHostCollector(config, edges);
  if (config.collector.demo) startDemo(edges);
  return { store, checkpoints, monitoring, incidents, transfer, publisher, intake, reloading, addresses };
}

function retentionSettings({ retention }: Config) {
  const { maxAgeDays, cursorIdleDays, intervalSeconds, batchRows } = retention;
  return {
    maxAgeSeconds: Math.round(maxAgeDays * DAY_SECONDS),
    cursorIdleSeconds: Math.round(cursorIdleDays * DAY_SECONDS),
    intervalMs: intervalSeconds * 1000,
    batchRows,
  };
}

function areCheckpointsRows({ checkpoints: { keptIn }, store }: Config): boolean {
  return keptIn === 'auto' ? store.url !== SQLITE : keptIn === 'database';
}
