import { sql, type Kysely } from 'kysely';
import type { Renaming } from '../../original.ts';
import type { Schema } from '../../sql/schema.ts';
import { partitionOf } from '../../../partition.ts';
import { type OriginalName, renamingOf } from './checks.ts';
import { MODELS_TABLE, RESULTS_TABLE } from './recognise.ts';

/**
 * Makes what stands for one metric what our stages rely on, in one transaction; done again it changes nothing.
 * @returns whether rows had to be numbered anew: our rowids have no gaps.
 */
export function takeOverRows(db: Kysely<Schema>, uid: string): Promise<{ renumbered: boolean }> {
  return db.transaction().execute(async (transaction) => {
    const renumbered = await closeGaps(transaction, uid);
    await keepResults(transaction, uid);
    await sql`update metric set last_timestamp = (select max(d.timestamp) from metric_data d
      where d.uid = ${uid} and d.rowid = last_rowid) where uid = ${uid}`.execute(transaction);
    return { renumbered };
  });
}

/** Moves the rows before a gap up, so that the newest keeps its number and no number is given twice. */
async function closeGaps(db: Kysely<Schema>, uid: string): Promise<boolean> {
  const { rows } = await sql<{
    count: number;
    lowest: number | null;
    highest: number | null;
  }>`select count(*) as \`count\`, min(\`rowid\`) as lowest, max(\`rowid\`) as highest
    from metric_data where uid = ${uid}`.execute(db);
  const { count, lowest, highest } = rows[0] ?? { count: 0, lowest: null, highest: null };
  await sql`update metric set last_rowid = greatest(coalesce(last_rowid, 0), ${highest ?? 0}),
    poll_interval = coalesce(poll_interval, 60) where uid = ${uid}`.execute(db);
  if (lowest === null || highest === null) return false;
  const { rows: tails } = await sql<{
    last: number;
  }>`select last_rowid as \`last\` from metric where uid = ${uid}`.execute(db);
  const last = tails[0]?.last ?? highest;
  if (last - lowest + 1 === count) return false;
  await sql`set @next_rowid = ${last + 1}`.execute(db);
  await sql`update metric_data set \`rowid\` = (@next_rowid := @next_rowid - 1) where uid = ${uid}
    order by \`rowid\` desc`.execute(db);
  return true;
}

/** Puts the original's results by, and clears them: scores of two models must never stand side by side. */
async function keepResults(db: Kysely<Schema>, uid: string): Promise<void> {
  const hasResult = sql`uid = ${uid} and (raw_anomaly_score is not null or anomaly_score is not null
    or display_value is not null or multi_step_best_predictions is not null)`;
  await sql`insert into ${sql.table(RESULTS_TABLE)} (uid, \`rowid\`, raw_anomaly_score, anomaly_score, display_value,
    multi_step_best_predictions) select uid, \`rowid\`, raw_anomaly_score, anomaly_score, display_value,
    multi_step_best_predictions from metric_data where ${hasResult}`.execute(db);
  await sql`update metric_data set raw_anomaly_score = null, anomaly_score = null, display_value = null,
    multi_step_best_predictions = null where ${hasResult}`.execute(db);
}

/** Renames, shares the metrics out and notes which of them had models, all at once. */
export function takeOverMetrics(
  db: Kysely<Schema>,
  metrics: readonly OriginalName[],
  partitions: number,
): Promise<Renaming> {
  return db.transaction().execute(async (transaction) => {
    const renaming = renamingOf(metrics);
    for (const { uid, from, to } of renaming.renamed) {
      await sql`update metric set name = ${to}, server = case when server = ${from} then ${to} else server end,
        description = case when description = ${`Custom metric ${from}`} then ${`Custom metric ${to}`} else description end
        where uid = ${uid}`.execute(transaction);
    }
    const names = new Map(renaming.renamed.map(({ uid, to }) => [uid, to]));
    for (const { uid, name } of metrics) {
      const partition = partitionOf(names.get(uid) ?? name ?? '', partitions);
      await sql`update metric set \`partition\` = ${partition} where uid = ${uid}`.execute(transaction);
    }
    await sql`insert into ${sql.table(MODELS_TABLE)} (uid, name, status, parameters)
      select uid, name, status, parameters from metric where status <> 0`.execute(transaction);
    await sql`update metric set status = 0, parameters = null, model_params = null, message = null
      where status <> 0`.execute(transaction);
    return renaming;
  });
}
