import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { deleteClosedCheckpoints } from '../monitoring/closed-checkpoints.ts';
import type { ModelCost } from '../monitoring/model-report.ts';
import type { Ownership } from '../ownership/ownership.ts';
import type { Telemetry } from '../telemetry.ts';
import { CheckpointPolicy } from './checkpoint-policy.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { Committer, type SchedulerLog } from './committer.ts';
import { Dispatcher } from './dispatcher.ts';
import { ModelLoader } from './model-loader.ts';
import { ModelRunner } from './model-runner.ts';
import { Patience } from './patience.ts';
import { type ModelRuntime, threadRuntime } from './runtime.ts';
import { schedulerMetrics } from './scheduler-metrics.ts';
import { Slots } from './slots.ts';
import { sweep, sweepOnce } from './sweep.ts';
import { type WarmModel, WarmModels } from './warm-models.ts';
import { WorkerPool } from './worker-pool.ts';

export interface ModelSchedulerParts {
  readonly store: SchedulerLog;
  readonly bus: Pick<Bus, 'wake' | 'onWake'>;
  readonly checkpoints: CheckpointStore;
  readonly telemetry: Telemetry;
  readonly settings: Config['scheduler'];
  /** Which partitions this process runs the models of. */
  readonly ownership: Ownership;
  /** Threads with HTM models unless tests say otherwise. */
  readonly runtime?: ModelRuntime;
  readonly clock?: Clock;
}

/** One turn computes while others of the same worker read their checkpoints and rows ahead, or commit. */
const LANES = 4;
/** About what an HTM model of usual parameters takes once it has learned. */
const TYPICAL_MODEL_BYTES = 4 * 2 ** 20;
const MAX_WAITING = 100_000;
/** Models are saved for so long before their partitions go to another process; the rest is replayed there. */
const HANDOVER_SAVING_MS = 3_000;
/** Turns under way and checkpoints get this long when the scheduler stops; what is lost is replayed. */
const STOP_TIMEOUT_MS = 8_000;

/**
 * The model scheduler: folds the rows of every monitored metric through its model into raw scores. Woken by new
 * rows and by its own sweep, it lets models take turns on the workers (policy: `Slots`; one turn: `ModelRunner`).
 */
export class ModelScheduler {
  readonly #parts: ModelSchedulerParts;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #pool: WorkerPool;
  readonly #warmModels = new WarmModels();
  readonly #policy: CheckpointPolicy;
  readonly #writer: CheckpointWriter;
  readonly #patience: Patience;
  readonly #dispatcher: Dispatcher;
  readonly #stopping = new AbortController();
  /** The time for stopping is up: nothing is waited for any more. */
  readonly #givingUp = new AbortController();
  #unsubscribe: () => void = () => undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | null = null;

  constructor(parts: ModelSchedulerParts) {
    const {
      store,
      bus,
      checkpoints,
      telemetry,
      settings,
      ownership,
      runtime = threadRuntime,
      clock = systemClock,
    } = parts;
    const { knowsRevision } = runtime;
    const log = telemetry.log.child({ stage: 'scheduler' });
    const warmModels = this.#warmModels;
    const slots = new Slots({
      workers: settings.workers,
      lanes: LANES,
      memoryBudgetBytes: settings.memoryBudgetBytes,
      typicalModelBytes: TYPICAL_MODEL_BYTES,
      maxWaiting: MAX_WAITING,
      maxGatherMs: settings.maxGatherMs,
    });
    const metrics = schedulerMetrics(telemetry.registry, () => ({
      ...slots.usage(),
      ...warmModels.unsaved(clock.now()),
      memoryBudgetBytes: settings.memoryBudgetBytes,
    }));
    const patience = new Patience(log, metrics.storeFaults, clock, this.#givingUp.signal);
    const policy = new CheckpointPolicy(settings.checkpointRows);
    const writer = new CheckpointWriter(checkpoints, policy, log, metrics, clock);
    const loader = new ModelLoader({ checkpoints, writer, knowsRevision, patience, log, metrics, clock });
    const committer = new Committer({ store, patience, log, metrics });
    const runner = new ModelRunner({
      store,
      bus,
      loader,
      committer,
      writer,
      policy,
      warmModels,
      patience,
      sliceRows: settings.sliceRows,
      ownership,
      clock,
      deleteClosed: (metricId) => this.#deleteClosed(metricId),
      log,
      metrics,
    });
    const worker = (index: number) => this.#pool.get(index);
    this.#dispatcher = new Dispatcher({ slots, runner, writer, warmModels, worker, clock, log, metrics });
    this.#pool = new WorkerPool(runtime.startWorker, settings.workers, this.#dispatcher, log, metrics, clock);
    this.#parts = parts;
    this.#clock = clock;
    this.#log = log;
    this.#patience = patience;
    this.#policy = policy;
    this.#writer = writer;
  }

  /** Starts the workers and takes up all work there is. @throws Error if a worker cannot be started */
  async start(): Promise<void> {
    await this.#pool.start();
    const { store, bus, settings, ownership } = this.#parts;
    const { signal } = this.#stopping;
    const partitions = () => ownership.partitions;
    const wake = (metricIds: readonly string[]) => this.#dispatcher.wake(metricIds);
    ownership.assign({
      taken: () => {
        // If the store is away, the sweep finds the work later.
        void sweepOnce(store, partitions, wake, signal).catch(() => undefined);
      },
      lost: (lost) => void this.#withdraw(lost),
      handOver: (given) => this.#handOver(given),
    });
    this.#unsubscribe = bus.onWake('rowsStored', (metricIds) =>
      wake(metricIds.filter((metricId) => ownership.mayOwn(metricId))),
    );
    this.#sweeping = sweep(store, partitions, wake, settings.sweepMs, this.#log, this.#clock, signal);
  }

