import type { Address } from './address.ts';
import { HealthServer } from './api/health-server.ts';
import { Api } from './api/server.ts';
import type { Bus } from './bus/bus.ts';
import type { CheckpointStore } from './checkpoints/checkpoint-store.ts';
import { DemoFeeder } from './collector/demo/demo-feeder.ts';
import { HostCollector } from './collector/host.ts';
import { systemReaders } from './collector/readers.ts';
import type { Config } from './config.ts';
import type { Reloading } from './config/reloading.ts';
import type { DatasourceRegistry } from './datasources/registry.ts';
import { hasCode } from './errors.ts';
import { logLikelihood } from './htm/index.ts';
import type { IncidentService } from './incidents/incidents.ts';
import type { Intake } from './intake.ts';
import { createLineReader } from './listener/line-reader.ts';
import { GraphiteListener } from './listener/listener.ts';
import type { ModelReports } from './monitoring/model-report.ts';
import type { Monitoring } from './monitoring/monitoring.ts';
import type { ModelTransfer } from './monitoring/transfer.ts';
import type { Publisher } from './publishing/publisher.ts';
import { StoredResults } from './publishing/stored-results.ts';
import type { RefusalCounter } from './refusals.ts';
import type { RetentionService } from './retention/retention-service.ts';
import type { StartedServices } from './started-services.ts';
import type { Store } from './store/store.ts';
import type { Telemetry } from './telemetry.ts';
import { version } from './version.ts';

/** What the edges of the engine stand on: the pipeline that runs already. */
export interface EdgeServices {
  readonly store: Store;
  readonly checkpoints: CheckpointStore;
  readonly bus: Bus;
  readonly monitoring: Monitoring;
  readonly reports: ModelReports;
  readonly datasources: DatasourceRegistry;
  readonly incidents: IncidentService;
  readonly transfer: ModelTransfer;
  readonly publisher: Publisher;
  readonly retention: RetentionService;
  readonly intake: Intake;
  readonly refusals: RefusalCounter;
  readonly telemetry: Telemetry;
  readonly nowSeconds: () => number;
  readonly reloading: Reloading;
  readonly started: StartedServices;
}

/** Serves HTTP. @returns where, or null if it is switched off. @throws HtmEngineError `listen_failed` */
export async function startApi(config: Config, services: EdgeServices): Promise<Address | null> {
  const { enabled, ...options } = config.api;
  if (!enabled) return null;
  const { store, monitoring, transfer, publisher, retention, intake, refusals, telemetry } = services;
  const results = new StoredResults(store.log, logLikelihood);
  const api = new Api(
    { ...options, maxSamples: config.bus.maxBatchSamples },
    {
      queries: store.queries,
      control: monitoring,
      models: monitoring.models,
      reports: services.reports,
      incidents: services.incidents,
      retention: {
        status: () => retention.status(),
        begin: () => retention.begin(),
        maxAge: (metricId) => store.retention.maxAge(metricId),
        setMaxAge: (metricId, maxAgeSeconds) => store.retention.setMaxAge(metricId, maxAgeSeconds),
      },
      importModel: (spec) => transfer.importModel(spec),
      exportModel: (metricId) => transfer.exportModel(metricId),
      datasources: services.datasources,
      intake,
      refusals,
      readLine: createLineReader(config.listener.graphite.maxLineBytes, services.nowSeconds),
      subscribeLive: (handler) => publisher.subscribeLive(handler),
      readResults: (metricId, after, limit) => results.read(metricId, after, limit),
      logLikelihood,
      leases: store.leases,
      telemetry,
      version: version(),
      ready: () => store.ping(),
    },
  );
  services.started.push(() => api.stop());
  services.reloading.onChange((changed) => api.update(changed.api));
  return { host: options.host, port: await api.start() };
}

/** Serves health and metrics alone. @returns where. @throws HtmEngineError `listen_failed` */
export async function startHealth(
  { health }: Config,
  { store, telemetry, started }: EdgeServices,
): Promise<Address> {
  const server = new HealthServer(health, { telemetry, ready: () => store.ping() });
  started.push(() => server.stop());
  return { host: health.host, port: await server.start() };
}

/** Listens for Graphite lines. @returns where, or null if it is switched off. @throws HtmEngineError `listen_failed` */
export async function startGraphite(
  config: Config,
  { bus, refusals, telemetry, nowSeconds, started }: EdgeServices,
): Promise<Address | null> {
  const { enabled, ...options } = config.listener.graphite;
  if (!enabled) return null;
  const listener = new GraphiteListener(options, { bus, refusals, telemetry, nowSeconds });
  started.push(() => listener.stop());
  return { host: options.host, port: await listener.start() };
}

/** Feeds this machine's own metrics in. They have known ranges, so they are monitored with those from their first row on. */
export async function startHostCollector(
  { dataDirectory, collector: { intervalSeconds } }: Config,
  { bus, telemetry, monitoring, started }: EdgeServices,
): Promise<void> {
  const collector = new HostCollector({
    bus,
    telemetry,
    readers: systemReaders(dataDirectory),
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
  started.push(() => collector.stop());
}

/** Makes a few metrics to look at, and goes on feeding them. */
export function startDemo({ store, monitoring, intake, telemetry, nowSeconds, started }: EdgeServices): void {
  const demo = new DemoFeeder({
    intake,
    telemetry,
    nowSeconds,
    monitor: (spec) => monitoring.monitorMetric(spec),
    findMetric: (name) => store.catalogue.findMetric(name),
    firstTimestamp: async (metricId) =>
      (await store.queries.readData(metricId, { limit: 1 }))[0]?.timestamp ?? null,
  });
  demo.start();
  started.push(() => demo.stop());
}
