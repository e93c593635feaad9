import type { Address } from './address.ts';
import { AnomalyService } from './anomaly/anomaly-service.ts';
import { startCustomData, startResultsExchange } from './broker-edges.ts';
import type { CheckpointStore } from './checkpoints/checkpoint-store.ts';
import type { Config } from './config.ts';
import { Reloading } from './config/reloading.ts';
import { startApi, startDemo, startGraphite, startHealth, startHostCollector } from './edges.ts';
import { type Ground, openGround, type ServiceContext } from './ground.ts';
import { algorithmRevision, logLikelihood } from './htm/index.ts';
import { IncidentService } from './incidents/incidents.ts';
import { createIntake, type Intake } from './intake.ts';
import { deleteClosedCheckpoints } from './monitoring/closed-checkpoints.ts';
import { automaticRequest, type ModelSettings } from './monitoring/generation-request.ts';
import { modelSettings } from './monitoring/model-settings.ts';
import { ModelReports } from './monitoring/model-report.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { StoredModels } from './monitoring/saved-models.ts';
import { ModelTransfer } from './monitoring/transfer.ts';
import { StrayCheckpoints } from './monitoring/stray-checkpoints.ts';
import { nothingOwned } from './ownership/ownership.ts';
import { Publisher } from './publishing/publisher.ts';
import { RetentionService } from './retention/retention-service.ts';
import { checkRoles, isComplete } from './roles.ts';
import { ModelScheduler } from './scheduler/model-scheduler.ts';
import type { Store } from './store/store.ts';
import { MetricStorer } from './storer/metric-storer.ts';

/** Where a running engine listens; null for what is switched off. */
export interface EngineAddresses {
  readonly http: Address | null;
  /** Health and metrics of a process that serves no HTTP otherwise. */
  readonly health: Address | null;
  readonly graphite: Address | null;
}

/** What an engine's operations need while it runs. */
export interface Services {
  readonly store: Store;
  readonly checkpoints: CheckpointStore;
  readonly monitoring: Monitoring;
  readonly reports: ModelReports;
  readonly incidents: IncidentService;
  readonly transfer: ModelTransfer;
  readonly publisher: Publisher;
  readonly intake: Intake;
  readonly reloading: Reloading;
  readonly addresses: EngineAddresses;
}

/** Whether this program can load models of that revision of the algorithms. */
const knowsRevision = (revision: number) => revision === algorithmRevision;
const DAY_SECONDS = 86_400;
/** How long each service may take to finish what it is in. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * The composition root: the services of a process's roles, on the store and the bus that are configured. Everything that
 * an engine's operations need is there in any process; what runs by itself is started by role, in the order that lets each
 * find those it hands work to, and ended in the opposite one: first what lets samples in, so that what was accepted is
 * stored, last the store.
 * @throws HtmEngineError `config_invalid`, `data_directory_unwritable`, `store_locked`, `store_newer`, `store_incomplete`,
 *   `store_unavailable`, `broker_unavailable`, `listen_failed`
 */
