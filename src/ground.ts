import type { Logger } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Bus } from './bus/bus.ts';
import type { CheckpointStore } from './checkpoints/checkpoint-store.ts';
import type { Config } from './config.ts';
import { type DataDirectory, openDataDirectory, sharedDataDirectory } from './data-directory.ts';
import type { DatasourceRegistry } from './datasources/registry.ts';
import { DiskWatch } from './disk-watch.ts';
import { ScoringLag } from './lag.ts';
import { openBus, type OriginalBroker } from './open-bus.ts';
import {
  listCheckpointFiles,
  openCheckpointFiles,
  openCheckpointObjects,
  openStore,
  SQLITE,
} from './open-store.ts';
import { openOwnership, type OwnershipOf } from './ownership/open-ownership.ts';
import { RefusalCounter } from './refusals.ts';
import { isComplete, type Role } from './roles.ts';
import type { StartedServices } from './started-services.ts';
import { StoreCosts } from './store-costs.ts';
import { storeRepetitions } from './store-repetitions.ts';
import type { Stage } from './store/leases.ts';
import type { Log } from './store/log.ts';
import type { Store } from './store/store.ts';
import type { Telemetry } from './telemetry.ts';
import { timedLog } from './timed-log.ts';

/** What the services are started with, besides the settings. */
export interface ServiceContext {
  readonly roles: ReadonlySet<Role>;
  readonly log: Logger;
  /** Of the application that embeds the engine. */
  readonly datasources: DatasourceRegistry;
  /** Filled as services start, so that those that did can be ended if a later one cannot start. */
  readonly started: StartedServices;
  /** Told once if the engine can no longer work. */
  readonly onFailure: (error: Error) => void;
}

/** What every process stands on, whatever its roles. */
export interface Ground {
  readonly store: Store;
  /** The store's log, timed, and counted as what a stage asks of it. */
  readonly logOf: (stage: Stage | 'storer' | 'monitoring') => Log;
  readonly checkpoints: CheckpointStore;
  readonly bus: Bus;
  /** Null without a broker. */
  readonly original: OriginalBroker | null;
  readonly ownershipOf: OwnershipOf;
  readonly telemetry: Telemetry;
  readonly refusals: RefusalCounter;
  readonly lag: ScoringLag;
  readonly nowSeconds: () => number;
  readonly started: StartedServices;
}

/** Opens store and bus as they are configured. @throws HtmEngineError as `startServices` */
export async function openGround(config: Config, context: ServiceContext): Promise<Ground> {
  const { started, onFailure, roles } = context;
  const telemetry = { log: context.log, registry: new Registry() };
  collectDefaultMetrics({ register: telemetry.registry });

  const isSole = config.store.url === SQLITE;
  const isShared = !isSole && !isComplete(roles);
  const directory = (isShared ? sharedDataDirectory : openDataDirectory)(config.dataDirectory);
  started.push(() => directory.release());
  const store = await openStore(config.store, directory.databaseFile, {
    onFailure,
    onRepeat: storeRepetitions(telemetry),
  });
  started.push(() => store.close());
  const { ownership: settings } = config;
  const costs = new StoreCosts(telemetry.registry);
  const log = timedLog(store.log, telemetry.registry);
  const ownershipOf = await openOwnership({ store, costs, isSole, settings, telemetry, started });
  const keptIn = checkpointsKeptIn(config);
  const checkpoints = await openCheckpoints(keptIn, config, store, () =>
    openCheckpointFiles(directory.checkpointDirectory, isShared),
  );
  // One of several processes that keeps no saved models in the directory has none.
  if (!isShared || keptIn === 'files') startDiskWatch(config, directory, telemetry, started);
  const partitions = () => store.catalogue.partitions();
  const { bus, original, disconnect } = await openBus(config.bus, partitions, telemetry);
  started.push(disconnect);
  return {
    store,
    logOf: (stage) => costs.of(stage, log),
    checkpoints,
    bus,
    original,
    ownershipOf,
    telemetry,
    refusals: new RefusalCounter(telemetry),
    lag: new ScoringLag(telemetry.registry),
    nowSeconds: () => Math.floor(Date.now() / 1000),
    started,
  };
}

function startDiskWatch(
  { disk: { budgetBytes, intervalSeconds } }: Config,
  { path, databaseFile }: DataDirectory,
  telemetry: Telemetry,
  started: StartedServices,
): void {
  const disk = new DiskWatch({
    dataDirectory: path,
    databaseFile,
    checkpointFiles: () => listCheckpointFiles(path),
    budgetBytes,
    intervalMs: intervalSeconds * 1000,
    telemetry,
  });
  disk.start();
  started.push(() => disk.stop());
}

type KeptIn = Exclude<Config['checkpoints']['keptIn'], 'auto'>;

/** Where saved models are kept: what is set, or what goes with the store. */
export function checkpointsKeptIn({
  checkpoints: { keptIn },
  store,
}: Pick<Config, 'checkpoints' | 'store'>): KeptIn {
  if (keptIn !== 'auto') return keptIn;
  return store.url === SQLITE ? 'files' : 'database';
}

/** @throws HtmEngineError `config_invalid`, `store_unavailable` */
async function openCheckpoints(
  keptIn: KeptIn,
  { checkpoints: { s3 } }: Config,
  store: Store,
  openFiles: () => Promise<CheckpointStore>,
): Promise<CheckpointStore> {
  if (keptIn === 'database') return store.checkpoints;
  return keptIn === 's3' ? openCheckpointObjects(s3) : openFiles();
}
