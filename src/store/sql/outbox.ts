import { randomUUID } from 'node:crypto';
import type { ModelEvent, ModelEventKind, Outbox } from '../outbox.ts';
import { checkLimit } from './bounds.ts';
import type { Db, Session } from './session.ts';

/** Events of one metric that are kept at the most; then the oldest are forgotten: somebody has not told for very long. */
const MAX_EVENTS_PER_METRIC = 100;
/** Bounds the number of parameters of one statement. */
const REMOVE_CHUNK = 200;

export class SqlOutbox implements Outbox {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async startKeeping(): Promise<void> {
    await this.#session.write(async (db) => {
      if (await isKept(db)) return;
      await db.insertInto('installation').values({ name: 'outbox', value: 'open' }).execute();
    });
  }

  async stopKeeping(): Promise<void> {
    await this.#session.write(async (db) => {
      await db.deleteFrom('installation').where('name', '=', 'outbox').execute();
      await db.deleteFrom('outbox').execute();
    });
  }

  async read(limit: number): Promise<ModelEvent[]> {
    checkLimit(limit);
    const rows = await this.#session.query((db) =>
      db.selectFrom('outbox').selectAll().orderBy('uid').orderBy('sequence').limit(limit).execute(),
    );
    return rows.map((row) => ({
      eventId: row.event_id,
      kind: row.kind,
      metricId: row.uid,
      metricName: row.name,
      resource: row.resource,
      generation: row.generation,
      modelSpec: row.spec,
      message: row.message,
    }));
  }

  async remove(eventIds: readonly string[]): Promise<void> {
    await this.#session.write(async (db) => {
      for (let first = 0; first < eventIds.length; first += REMOVE_CHUNK) {
        const chunk = eventIds.slice(first, first + REMOVE_CHUNK);
        await db.deleteFrom('outbox').where('event_id', 'in', chunk).execute();
      }
    });
  }
}

/**
 * Keeps, in the transaction of the caller, what happened to the metric's present generation. Called before that changes
 * anything of what is kept (name, spec).
 */
export async function keepEvent(
  db: Db,
  kind: ModelEventKind,
  metricId: string,
  message: string | null = null,
): Promise<void> {
  if (!(await isKept(db))) return;
  const present = await db
    .selectFrom('metric')
    .innerJoin('generation', 'generation.uid', 'metric.uid')
    .select(['metric.name', 'metric.server', 'generation.generation', 'generation.spec'])
    .where('metric.uid', '=', metricId)
    .where('generation.state', '=', 'open')
    .executeTakeFirst();
  // A generation that never opened had no model of which anything could be told.
  if (present === undefined) return;
  const last = await db
    .selectFrom('outbox')
    .select('sequence')
    .where('uid', '=', metricId)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  const sequence = (last?.sequence ?? 0) + 1;
  await db
    .insertInto('outbox')
    .values({
      uid: metricId,
      sequence,
      event_id: randomUUID().replaceAll('-', ''),
      kind,
      name: present.name,
      resource: present.server ?? present.name,
      generation: present.generation,
      spec: kind === 'deleted' ? null : present.spec,
      message,
    })
    .execute();
  await db
    .deleteFrom('outbox')
    .where('uid', '=', metricId)
    .where('sequence', '<=', sequence - MAX_EVENTS_PER_METRIC)
    .execute();
}

async function isKept(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('installation')
    .select('value')
    .where('name', '=', 'outbox')
    .executeTakeFirst();
  return row !== undefined;
}
