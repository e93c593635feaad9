import type { CheckpointName, CheckpointStore } from '../src/checkpoints/checkpoint-store.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../src/checkpoints/codec.ts';
import { AnomalyModel } from '../src/htm/index.ts';
import { FIRST_SECOND, LEARNED_ROWS, ROW_SECONDS } from './fleet-rows.ts';
import type { Shape } from './fleet-shapes.ts';

/** A prototype's checkpoint, which becomes that of any metric by the id in its header: packing is done once. */
export class PrototypeCheckpoint {
  readonly #name: CheckpointName;
  readonly #bytes: Uint8Array;

  constructor(name: CheckpointName, bytes: Uint8Array) {
    this.#name = name;
    this.#bytes = bytes;
    // Where the id is in the header is the codec's: whether it is so still is seen by what the codec makes itself.
    const other = 'ab'.repeat(16);
    const packed = encodeCheckpoint({ ...name, metricId: other }, decodeCheckpoint(name, bytes));
    if (!this.of(other).bytes.equals(packed))
      throw new Error('the header of checkpoints has changed: copies of the prototypes would be damaged');
  }

  of(metricId: string): { name: CheckpointName; bytes: Buffer } {
    const bytes = Buffer.from(this.#bytes);
    bytes.write(metricId, ID_OFFSET, 'hex');
    return { name: { ...this.#name, metricId }, bytes };
  }
}

/**
 * Checkpoints of a prototype at its last rows, one at each: models that come and go are saved every eleventh or twelfth time
 * (docs/decisions/0019), so that is how old those of a fleet are. The newest one that the prototype itself was saved with may be older, and
 * the model goes on from there.
 */
export async function checkpointsOf(
  store: Pick<CheckpointStore, 'list' | 'get'>,
  metricId: string,
  shape: Shape,
): Promise<PrototypeCheckpoint[]> {
  const saved = (await store.list(metricId)).find(({ rowid }) => rowid <= LEARNED_ROWS - OLDEST_ROWS);
  const bytes = saved === undefined ? null : await store.get(saved);
  if (saved === undefined || bytes === null) throw new Error('a prototype was not saved early enough');
  const model = AnomalyModel.from(decodeCheckpoint(saved, bytes));
  const checkpoints: PrototypeCheckpoint[] = [];
  for (let { rowid } = saved; rowid <= LEARNED_ROWS; rowid++) {
    if (rowid > saved.rowid) model.run(FIRST_SECOND + ROW_SECONDS * (rowid - 1), shape.value(rowid - 1, 1));
    if (rowid < LEARNED_ROWS - OLDEST_ROWS) continue;
    const name = { ...saved, rowid };
    checkpoints.push(new PrototypeCheckpoint(name, encodeCheckpoint(name, model.bytes())));
  }
  return checkpoints;
}

const ID_OFFSET = 8;
/** The oldest checkpoint lacks so many rows. */
const OLDEST_ROWS = 11;
