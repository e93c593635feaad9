import type { Selectable } from 'kysely';
import { HtmEngineError } from '../../errors.ts';
import {
  MAX_MUTES,
  MAX_USUAL_PATTERNS,
  type Incidents,
  type Mute,
  type SpanKey,
  type SpanRecord,
  type SpanSelection,
  type UsualPattern,
} from '../incidents.ts';
import { checkLimit } from './bounds.ts';
import { requireMetric } from './metrics.ts';
import type { MuteTable, UsualPatternTable } from './schema.ts';
import type { Db, Session, SqlDialect } from './session.ts';
import { SPAN_COLUMNS, toSpan } from './spans.ts';
import { CUSTOM_DATASOURCE } from '../../metric.ts';

/** Spans, mutes and usual patterns in an SQL database. */
export class SqlIncidents implements Incidents {
  readonly #session: Session;
  readonly #dialect: SqlDialect;

  constructor(session: Session, dialect: SqlDialect) {
    this.#session = session;
    this.#dialect = dialect;
  }

  async spans(selection: SpanSelection): Promise<SpanRecord[]> {
    checkLimit(selection.limit);
    return this.#session.query((db) => selectSpans(db, selection));
  }

  span({ metricId, generation, openedRowid }: SpanKey): Promise<SpanRecord | null> {
    return this.#session.query(async (db) => {
      const row = await recordedSpans(db)
        .where('anomaly_span.uid', '=', metricId)
        .where('anomaly_span.generation', '=', generation)
        .where('anomaly_span.opened_rowid', '=', openedRowid)
        .executeTakeFirst();
      return row === undefined ? null : toRecord(row);
    });
  }

  acknowledge(spans: readonly SpanKey[], atTimestamp: number, note: string): Promise<number> {
    return this.#session.write(async (db) => {
      let acknowledged = 0;
      for (const { metricId, generation, openedRowid } of spans) {
        const { numUpdatedRows } = await db
          .updateTable('anomaly_span')
          .set({ acknowledged_at: atTimestamp, acknowledged_note: note })
          .where('uid', '=', metricId)
          .where('generation', '=', generation)
          .where('opened_rowid', '=', openedRowid)
          .where('acknowledged_at', 'is', null)
          .executeTakeFirst();
        acknowledged += Number(numUpdatedRows);
      }
      return acknowledged;
    });
  }

  async addMute({ id, pattern, fromTimestamp, untilTimestamp, note }: Mute): Promise<void> {
    await this.#session.write(async (db) => {
      if (await isKept(db, 'mute', id, MAX_MUTES)) return;
      await db
        .insertInto('mute')
        .values({ id, pattern, from_at: fromTimestamp, until_at: untilTimestamp, note })
        .execute();
    });
  }

  async mutes(): Promise<Mute[]> {
    return this.#session.query(async (db) => {
      const rows = await db
        .selectFrom('mute')
        .selectAll()
        .orderBy('from_at', 'desc')
        .orderBy('id')
        .limit(MAX_MUTES)
        .execute();
      return rows.map(toMute);
    });
  }

  removeMute(id: string): Promise<boolean> {
    return this.#session.write((db) => remove(db, 'mute', id));
  }

  async addUsual(pattern: UsualPattern): Promise<void> {
    await this.#session.write(async (db) => {
      if (await isKept(db, 'usual_pattern', pattern.id, MAX_USUAL_PATTERNS)) return;
      await requireMetric(db, pattern.metricId);
      await db
        .insertInto('usual_pattern')
        .values({
          id: pattern.id,
          uid: pattern.metricId,
          lowest_value: pattern.lowestValue,
          highest_value: pattern.highestValue,
          from_minute: pattern.fromMinute,
          to_minute: pattern.toMinute,
          created_at: pattern.createdAt,
          note: pattern.note,
        })
        .execute();
    });
  }

  async usualPatterns(metricIds?: readonly string[]): Promise<UsualPattern[]> {
    return this.#session.query(async (db) => {
      const rows = await db
        .selectFrom('usual_pattern')
        .selectAll()
        .$if(metricIds !== undefined, (query) =>
          query.where((eb) => this.#dialect.isOneOf(eb.ref('uid'), metricIds ?? [])),
        )
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(MAX_USUAL_PATTERNS)
        .execute();
      return rows.map(toUsualPattern);
    });
  }

  removeUsual(id: string): Promise<boolean> {
    return this.#session.write((db) => remove(db, 'usual_pattern', id));
  }
}

