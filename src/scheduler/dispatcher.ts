import type { Logger } from 'pino';
import { hasCode } from '../errors.ts';
import type { CheckpointWriter } from './checkpoint-writer.ts';
import type { Clock } from '../clock.ts';
import type { ModelRunner } from './model-runner.ts';
import { type ModelWorker, WorkerLostError } from './model-worker.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';
import type { Decision, TurnEnd } from './slot-terms.ts';
import type { Slots } from './slots.ts';
import type { WarmModels } from './warm-models.ts';

export interface DispatcherParts {
  readonly slots: Slots;
  readonly runner: ModelRunner;
  readonly writer: CheckpointWriter;
  readonly warmModels: WarmModels;
  /** The worker of that index. @throws WorkerLostError while it is being replaced */
  readonly worker: (index: number) => ModelWorker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics;
}

/** Carries out what the policy decides, and tells it what came of that. */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  /** Turns and evictions under way; bounded by lanes and by warm models. */
  readonly #activities = new Set<Promise<void>>();
  /** Who waits to have a metric to himself. */
  readonly #claims = new Map<string, (() => void)[]>();
  readonly #stopping = new AbortController();
  #alarmIsSet = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** The models of these metrics may have work. */
  wake(metricIds: readonly string[]): void {
    const { slots, runner, metrics, clock } = this.#parts;
    const nowMs = clock.now();
    for (const metricId of metricIds) {
      if (!slots.wake(metricId, nowMs, runner.apartMs(metricId))) metrics.lostWakes.inc();
    }
    this.#pump();
  }

  /** Does `work` while the metric's model has no turn; it must leave the model dropped. Waits for a turn under way. */
  async exclusively(metricId: string, work: () => Promise<void>): Promise<void> {
    await new Promise<void>((resolve) => {
      const queue = this.#claims.get(metricId) ?? [];
      queue.push(resolve);
      this.#claims.set(metricId, queue);
      this.#serveClaims(metricId);
    });
    try {
      await work();
    } finally {
      this.#parts.slots.release(metricId);
      this.#serveClaims(metricId);
      this.#pump();
    }
  }

  /** A worker has ended with all its models. */
  workerDown(index: number, worker: ModelWorker): void {
    this.#parts.warmModels.lost(worker);
    this.#parts.slots.workerDown(index);
    this.#pump();
  }

  workerUp(index: number): void {
    this.#parts.slots.workerUp(index);
    this.#pump();
  }

  /** Resolves when what is under way now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#activities);
  }

  /** Begins nothing any more. Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
  }

  #pump(): void {
    if (this.#stopping.signal.aborted) return;
    for (const decision of this.#parts.slots.decide(this.#parts.clock.now())) {
      const activity = this.#carryOut(decision).finally(() => this.#activities.delete(activity));
      this.#activities.add(activity);
    }
    this.#setAlarm();
  }

  /** Comes back when the policy wants to be asked though nothing has happened. */
  #setAlarm(): void {
    const { slots, clock } = this.#parts;
    const { signal } = this.#stopping;
    const { dueMs } = slots;
    if (dueMs === null || this.#alarmIsSet || signal.aborted) return;
    this.#alarmIsSet = true;
    clock.sleep(Math.max(0, dueMs - clock.now()), signal).then(
      () => {
        this.#alarmIsSet = false;
        this.#pump();
      },
      () => undefined,
    );
  }

  async #carryOut(decision: Decision): Promise<void> {
    const { kind, metricId } = decision;
    if (kind === 'run') await this.#turn(decision);
    else await this.#evict(metricId);
    // Whoever waits for the metric comes before its next turn.
    this.#serveClaims(metricId);
    this.#pump();
  }

  async #turn({ metricId, worker, fresh }: Decision): Promise<void> {
    const { slots, runner, warmModels } = this.#parts;
    let end: TurnEnd;
    try {
      end = await runner.turn(metricId, this.#parts.worker(worker), fresh);
    } catch (error) {
      end = this.#explain(metricId, error);
    }
    const model = warmModels.get(metricId);
    slots.finished(metricId, model?.bytes ?? null, end, model?.nextMs ?? null);
  }

  /** What goes on at once; the sweep comes back to the others. */
  #explain(metricId: string, error: unknown): TurnEnd {
    const { log } = this.#parts;
    if (error instanceof WorkerLostError) return 'more';
    if (hasCode(error, 'store_unavailable'))
      log.warn(
        { event: 'scheduler.model_waits', metricId, err: error },
        'the store is not available; a model waits',
      );
    else if (!hasCode(error, 'stopped'))
      log.error({ event: 'scheduler.turn_failed', metricId, err: error }, 'the turn of a model failed');
    return 'rest';
  }

  async #evict(metricId: string): Promise<void> {
    const { slots, writer, warmModels, metrics } = this.#parts;
    const model = warmModels.get(metricId);
    if (model !== null) {
      await writer.saveLeaving(model);
      warmModels.drop(metricId);
      metrics.evictions.inc();
    }
    slots.evicted(metricId);
  }

  #serveClaims(metricId: string): void {
    const queue = this.#claims.get(metricId);
    if (queue === undefined || !this.#parts.slots.claim(metricId)) return;
    queue.shift()?.();
    if (queue.length === 0) this.#claims.delete(metricId);
  }
}
