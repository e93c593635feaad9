/**
 * The checkpoint seam: immutable saved models. Bytes are what `codec.ts` makes (header, checksum of the
 * uncompressed state, compressed state); stores neither look inside nor change them. Adapters: filesystem/.
 */
export interface CheckpointStore {
  /** Keeps `bytes` under `name`, durably and whole or not at all. A name that exists already is kept as it is. @throws store_unavailable */
  put(name: CheckpointName, bytes: Uint8Array): Promise<void>;
  /** The metric's checkpoints of all generations: highest generation first, then highest rowid first. */
  list(metricId: string): Promise<CheckpointName[]>;
  /** @returns null if there is none of that name. */
  get(name: CheckpointName): Promise<Uint8Array | null>;
  /** Absent ones are fine. */
  delete(name: CheckpointName): Promise<void>;
  deleteAll(metricId: string): Promise<void>;
  /** Bytes kept for the metric. */
  size(metricId: string): Promise<number>;
}

/** Which model, after which row, by which revision of the algorithms. */
export interface CheckpointName {
  readonly metricId: string;
  readonly generation: number;
  /** The last row the model has seen; `startRowid - 1` for a new model. */
  readonly rowid: number;
  readonly revision: number;
}
