import { sql } from 'kysely';
import type { BucketSelection, DataBucket } from '../queries.ts';
import { MAX_ROWID } from './bounds.ts';
import { firstRowid } from './row-times.ts';
import { firstRowidAt } from './row-times.ts';
import type { Db, Session } from './session.ts';

/** Rows that are gone through at a time, so that others get in between. */
const CHUNK_ROWS = 50_000;

/** See `Queries.readBuckets`. */
export async function readBuckets(
  session: Session,
  metricId: string,
  selection: BucketSelection,
): Promise<DataBucket[]> {
  const { first, last, scoredRowid } = await session.read((db) => boundsOf(db, metricId, selection));
  const width = Math.ceil((last - first + 1) / selection.buckets);
  const chunkRows = width * Math.max(1, Math.floor(CHUNK_ROWS / width));
  const found: DataBucket[] = [];
  for (let from = first; from <= last; from += chunkRows) {
    const to = Math.min(last, from + chunkRows - 1);
    found.push(...(await session.read((db) => bucketsOf(db, metricId, { from, to, width, scoredRowid }))));
  }
  return found;
}

/** The rowids that the times select, and up to where rows are scored. */
async function boundsOf(db: Db, metricId: string, { fromTimestamp, toTimestamp }: BucketSelection) {
  const lowest = (await firstRowid(db, metricId)) ?? 1;
  const first = fromTimestamp === undefined ? lowest : await firstRowidAt(db, metricId, fromTimestamp);
  const metric = await db
    .selectFrom('metric')
    .select('last_rowid')
    .where('uid', '=', metricId)
    .executeTakeFirst();
  const highest = metric?.last_rowid ?? 0;
  const last =
    toTimestamp === undefined ? highest : (await firstRowidAt(db, metricId, Math.floor(toTimestamp) + 1)) - 1;
  const watermark = await db
    .selectFrom('anomaly_watermark')
    .select('scored_rowid')
    .where('uid', '=', metricId)
    .executeTakeFirst();
  return { first, last: Math.min(last, highest, MAX_ROWID), scoredRowid: watermark?.scored_rowid ?? 0 };
}

interface Chunk {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly scoredRowid: number;
}

async function bucketsOf(
  db: Db,
  metricId: string,
  { from, to, width, scoredRowid }: Chunk,
): Promise<DataBucket[]> {
  // What lies beyond the watermark was left by a closed generation.
  const visible = sql<number | null>`case when rowid <= ${sql.lit(scoredRowid)} then anomaly_score end`;
  const rows = await db
    .selectFrom('metric_data')
    .select((eb) => [
      eb.fn.min('rowid').as('first_rowid'),
      eb.fn.max('rowid').as('last_rowid'),
      eb.fn.min('timestamp').as('first_timestamp'),
      eb.fn.max('timestamp').as('last_timestamp'),
      eb.fn.min('metric_value').as('lowest'),
      eb.fn.max('metric_value').as('highest'),
      eb.fn.max(visible).as('score'),
    ])
    .where('uid', '=', metricId)
    .where('rowid', '>=', from)
    .where('rowid', '<=', to)
    // Numbers of ours, whole and written out: a placeholder would make two expressions of it where one is meant.
    .groupBy(sql`floor((rowid - ${sql.lit(from)}) / ${sql.lit(width)})`)
    .orderBy('first_rowid')
    .execute();
  return rows.map((row) => ({
    firstRowid: row.first_rowid,
    lastRowid: row.last_rowid,
    firstTimestamp: row.first_timestamp,
    lastTimestamp: row.last_timestamp,
    lowest: row.lowest,
    highest: row.highest,
    anomalyScore: row.score,
  }));
}
