import type { CheckpointName, CheckpointStore } from '../../../src/checkpoints/checkpoint-store.ts';
import { HtmEngineError } from '../../../src/errors.ts';
import type {
  FoldOutcome,
  ModelFailure,
  ModelTask,
  Partitions,
  RawScoreSlice,
  RowBlock,
} from '../../../src/store/log.ts';
import type { ModelLog } from './memory-log.ts';

/** Decides what goes wrong, from a seed: the same decisions in the same order for the same seed. */
export class Chaos {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A number in 0..1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[Math.floor(this.next() * from.length)] ?? from[0];
  }
}

/** A log whose calls fail before or after they take effect, and which refuses slices for no reason. */
export class ChaoticLog implements ModelLog {
  readonly #log: ModelLog;
  readonly #chaos: Chaos;

  constructor(log: ModelLog, chaos: Chaos) {
    this.#log = log;
    this.#chaos = chaos;
  }

  async modelTask(metricId: string): Promise<ModelTask | null> {
    return await this.#sometimesAway(async () => await this.#log.modelTask(metricId));
  }

  async readRows(metricId: string, after: number, through: number, limit: number): Promise<RowBlock> {
    return await this.#sometimesAway(async () => await this.#log.readRows(metricId, after, through, limit));
  }

  async modelsWithWork(afterMetricId: string, limit: number, within?: Partitions): Promise<string[]> {
    return await this.#sometimesAway(
      async () => await this.#log.modelsWithWork(afterMetricId, limit, within),
    );
  }

  async recordRawScores(slice: RawScoreSlice): Promise<FoldOutcome> {
    if (this.#chaos.chance(0.02)) {
      return { refused: this.#chaos.pick(['generation', 'epoch', 'watermark', 'command'] as const) };
    }
    return await this.#sometimesUnknown(async () => await this.#log.recordRawScores(slice));
  }

  async failModel(failure: ModelFailure): Promise<FoldOutcome> {
    return await this.#sometimesUnknown(async () => await this.#log.failModel(failure));
  }

  async #sometimesAway<T>(action: () => Promise<T>): Promise<T> {
    if (this.#chaos.chance(0.03)) throw unavailable();
    return await action();
  }

  async #sometimesUnknown<T>(action: () => Promise<T>): Promise<T> {
    if (this.#chaos.chance(0.02)) throw new Error('the connection was lost before the commit');
    const result = await this.#sometimesAway(action);
    if (this.#chaos.chance(0.03)) throw new Error('the connection was lost after the commit');
    return result;
  }
}

/** A checkpoint store whose calls fail before or after they take effect, and which reads wrong bits. */
export class ChaoticCheckpoints implements CheckpointStore {
  readonly #store: CheckpointStore;
  readonly #chaos: Chaos;

  constructor(store: CheckpointStore, chaos: Chaos) {
    this.#store = store;
    this.#chaos = chaos;
  }

  async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
    await this.#sometimesAway(async () => await this.#store.put(name, bytes));
  }

  async list(metricId: string): Promise<CheckpointName[]> {
    return await this.#sometimesAway(async () => await this.#store.list(metricId));
  }

  async get(name: CheckpointName): Promise<Uint8Array | null> {
    const bytes = await this.#sometimesAway(async () => await this.#store.get(name));
    if (bytes === null || !this.#chaos.chance(0.05)) return bytes;
    const at = Math.floor(this.#chaos.next() * bytes.byteLength);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    return bytes;
  }

  async delete(name: CheckpointName): Promise<void> {
    await this.#sometimesAway(async () => await this.#store.delete(name));
  }

  async deleteAll(metricId: string): Promise<void> {
    await this.#sometimesAway(async () => await this.#store.deleteAll(metricId));
  }

  async size(metricId: string): Promise<number> {
    return await this.#sometimesAway(async () => await this.#store.size(metricId));
  }

  async metricIds(afterMetricId: string, limit: number): Promise<string[]> {
    return await this.#sometimesAway(async () => await this.#store.metricIds(afterMetricId, limit));
  }

  async #sometimesAway<T>(action: () => Promise<T>): Promise<T> {
    if (this.#chaos.chance(0.03)) throw unavailable();
    const result = await action();
    if (this.#chaos.chance(0.03)) throw unavailable();
    return result;
  }
}

function unavailable(): HtmEngineError {
  return new HtmEngineError('store_unavailable', 'away for a moment');
}
