import type { Selectable } from 'kysely';
import type { AnomalySpan } from '../incidents.ts';
import type { AnomalySpanTable } from './schema.ts';
import type { Db } from './session.ts';

/** The columns of a span, as its table has them. */
export type SpanRow = Pick<Selectable<AnomalySpanTable>, (typeof SPAN_COLUMNS)[number]>;

export const SPAN_COLUMNS = [
  'opened_rowid',
  'opened_at',
  'last_rowid',
  'last_at',
  'peak_score',
  'peak_at',
  'lowest_value',
  'highest_value',
  'ended',
] as const satisfies readonly (keyof AnomalySpanTable)[];

export function toSpan(row: SpanRow): AnomalySpan {
  return {
    openedRowid: row.opened_rowid,
    openedAt: row.opened_at,
    lastRowid: row.last_rowid,
    lastAt: row.last_at,
    peakScore: row.peak_score,
    peakAt: row.peak_at,
    lowestValue: row.lowest_value,
    highestValue: row.highest_value,
    ended: row.ended !== 0,
  };
}

/** Writes spans of a generation as they are now, in the transaction of T2. They are few: most slices have none. */
export async function keepSpans(
  db: Db,
  { metricId, generation }: { readonly metricId: string; readonly generation: number },
  spans: readonly AnomalySpan[],
): Promise<void> {
  for (const span of spans) {
    const row = toRow(span);
    const key = { uid: metricId, generation, opened_rowid: span.openedRowid };
    const { numUpdatedRows } = await db
      .updateTable('anomaly_span')
      .set(row)
      .where('uid', '=', key.uid)
      .where('generation', '=', key.generation)
      .where('opened_rowid', '=', key.opened_rowid)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) {
      await db
        .insertInto('anomaly_span')
        .values({ ...key, ...row, acknowledged_at: null, acknowledged_note: null })
        .execute();
    }
  }
}

/** Ends the open span of a metric whose generation is being closed. */
export async function endSpans(db: Db, metricId: string): Promise<void> {
  await db
    .updateTable('anomaly_span')
    .set({ ended: 1 })
    .where('uid', '=', metricId)
    .where('ended', '=', 0)
    .execute();
}

function toRow(span: AnomalySpan): Omit<SpanRow, 'opened_rowid'> {
  return {
    opened_at: span.openedAt,
    last_rowid: span.lastRowid,
    last_at: span.lastAt,
    peak_score: span.peakScore,
    peak_at: span.peakAt,
    lowest_value: span.lowestValue,
    highest_value: span.highestValue,
    ended: span.ended ? 1 : 0,
  };
}
