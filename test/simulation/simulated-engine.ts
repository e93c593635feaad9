import { pino } from 'pino';
import { Registry } from 'prom-client';
import { AnomalyService } from '../../src/anomaly/anomaly-service.ts';
import { createMemoryBus } from '../../src/bus/memory/memory-bus.ts';
import type { Bus } from '../../src/bus/bus.ts';
import type { Clock } from '../../src/clock.ts';
import { algorithmRevision, logLikelihood } from '../../src/htm/index.ts';
import { ScoringLag } from '../../src/lag.ts';
import { Monitoring, type MonitoringOptions } from '../../src/monitoring/monitoring.ts';
import { soleOwnership } from '../../src/ownership/ownership.ts';
import { Publisher } from '../../src/publishing/publisher.ts';
import { ModelScheduler } from '../../src/scheduler/model-scheduler.ts';
import { anomalyModels } from '../../src/scheduler/models.ts';
import type { Catalogue } from '../../src/store/catalogue.ts';
import { MetricStorer } from '../../src/storer/metric-storer.ts';
import { InProcessWorker } from '../conformance/fakes/in-process-worker.ts';
import { FaultySeams, INJECTED, never, type Life } from './faults.ts';
import { small } from './series.ts';
import { nextTurn } from './simulated-clock.ts';
import type { World } from './world.ts';

const SWEEP_MS = 2_000;
const STOP_TIMEOUT_MS = 10_000;
export const CONSUMER = 'consumer';
/** Rows that a metric without a range waits for. */
export const MINIMUM_ROWS = 14;

