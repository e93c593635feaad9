import type { Logger } from 'pino';
import type { CheckpointName, CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import type { Clock } from '../clock.ts';
import type { CheckpointPolicy } from './checkpoint-policy.ts';
import { type SaveReply, WorkerLostError } from './model-worker.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';
import { type WarmModel, checkpointName } from './warm-models.ts';

/** Checkpoints that are written at the same time; each waits with its bytes in memory. */
const MAX_WRITES = 4;
/** Checkpoints of a metric that are kept: the newest, and one more in case it is damaged. */
const KEPT = 2;
/** How long nothing is saved after a failure, so that models are not packed again and again for a full disk. */
const RETRY_AFTER_MS = 5_000;

/**
 * Saves warm models. The worker packs the model, which is part of its turn; writing goes on beside later turns,
 * bounded in number. A failure costs replay later and nothing else: it is counted, logged and made up for.
 */
export class CheckpointWriter {
  readonly #store: CheckpointStore;
  readonly #policy: CheckpointPolicy;
  readonly #log: Logger;
  readonly #metrics: SchedulerMetrics;
  readonly #clock: Clock;
  readonly #writes = new Map<string, Promise<void>>();
  #places = MAX_WRITES;
  readonly #queue: (() => void)[] = [];
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(
    store: CheckpointStore,
    policy: CheckpointPolicy,
    log: Logger,
    metrics: SchedulerMetrics,
    clock: Clock,
  ) {
    this.#store = store;
    this.#policy = policy;
    this.#log = log;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /**
   * Saves a model that has to leave if that is worth it: without waiting for other writes, so that a slow disk holds
   * nobody up, unless too much would have to be replayed.
   */
  async saveLeaving(model: WarmModel): Promise<void> {
    if (!this.#policy.isWorthSaving(model) || this.paused) return;
    if (this.ready || this.#policy.isOverdue(model)) await this.save(model);
  }

  /** Saves a model that stays if it is time. */
  async saveStaying(model: WarmModel): Promise<void> {
    if (this.#policy.isDue(model) && this.ready) await this.save(model);
  }

  /** Whether a checkpoint may be saved now without waiting and with a chance of success. */
  get ready(): boolean {
    return this.#places > 0 && !this.paused;
  }

  /** Saving has just failed. */
  get paused(): boolean {
    return this.#clock.now() < this.#pausedUntil;
  }

  /**
   * Saves the model as it is at `model.rowid`, which must be committed. Resolves when its worker is free of it and
   * the bytes are being written; `settled` waits for the rest. Never rejects; a lost worker is noticed elsewhere.
   */
  async save(model: WarmModel): Promise<void> {
    await this.#takePlace();
    await this.settled(model.metricId);
    const name = checkpointName(model);
    let reply: SaveReply;
    try {
      reply = await model.worker.save(name);
    } catch (error) {
      this.#givePlace();
      if (!(error instanceof WorkerLostError)) {
        this.#failed(error, name, 'a model could not be packed for its checkpoint');
      }
      return;
    }
    this.#policy.saved(model, reply.cpuMs);
    this.#metrics.modelCpu.inc({ part: 'save' }, reply.cpuMs / 1000);
    const { savedRowid, savedAtMs } = model;
    model.savedRowid = name.rowid;
    model.savedAtMs = this.#clock.now();
    const write = this.#write(name, reply.checkpoint).then((kept) => {
      if (!kept && model.savedRowid === name.rowid) Object.assign(model, { savedRowid, savedAtMs });
      this.#writes.delete(name.metricId);
      this.#givePlace();
    });
    this.#writes.set(name.metricId, write);
  }

  /** Resolves when no checkpoint of the metric is being written. */
  async settled(metricId: string): Promise<void> {
    await this.#writes.get(metricId);
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes.values());
  }

  async #write(name: CheckpointName, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#store.put(name, bytes);
    } catch (error) {
      this.#failed(error, name, 'a checkpoint could not be written; it will be made up for');
      return false;
    }
    this.#metrics.checkpointWrites.inc();
    this.#metrics.checkpointBytes.inc(bytes.byteLength);
    try {
      await this.#tidy(name);
    } catch (error) {
      this.#failed(error, name, 'old checkpoints could not be removed; they will be after the next one');
    }
    return true;
  }

  /** Keeps the newest of the generation, and none of earlier ones. */
  async #tidy({ metricId, generation }: CheckpointName): Promise<void> {
    const names = await this.#store.list(metricId);
    const present = names.filter((name) => name.generation === generation);
    const closed = names.filter((name) => name.generation < generation);
    for (const name of [...present.slice(KEPT), ...closed]) await this.#store.delete(name);
  }

  #failed(error: unknown, name: CheckpointName, what: string): void {
    this.#metrics.checkpointFailures.inc();
    if (!this.paused) this.#log.warn({ event: 'scheduler.checkpoint_failed', ...name, err: error }, what);
    this.#pausedUntil = this.#clock.now() + RETRY_AFTER_MS;
  }

  async #takePlace(): Promise<void> {
    if (this.#places > 0) {
      this.#places--;
      return;
    }
    await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  #givePlace(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#places++;
    else next();
  }
}
