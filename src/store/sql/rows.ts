import type { RowBlock, ScoredRow } from '../log.ts';
import { prepared } from './prepared.ts';
import type { Db } from './session.ts';

/** See `Log.readRows`. */
export async function readRows(
  db: Db,
  metricId: string,
  after: number,
  through: number,
  limit: number,
): Promise<RowBlock> {
  const { rows } = await rowsOf(db, { metricId, after, through, limit });
  const block = {
    rowids: new Int32Array(rows.length),
    timestamps: new Float64Array(rows.length),
    values: new Float64Array(rows.length),
    rawScores: new Float64Array(rows.length).fill(Number.NaN),
  };
  rows.forEach((row, index) => {
    block.rowids[index] = row.rowid;
    block.timestamps[index] = row.timestamp;
    block.values[index] = row.metric_value;
    // What lies beyond the watermark was left by a closed generation.
    if (row.raw_anomaly_score !== null && row.rowid <= (row.processed_rowid ?? 0)) {
      block.rawScores[index] = row.raw_anomaly_score;
    }
  });
  return block;
}

/** See `Log.readScoredRows`. */
export async function readScoredRows(
  db: Db,
  metricId: string,
  generation: number,
  after: number,
  through: number,
  limit: number,
): Promise<ScoredRow[]> {
  const { rows } = await scoredRowsOf(db, { metricId, generation, after, through, limit });
  return rows.map((row) => ({
    rowid: row.rowid,
    timestamp: row.timestamp,
    value: row.metric_value,
    rawAnomalyScore: row.raw_anomaly_score,
    anomalyScore: row.anomaly_score,
    displayValue: row.display_value,
    multiStepBestPredictions: row.multi_step_best_predictions,
  }));
}

const rowsOf = prepared((db, args: RowRange) =>
  db
    .selectFrom('metric_data')
    .leftJoin('scheduler_watermark', 'scheduler_watermark.uid', 'metric_data.uid')
    .select([
      'metric_data.rowid',
      'metric_data.timestamp',
      'metric_data.metric_value',
      'metric_data.raw_anomaly_score',
      'scheduler_watermark.processed_rowid',
    ])
    .where('metric_data.uid', '=', args.metricId)
    .where('metric_data.rowid', '>', args.after)
    .where('metric_data.rowid', '<=', args.through)
    .orderBy('metric_data.rowid')
    .limit(args.limit),
);

const scoredRowsOf = prepared((db, args: RowRange & { readonly generation: number }) =>
  db
    .selectFrom('anomaly_watermark')
    .innerJoin('metric_data', 'metric_data.uid', 'anomaly_watermark.uid')
    .select([
      'metric_data.rowid',
      'metric_data.timestamp',
      'metric_data.metric_value',
      'metric_data.raw_anomaly_score',
      'metric_data.anomaly_score',
      'metric_data.display_value',
      'metric_data.multi_step_best_predictions',
    ])
    .where('anomaly_watermark.uid', '=', args.metricId)
    .where('anomaly_watermark.generation', '=', args.generation)
    .where('metric_data.rowid', '>', args.after)
    .where('metric_data.rowid', '<=', args.through)
    .whereRef('metric_data.rowid', '<=', 'anomaly_watermark.scored_rowid')
    .where('metric_data.raw_anomaly_score', 'is not', null)
    .where('metric_data.anomaly_score', 'is not', null)
    .where('metric_data.display_value', 'is not', null)
    .orderBy('metric_data.rowid')
    .limit(args.limit)
    .$narrowType<{ raw_anomaly_score: number; anomaly_score: number; display_value: number }>(),
);

interface RowRange {
  readonly metricId: string;
  readonly after: number;
  readonly through: number;
  readonly limit: number;
}