  /**
   * Finishes and commits the turns under way, saves the models for which that costs less than replaying, and ends the
   * workers. What takes too long is left to the next start, which replays it.
   */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    await this.#stopped;
  }

  /**
   * Drops the metric's model and deletes its checkpoints, but for those of a generation that is open. To be called
   * after a generation was closed.
   * @throws HtmEngineError `store_unavailable`: to be called again
   */
  async forget(metricId: string): Promise<void> {
    await this.#dispatcher.exclusively(metricId, async () => {
      this.#warmModels.drop(metricId);
      await this.#deleteClosed(metricId);
    });
  }

  /** What the metric's model takes of memory and CPU, as far as this process has seen it. */
  costOf(metricId: string): ModelCost | null {
    return this.#warmModels.cost(metricId);
  }

  /** Lets the turns under way end, and saves the models of these partitions before they are dropped, as many as there is time for. */
  async #handOver(partitions: ReadonlySet<number>): Promise<void> {
    const deadlineMs = this.#clock.now() + HANDOVER_SAVING_MS;
    await this.#dispatcher.settled();
    await this.#withdraw(partitions, async (model) => {
      if (this.#policy.isWorthSaving(model) && !this.#writer.paused && this.#clock.now() < deadlineMs)
        await this.#writer.save(model);
    });
    await this.#writer.idle();
  }

  /** Drops the models of partitions that are not ours any more. */
  async #withdraw(
    partitions: ReadonlySet<number>,
    before: (model: WarmModel) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const models = this.#warmModels.all().filter(({ partition }) => partitions.has(partition));
    await Promise.all(
      models.map(({ metricId }) =>
        this.#dispatcher.exclusively(metricId, async () => {
          const model = this.#warmModels.get(metricId);
          if (model !== null) await before(model);
          this.#warmModels.drop(metricId);
        }),
      ),
    );
  }

  async #deleteClosed(metricId: string): Promise<void> {
    const { store, checkpoints } = this.#parts;
    await this.#writer.settled(metricId);
    await this.#patience.read(
      'delete checkpoints',
      async () => await deleteClosedCheckpoints(store, checkpoints, metricId),
    );
  }

  async #stop(): Promise<void> {
    this.#unsubscribe();
    this.#stopping.abort();
    const finished = new AbortController();
    const finish = this.#finish().finally(() => finished.abort());
    const timeUp = this.#clock.sleep(STOP_TIMEOUT_MS, finished.signal).then(
      () => {
        this.#log.warn(
          { event: 'scheduler.stop_timed_out', timeoutMs: STOP_TIMEOUT_MS },
          'stopping takes too long; what is not saved will be replayed',
        );
        this.#givingUp.abort();
      },
      () => undefined,
    );
    await Promise.race([finish, timeUp]);
    await this.#pool.end();
  }

  async #finish(): Promise<void> {
    await this.#dispatcher.stop();
    await this.#sweeping;
    const rows = (model: { rowid: number; savedRowid: number }) => model.rowid - model.savedRowid;
    const unsaved = this.#warmModels.all().filter((model) => this.#policy.isWorthSaving(model));
    // Those that would take longest to replay come first, should the time not be enough for all.
    unsaved.sort((a, b) => rows(b) - rows(a));
    await Promise.all(unsaved.map(async (model) => await this.#writer.save(model)));
    await this.#writer.idle();
  }
}
