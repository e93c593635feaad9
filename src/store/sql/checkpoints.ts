import {
  checkMetricId,
  checkNumbers,
  type CheckpointName,
  type CheckpointStore,
} from '../../checkpoints/checkpoint-store.ts';
import type { Db, Session } from './session.ts';

/** Bytes of one row: databases limit how much one statement may carry. */
const CHUNK_BYTES = 256 * 1024;

/** Saved models as rows beside the metrics they belong to. */
export class SqlCheckpointStore implements CheckpointStore {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
    await this.#session.write(async (db) => {
      const existing = await chunksOf(db, name).select('chunk').limit(1).executeTakeFirst();
      if (existing !== undefined) return;
      for (let chunk = 0; chunk === 0 || chunk * CHUNK_BYTES < bytes.length; chunk++) {
        const data = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
        await db
          .insertInto('checkpoint')
          .values({ ...keyOf(name), chunk, bytes: data.length, data: Buffer.from(data) })
          .execute();
      }
    });
  }

  async list(metricId: string): Promise<CheckpointName[]> {
    checkMetricId(metricId);
    return this.#session.query(async (db) => {
      const rows = await db
        .selectFrom('checkpoint')
        .select(['generation', 'rowid', 'revision'])
        .where('uid', '=', metricId)
        .where('chunk', '=', 0)
        .orderBy('generation', 'desc')
        .orderBy('rowid', 'desc')
        .orderBy('revision', 'desc')
        .execute();
      return rows.map(({ generation, rowid, revision }) => ({ metricId, generation, rowid, revision }));
    });
  }

  async get(name: CheckpointName): Promise<Uint8Array | null> {
    return this.#session.query(async (db) => {
      const rows = await chunksOf(db, name).select('data').orderBy('chunk').execute();
      // Bytes of their own: drivers may hand out parts of a buffer that they share.
      return rows.length === 0 ? null : Uint8Array.from(Buffer.concat(rows.map(({ data }) => data)));
    });
  }

  async delete(name: CheckpointName): Promise<void> {
    const { uid, generation, rowid, revision } = keyOf(name);
    await this.#session.write(async (db) => {
      await db
        .deleteFrom('checkpoint')
        .where('uid', '=', uid)
        .where('generation', '=', generation)
        .where('rowid', '=', rowid)
        .where('revision', '=', revision)
        .execute();
    });
  }

  async deleteAll(metricId: string): Promise<void> {
    checkMetricId(metricId);
    await this.#session.write(async (db) => {
      await db.deleteFrom('checkpoint').where('uid', '=', metricId).execute();
    });
  }

  async size(metricId: string): Promise<number> {
    checkMetricId(metricId);
    return this.#session.query(async (db) => {
      const { bytes } = await db
        .selectFrom('checkpoint')
        .select((eb) => eb.fn.sum<number | null>('bytes').as('bytes'))
        .where('uid', '=', metricId)
        .executeTakeFirstOrThrow();
      return bytes ?? 0;
    });
  }

  metricIds(afterMetricId: string, limit: number): Promise<string[]> {
    return this.#session.query(async (db) => {
      const rows = await db
        .selectFrom('checkpoint')
        .select('uid')
        .distinct()
        .where('uid', '>', afterMetricId)
        .orderBy('uid')
        .limit(limit)
        .execute();
      return rows.map(({ uid }) => uid);
    });
  }
}

function keyOf(name: CheckpointName) {
  checkMetricId(name.metricId);
  checkNumbers(name);
  const { metricId: uid, generation, rowid, revision } = name;
  return { uid, generation, rowid, revision };
}

function chunksOf(db: Db, name: CheckpointName) {
  const { uid, generation, rowid, revision } = keyOf(name);
  return db
    .selectFrom('checkpoint')
    .where('uid', '=', uid)
    .where('generation', '=', generation)
    .where('rowid', '=', rowid)
    .where('revision', '=', revision);
}
