/**
 * The checkpoint seam: immutable saved models. Bytes are what `codec.ts` makes (header, checksum of the
 * uncompressed state, compressed state); stores neither look inside nor change them. Adapters: filesystem/, s3/, and rows of the
 * store's database (store/sql/checkpoints.ts).
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
  /** Up to `limit` metrics that have checkpoints, in the order of their ids, after `afterMetricId` ('' for the first). */
  metricIds(afterMetricId: string, limit: number): Promise<string[]>;
}

/** Which model, after which row, by which revision of the algorithms. */
export interface CheckpointName {
  readonly metricId: string;
  readonly generation: number;
  /** The last row the model has seen; `startRowid - 1` for a new model. */
  readonly rowid: number;
  readonly revision: number;
}

const METRIC_ID = /^[0-9a-f]{32}$/;

export function isMetricId(text: string): boolean {
  return METRIC_ID.test(text);
}

/** @throws TypeError unless the id is 32 lower-case hex digits. */
export function checkMetricId(metricId: string): void {
  if (!isMetricId(metricId)) {
    throw new TypeError(`a metric id is 32 lower-case hex digits, not ${JSON.stringify(metricId)}`);
  }
}

/** @throws RangeError unless each number of the name is a whole one from 0 to 2^32 - 1. */
export function checkNumbers({ generation, rowid, revision }: CheckpointName): void {
  for (const number of [generation, rowid, revision]) {
    if (!Number.isInteger(number) || number < 0 || number >= 2 ** 32) {
      throw new RangeError(`generation, rowid and revision are whole numbers below 2^32, not ${number}`);
    }
  }
}
