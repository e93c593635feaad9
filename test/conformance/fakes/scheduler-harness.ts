import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { CheckpointStore } from '../../../src/checkpoints/checkpoint-store.ts';
import type { Clock } from '../../../src/clock.ts';
import { soleOwnership, type Ownership } from '../../../src/ownership/ownership.ts';
import { ModelScheduler, type ModelSchedulerParts } from '../../../src/scheduler/model-scheduler.ts';
import type { ModelWorker } from '../../../src/scheduler/model-worker.ts';
import { InProcessWorker } from './in-process-worker.ts';
import { MemoryCheckpoints } from './memory-checkpoints.ts';
import { MemoryLog, type ModelLog, REVISION } from './memory-log.ts';
import { TestBus } from './test-bus.ts';

/** Waits a hundred times shorter than told, so that back-off and sweeps do not slow tests down. */
const fastClock: Clock = {
  now: () => performance.now() * 100,
  sleep: async (ms, signal) => await sleep(ms / 100, undefined, { signal }),
};

export const DEFAULT_SETTINGS: ModelSchedulerParts['settings'] = {
  workers: 1,
  memoryBudgetBytes: 1_000_000,
  sliceRows: 50,
  checkpointRows: 200,
  maxGatherMs: 0,
  sweepMs: 1_000,
};

export interface HarnessOptions {
  readonly settings?: Partial<ModelSchedulerParts['settings']>;
  readonly log?: MemoryLog;
  readonly checkpoints?: CheckpointStore;
  /** What the scheduler is given instead of the log itself, to make it fail. */
  readonly store?: ModelLog;
  readonly startWorker?: () => Promise<ModelWorker>;
  readonly clock?: Clock;
  readonly epoch?: number;
  readonly ownership?: Ownership;
}

/** A scheduler with everything around it in memory. */
export class SchedulerHarness {
  readonly log: MemoryLog;
  readonly checkpoints: CheckpointStore;
  readonly bus = new TestBus();
  readonly workers: InProcessWorker[] = [];
  readonly scheduler: ModelScheduler;
  readonly #registry = new Registry();

  constructor(options: HarnessOptions = {}) {
    this.log = options.log ?? new MemoryLog();
    this.checkpoints = options.checkpoints ?? new MemoryCheckpoints();
    const startWorker = async () => {
      await Promise.resolve();
      const worker = new InProcessWorker();
      this.workers.push(worker);
      return worker;
    };
    this.scheduler = new ModelScheduler({
      store: options.store ?? this.log,
      bus: this.bus,
      checkpoints: this.checkpoints,
      telemetry: { log: pino({ level: 'silent' }), registry: this.#registry },
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
      ownership: options.ownership ?? soleOwnership(options.epoch ?? 1),
      runtime: {
        startWorker: options.startWorker ?? startWorker,
        knowsRevision: (revision) => revision === REVISION,
      },
      clock: options.clock ?? fastClock,
    });
  }

  /** Wakes the scheduler for new rows. */
  wake(...metricIds: string[]): void {
    this.bus.deliver('rowsStored', metricIds);
  }

  /** Waits until every model has been built, and has seen all rows or failed. */
  async settle(): Promise<void> {
    await until(() => this.log.settled);
  }

  /** The value of one of the scheduler's metrics, over all labels. */
  async count(name: string): Promise<number> {
    const metric = await this.#registry.getSingleMetric(`htmengine_scheduler_${name}`)?.get();
    if (metric === undefined) throw new Error(`no metric ${name}`);
    return metric.values.reduce((sum, { value }) => sum + value, 0);
  }
}

/** Waits until `condition` holds; the test's time limit ends the wait. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(1);
}
