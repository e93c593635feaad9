import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { type ModelWorker, WorkerLostError } from './model-worker.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';

/** Long enough that a worker which ends again and again does not become a busy loop. */
const RESTART_DELAY_MS = 200;

export interface WorkerPoolEvents {
  /** The worker and all it held are gone. */
  workerDown(index: number, worker: ModelWorker): void;
  /** It was replaced. */
  workerUp(index: number): void;
}

/** A fixed number of workers; one that ends by itself is replaced. */
export class WorkerPool {
  readonly #startWorker: () => Promise<ModelWorker>;
  readonly #workers: (ModelWorker | null)[];
  readonly #events: WorkerPoolEvents;
  readonly #log: Logger;
  readonly #metrics: SchedulerMetrics;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  readonly #watches: Promise<void>[] = [];

  constructor(
    startWorker: () => Promise<ModelWorker>,
    size: number,
    events: WorkerPoolEvents,
    log: Logger,
    metrics: SchedulerMetrics,
    clock: Clock,
  ) {
    this.#startWorker = startWorker;
    this.#workers = Array.from({ length: size }, () => null);
    this.#events = events;
    this.#log = log;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** @throws Error if a worker cannot be started; then none is left running. */
  async start(): Promise<void> {
    const started = await Promise.allSettled(this.#workers.map(async () => await this.#startWorker()));
    started.forEach((outcome, index) => {
      if (outcome.status === 'fulfilled') this.#workers[index] = outcome.value;
    });
    const failure = started.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) {
      await this.end();
      throw failure.reason;
    }
    this.#workers.forEach((worker, index) => {
      if (worker !== null) this.#watches.push(this.#watch(worker, index));
    });
  }

  /** @throws WorkerLostError while that worker is being replaced. */
  get(index: number): ModelWorker {
    const worker = this.#workers[index] ?? null;
    if (worker === null) throw new WorkerLostError(`model worker ${index} is not running`);
    return worker;
  }

  /** Ends all workers, whatever they are doing. */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#workers.map(async (worker) => await worker?.end()));
    await Promise.all(this.#watches);
  }

  async #watch(first: ModelWorker, index: number): Promise<void> {
    for (let worker: ModelWorker | null = first; worker !== null; worker = await this.#replace(index)) {
      const reason = await worker.ended;
      if (this.#ending.signal.aborted) return;
      this.#log.error(
        { event: 'scheduler.worker_ended', worker: index, reason },
        'a model worker ended; its models recover from their checkpoints',
      );
      this.#metrics.workerRestarts.inc();
      this.#workers[index] = null;
      this.#events.workerDown(index, worker);
    }
  }

  /** @returns null if the pool ends first. */
  async #replace(index: number): Promise<ModelWorker | null> {
    for (;;) {
      try {
        await this.#clock.sleep(RESTART_DELAY_MS, this.#ending.signal);
        const worker = await this.#startWorker();
        if (this.#ending.signal.aborted) {
          await worker.end();
          return null;
        }
        this.#workers[index] = worker;
        this.#events.workerUp(index);
        return worker;
      } catch (error) {
        if (this.#ending.signal.aborted) return null;
        this.#log.error(
          { event: 'scheduler.worker_not_replaced', worker: index, err: error },
          'a model worker could not be replaced yet',
        );
      }
    }
  }
}
