import type { CheckpointName, CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import { decodeCheckpoint } from '../checkpoints/codec.ts';
import { hasCode } from '../errors.ts';
import type { Queries } from '../store/queries.ts';

/** What monitoring asks about the models that are saved. */
export interface SavedModels {
  /** The present generation (null without an open one), and the rows of its checkpoints that this program can load. */
  ofGeneration(metricId: string): Promise<{ generation: number | null; checkpointRowids: number[] }>;
  /** Whether nothing is left from which the model of the open generation could be computed. */
  isLost(metricId: string): Promise<boolean>;
}

export interface StoredModelsOptions {
  readonly queries: Pick<Queries, 'describeModel' | 'readData'>;
  readonly checkpoints: Pick<CheckpointStore, 'list' | 'get'>;
  readonly knowsRevision: (revision: number) => boolean;
}

export class StoredModels implements SavedModels {
  readonly #options: StoredModelsOptions;

  constructor(options: StoredModelsOptions) {
    this.#options = options;
  }

  async ofGeneration(metricId: string): Promise<{ generation: number | null; checkpointRowids: number[] }> {
    const model = await this.#options.queries.describeModel(metricId);
    if (model === null || model.startRowid === null) return { generation: null, checkpointRowids: [] };
    const names = await this.#usable(metricId, model.generation);
    return { generation: model.generation, checkpointRowids: names.map(({ rowid }) => rowid) };
  }

  async isLost(metricId: string): Promise<boolean> {
    const { queries, checkpoints } = this.#options;
    const model = await queries.describeModel(metricId);
    if (model === null || model.startRowid === null) return false;
    const [firstRow] = await queries.readData(metricId, { limit: 1 });
    const firstRowid = firstRow?.rowid ?? Number.POSITIVE_INFINITY;
    if (firstRowid <= model.startRowid) return false;
    const processed = model.processedRowid ?? 0;
    for (const name of await this.#usable(metricId, model.generation)) {
      if (name.rowid > processed || firstRowid > name.rowid + 1) continue;
      const bytes = await checkpoints.get(name);
      if (bytes !== null && isWhole(name, bytes)) return false;
    }
    return true;
  }

  async #usable(metricId: string, generation: number): Promise<CheckpointName[]> {
    const { checkpoints, knowsRevision } = this.#options;
    const names = await checkpoints.list(metricId);
    return names.filter((name) => name.generation === generation && knowsRevision(name.revision));
  }
}

function isWhole(name: CheckpointName, bytes: Uint8Array): boolean {
  try {
    decodeCheckpoint(name, bytes);
    return true;
  } catch (error) {
    if (hasCode(error, 'checkpoint_damaged')) return false;
    throw error;
  }
}