async function selectSpans(db: Db, selection: SpanSelection): Promise<SpanRecord[]> {
  const { fromTimestamp, toTimestamp, metricId, limit } = selection;
  const rows = await recordedSpans(db)
    .$if(fromTimestamp !== undefined, (query) =>
      query.where('anomaly_span.last_at', '>=', fromTimestamp ?? 0),
    )
    .$if(toTimestamp !== undefined, (query) => query.where('anomaly_span.opened_at', '<=', toTimestamp ?? 0))
    .$if(metricId !== undefined, (query) => query.where('anomaly_span.uid', '=', metricId ?? ''))
    // The index of times read backwards: where it ends with the primary key (MySQL), that is all of the order.
    .orderBy('anomaly_span.last_at', 'desc')
    .orderBy('anomaly_span.uid', 'desc')
    .orderBy('anomaly_span.generation', 'desc')
    .orderBy('anomaly_span.opened_rowid', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toRecord);
}

/**
 * Spans with the names of their metrics; those of discarded metrics are gone. Not a join: MariaDB and SQLite would begin
 * it with all metrics and sort all spans, where the newest are asked for.
 */
function recordedSpans(db: Db) {
  return db
    .selectFrom('anomaly_span')
    .select([
      ...SPAN_COLUMNS,
      'anomaly_span.uid',
      'anomaly_span.generation',
      'anomaly_span.acknowledged_at',
      'anomaly_span.acknowledged_note',
    ])
    .select((eb) =>
      eb
        .selectFrom('metric')
        .select('metric.name')
        .whereRef('metric.uid', '=', 'anomaly_span.uid')
        .$asScalar()
        .$notNull()
        .as('name'),
    )
    .where((eb) =>
      eb(
        eb
          .selectFrom('metric')
          .select('metric.datasource')
          .whereRef('metric.uid', '=', 'anomaly_span.uid')
          .$asScalar()
          .$notNull(),
        '=',
        CUSTOM_DATASOURCE,
      ),
    );
}

type RecordRow = Awaited<ReturnType<ReturnType<typeof recordedSpans>['executeTakeFirstOrThrow']>>;

function toRecord(row: RecordRow): SpanRecord {
  return {
    ...toSpan(row),
    metricId: row.uid,
    name: row.name,
    generation: row.generation,
    acknowledgement:
      row.acknowledged_at === null
        ? null
        : { atTimestamp: row.acknowledged_at, note: row.acknowledged_note ?? '' },
  };
}

/** Whether there is one of that id. @throws HtmEngineError `overloaded` if not and there are `most` already */
async function isKept(db: Db, table: 'mute' | 'usual_pattern', id: string, most: number): Promise<boolean> {
  const existing = await db.selectFrom(table).select('id').where('id', '=', id).executeTakeFirst();
  if (existing !== undefined) return true;
  const { kept } = await db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('kept'))
    .executeTakeFirstOrThrow();
  if (kept < most) return false;
  throw new HtmEngineError(
    'overloaded',
    `there are ${most} of these already, the most there may be: remove one first`,
  );
}

async function remove(db: Db, table: 'mute' | 'usual_pattern', id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom(table).where('id', '=', id).executeTakeFirst();
  return numDeletedRows > 0n;
}

function toMute(row: Selectable<MuteTable>): Mute {
  const { id, pattern, from_at: fromTimestamp, until_at: untilTimestamp, note } = row;
  return { id, pattern, fromTimestamp, untilTimestamp, note };
}

function toUsualPattern(row: Selectable<UsualPatternTable>): UsualPattern {
  return {
    id: row.id,
    metricId: row.uid,
    lowestValue: row.lowest_value,
    highestValue: row.highest_value,
    fromMinute: row.from_minute,
    toMinute: row.to_minute,
    createdAt: row.created_at,
    note: row.note,
  };
}
