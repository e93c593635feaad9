import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import type { ModelCost } from '../monitoring/model-report.ts';
import type { ModelWorker } from './model-worker.ts';

/** What the scheduler knows of a model that is loaded in a worker. */
export interface WarmModel {
  readonly metricId: string;
  readonly partition: number;
  readonly worker: ModelWorker;
  readonly generation: number;
  readonly revision: number;
  /** The last row it has seen. Never ahead of the committed watermark while it rests. */
  rowid: number;
  /** The row of its newest checkpoint that is kept or being written; where it was built from if there is none. */
  savedRowid: number;
  /** When that was, or when it was loaded or built if it was not saved since; by the scheduler's clock. */
  savedAtMs: number;
  /** Memory it takes. */
  bytes: number;
  /** The watermark when it was loaded: what it learned since was new. */
  readonly newFromRowid: number;
  /** When its next row is expected, by the scheduler's clock; null if nobody knows. */
  nextMs: number | null;
  /** CPU time that loading or building it took. */
  readonly loadMs: number;
  /** CPU time that a row of it took last, and saving it; null before. */
  rowMs: number | null;
  saveMs: number | null;
}

/** Models that are not loaded any more and of which is known what they took. */
const MAX_REMEMBERED = 10_000;

/** The loaded models by metric; tells their workers to drop them. */
export class WarmModels {
  readonly #models = new Map<string, WarmModel>();
  /** Of models that have left, the latest last. */
  readonly #costs = new Map<string, ModelCost>();

  get(metricId: string): WarmModel | null {
    return this.#models.get(metricId) ?? null;
  }

  /** What the metric's model takes, or took when it was loaded last; null if it was not, or that is long ago. */
  cost(metricId: string): ModelCost | null {
    const past = this.#costs.get(metricId) ?? null;
    const model = this.#models.get(metricId);
    if (model === undefined) return past;
    const { bytes, loadMs, rowMs, saveMs } = model;
    return {
      warm: true,
      bytes,
      loadMs,
      rowMs: rowMs ?? past?.rowMs ?? null,
      saveMs: saveMs ?? past?.saveMs ?? null,
    };
  }

  all(): WarmModel[] {
    return Array.from(this.#models.values());
  }

  /** What the models have learned since their checkpoints: rows, and the age of the oldest such checkpoint. */
  unsaved(nowMs: number): { unsavedRows: number; checkpointAgeSeconds: number } {
    let unsavedRows = 0;
    let checkpointAgeSeconds = 0;
    for (const { rowid, savedRowid, savedAtMs } of this.#models.values()) {
      if (rowid <= savedRowid) continue;
      unsavedRows += rowid - savedRowid;
      checkpointAgeSeconds = Math.max(checkpointAgeSeconds, (nowMs - savedAtMs) / 1000);
    }
    return { unsavedRows, checkpointAgeSeconds };
  }

  add(model: WarmModel): void {
    this.#models.set(model.metricId, model);
  }

  /** Drops the metric's model, if there is one, here and in its worker. */
  drop(metricId: string): void {
    const model = this.#models.get(metricId);
    if (model === undefined) return;
    this.#leave(metricId);
    // Calls are answered in order, so nothing needs to wait for this one; a worker that has ended holds nothing.
    model.worker.drop(metricId).catch(() => undefined);
  }

  /** Forgets all models of a worker that has ended. */
  lost(worker: ModelWorker): void {
    for (const model of this.all()) {
      if (model.worker === worker) this.#leave(model.metricId);
    }
  }

  #leave(metricId: string): void {
    const cost = this.cost(metricId);
    this.#models.delete(metricId);
    this.#costs.delete(metricId);
    if (cost !== null) this.#costs.set(metricId, { ...cost, warm: false });
    if (this.#costs.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#costs.keys()) {
      this.#costs.delete(oldest);
      break;
    }
  }
}

/** The name of the model's checkpoint at the row it stands at. */
export function checkpointName(model: WarmModel): CheckpointName {
  return {
    metricId: model.metricId,
    generation: model.generation,
    rowid: model.rowid,
    revision: model.revision,
  };
}