/** One process with every stage in it, on the simulated clock and behind faulty seams. */
export class SimulatedEngine implements Life {
  alive = true;
  fenced = false;
  /** Rejects when it is killed or stopped: what was asked of it is not answered any more. */
  readonly died: Promise<never>;
  readonly #die: (error: Error) => void;
  readonly #world: World;
  readonly #seams: FaultySeams;
  readonly #stops: (() => Promise<void>)[] = [];
  #bus: Bus | undefined;
  #monitoring: Monitoring | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#seams = new FaultySeams(this, world.faults, world.clock, world.audit);
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.died = promise;
    this.#die = reject;
  }

  get bus(): Bus {
    if (this.#bus === undefined) throw new Error(`${INJECTED} the engine has not started`);
    return this.#bus;
  }

  get monitoring(): Monitoring {
    if (this.#monitoring === undefined) throw new Error(`${INJECTED} the engine has not started`);
    return this.#monitoring;
  }

  /** @param onLeases called in the moment in which its leases are taken. @throws an injected error */
  async start(onLeases: () => void): Promise<void> {
    const world = this.#world;
    const seams = this.#seams;
    const { faults, database } = world;
    const clock = this.#clock();
    const telemetry = {
      log: pino(
        { level: 'error', base: null, timestamp: false },
        { write: (line) => world.audit.logged(line) },
      ),
      registry: new Registry(),
    };
    const log = seams.log(database.log);
    const catalogue = seams.catalogue(withSmallModels(database.catalogue, onLeases));
    const ownership = soleOwnership(await catalogue.takeLeases('simulated'));
    const checkpoints = seams.checkpoints(world.checkpoints);
    const limits = { maxSamples: 1_000, maxBatchSamples: 100 };
    const bus = seams.bus(createMemoryBus(limits, telemetry));
    const lag = new ScoringLag(telemetry.registry, () => clock.now());
    const spans = { opensAt: 0.5, holdsAt: 0.29, endingRows: 3 };
    const common = { log, bus, telemetry, ownership, clock, sweepMs: SWEEP_MS };

    const publisher = new Publisher({ ...common, logLikelihood, batchRows: 7 });
    publisher.start();
    publisher.subscribe(CONSUMER, async (results) => {
      await nextTurn();
      const { chaos, rates } = faults;
      if (chaos.chance(rates.consumer)) throw new Error(`${INJECTED} the consumer failed`);
      if (!this.alive) await never();
      // Whoever listened to an engine that was declared dead is gone, too.
      if (!this.fenced) world.audit.published.push(...results);
      if (chaos.chance(rates.consumer))
        throw new Error(`${INJECTED} the consumer failed after it took results`);
    });
    this.#stops.push(() => publisher.stop(STOP_TIMEOUT_MS));

    const anomaly = new AnomalyService({ ...common, lag, spans, sliceRows: 9, concurrency: 2 });
    anomaly.start();
    this.#stops.push(() => anomaly.stop(STOP_TIMEOUT_MS));

    const scheduler = new ModelScheduler({
      store: log,
      bus,
      checkpoints,
      telemetry,
      ownership,
      clock,
      settings: {
        workers: 2,
        // Room for one of the two models.
        memoryBudgetBytes: 50_000,
        sliceRows: 8,
        checkpointRows: 12,
        maxGatherMs: 3_000,
        sweepMs: SWEEP_MS,
      },
      runtime: {
        startWorker: () => Promise.resolve(this.#worker()),
        knowsRevision: (revision) => revision === algorithmRevision,
      },
    });
    this.#stops.push(() => scheduler.stop());
    await scheduler.start();

    const monitoring = new Monitoring({
      catalogue,
      bus,
      telemetry,
      clock,
      sweepMs: SWEEP_MS,
      forgetModel: (metricId) => scheduler.forget(metricId),
      models: { minimumRows: MINIMUM_ROWS, variant: 'tm_cpp', ceiling: null },
      ...WITHOUT_DELETING,
    });
    monitoring.start();
    this.#stops.push(() => monitoring.stop(STOP_TIMEOUT_MS));

    await new MetricStorer({
      bus,
      log,
      telemetry,
      lag,
      refusals: { count: () => undefined },
      autoMonitor: null,
      activate: (metricIds) => monitoring.activateReady(metricIds),
    }).start();
    this.#stops.push(() => bus.close());
    this.#bus = bus;
    this.#monitoring = monitoring;
  }

  /** As SIGKILL does. */
  kill(): void {
    this.alive = false;
    this.#die(new Error(`${INJECTED} the engine was killed`));
  }

  /** In the order in which the engine stops its services. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
    this.kill();
  }

  #worker(): InProcessWorker {
    const { chaos } = this.#world.faults;
    return new InProcessWorker((worker) => {
      if (!this.alive || chaos.chance(this.#world.faults.rates.worker)) worker.kill('killed');
    }, anomalyModels);
  }

  /** The clock of a killed process does not ring. */
  #clock(): Clock {
    const { clock } = this.#world;
    return {
      now: () => clock.now(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        if (!this.alive) await never();
      },
    };
  }
}

/** Nobody deletes rows here, and no model is lost. */
export const WITHOUT_DELETING: Pick<MonitoringOptions, 'retention' | 'savedModels'> = {
  retention: { deleteRows: () => Promise.reject(new Error('no rows are deleted here')) },
  savedModels: {
    ofGeneration: () => Promise.resolve({ generation: null, checkpointRowids: [] }),
    isLost: () => Promise.resolve(false),
  },
};

/** Generations get a model of 128 columns and a likelihood that decides after ten rows. */
export function withSmallModels(catalogue: Catalogue, onLeases: () => void = () => undefined): Catalogue {
  const changed: Pick<Catalogue, 'monitor' | 'relearn' | 'takeLeases'> = {
    monitor: (metricId, request) => catalogue.monitor(metricId, small(request)),
    relearn: (metricId, request, relearning) => catalogue.relearn(metricId, small(request), relearning),
    takeLeases: (owner) => {
      onLeases();
      return catalogue.takeLeases(owner);
    },
  };
  return new Proxy(catalogue, {
    get(target, name) {
      const method = (Reflect.get(changed, name) ?? Reflect.get(target, name)) as (
        ...args: unknown[]
      ) => unknown;
      return method.bind(target);
    },
  });
}