export async function startServices(config: Config, context: ServiceContext): Promise<Services> {
  const { roles } = context;
  checkRoles(roles, config);
  const ground = await openGround(config, context);
  const { store, checkpoints, bus, original, telemetry, refusals, started, nowSeconds } = ground;

  const publisher = new Publisher({
    ...config.publishing,
    log: ground.logOf('publishing'),
    bus,
    telemetry,
    ownership: roles.has('publisher') ? await ground.ownershipOf('publishing') : nothingOwned,
    logLikelihood,
  });
  publisher.start();
  started.push(() => publisher.stop(STOP_TIMEOUT_MS));
  if (roles.has('anomaly-service')) await startAnomaly(config, ground);
  const scheduler = roles.has('model-scheduler') ? await startScheduler(config, ground) : null;

  const models = modelSettings(config);
  const monitoring = new Monitoring({
    catalogue: store.catalogue,
    bus,
    telemetry,
    forgetModel: modelForgetter(ground, scheduler),
    models,
    retention: store.retention,
    savedModels: new StoredModels({ queries: store.queries, checkpoints, knowsRevision }),
    sweepMs: config.monitoring.sweepMs,
  });
  monitoring.start({ activating: roles.has('metric-storer'), tidying: roles.has('retention') });
  started.push(() => monitoring.stop(STOP_TIMEOUT_MS));
  const retention = new RetentionService({
    ...retentionSettings(config),
    retention: store.retention,
    checkpoints: (metricId) => checkpoints.list(metricId),
    knowsRevision,
    telemetry,
    nowSeconds,
  });
  if (roles.has('retention')) {
    retention.start();
    startStrayCheckpoints(ground);
  }
  started.push(() => retention.stop());
  if (roles.has('metric-storer')) await startStorer(config, ground, monitoring, models);
  started.push(() => bus.close());

  const intake = createIntake(bus, refusals, nowSeconds);
  const { catalogue, queries } = store;
  const transfer = new ModelTransfer({ catalogue, queries, bus, monitoring, nowSeconds });
  const costOf = (metricId: string) => scheduler?.costOf(metricId) ?? null;
  const reports = new ModelReports({ queries, checkpoints, costOf });
  const incidents = new IncidentService({ ...config.incidents, store: store.incidents, nowSeconds });
  const reloading = new Reloading(config, telemetry);
  const edges = {
    ...ground,
    datasources: context.datasources,
    monitoring,
    reports,
    incidents,
    transfer,
    publisher,
    retention,
    intake,
    reloading,
  };
  const takesHttp = roles.has('api') && config.api.enabled;
  const addresses = {
    http: takesHttp ? await startApi(config, edges) : null,
    health: takesHttp || isComplete(roles) ? null : await startHealth(config, edges),
    graphite: roles.has('metric-listener') ? await startGraphite(config, edges) : null,
  };
  if (original !== null) {
    if (roles.has('publisher')) await startResultsExchange(config, edges, original);
    if (roles.has('metric-listener')) await startCustomData(config, edges, original);
  }
  if (roles.has('metric-listener') && config.collector.host) await startHostCollector(config, edges);
  if (roles.has('api') && config.collector.demo) startDemo(edges);
  return {
    store,
    checkpoints,
    monitoring,
    reports,
    incidents,
    transfer,
    publisher,
    intake,
    reloading,
    addresses,
  };
}

async function startAnomaly(config: Config, ground: Ground): Promise<void> {
  const { bus, telemetry, lag, started } = ground;
  const log = ground.logOf('anomaly');
  const ownership = await ground.ownershipOf('anomaly');
  const anomaly = new AnomalyService({ ...config.anomaly, log, bus, telemetry, lag, ownership });
  anomaly.start();
  started.push(() => anomaly.stop(STOP_TIMEOUT_MS));
}

async function startScheduler({ scheduler: settings }: Config, ground: Ground): Promise<ModelScheduler> {
  const { bus, checkpoints, telemetry, started } = ground;
  const store = ground.logOf('scheduler');
  const ownership = await ground.ownershipOf('scheduler');
  const scheduler = new ModelScheduler({ store, bus, checkpoints, telemetry, settings, ownership });
  started.push(() => scheduler.stop());
  await scheduler.start();
  return scheduler;
}

async function startStorer(
  config: Config,
  { logOf, bus, refusals, telemetry, lag }: Ground,
  monitoring: Monitoring,
  models: ModelSettings,
): Promise<void> {
  const log = logOf('storer');
  const autoMonitor = config.monitoring.auto ? automaticRequest(models) : null;
  const activate = (metricIds: readonly string[]) => monitoring.activateReady(metricIds);
  await new MetricStorer({ bus, log, refusals, telemetry, lag, autoMonitor, activate }).start();
}

/**
 * How the model of a closed generation goes. Where the scheduler is another process's, its checkpoints are deleted here and
 * the scheduler is woken: it finds that the model is of no use any more.
 */
function modelForgetter(
  { logOf, checkpoints, lag, bus }: Ground,
  scheduler: ModelScheduler | null,
): (metricId: string) => Promise<void> {
  const log = logOf('monitoring');
  return async (metricId) => {
    lag.forget(metricId);
    if (scheduler !== null) {
      await scheduler.forget(metricId);
      return;
    }
    await deleteClosedCheckpoints(log, checkpoints, metricId);
    bus.wake('rowsStored', [metricId]);
  };
}

function startStrayCheckpoints({ store, checkpoints, telemetry, started }: Ground): void {
  const strays = new StrayCheckpoints({ catalogue: store.catalogue, checkpoints, log: telemetry.log });
  strays.start();
  started.push(() => strays.stop());
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
