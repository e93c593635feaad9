import type { AnomalySpan } from '../incidents.ts';
import type { AnomalyTask, CursorPosition, ModelTask } from '../log.ts';
import { commandsOf } from './commands.ts';
import { RUNNING } from './folds.ts';
import { GENERATION_COLUMNS, toGeneration } from './generations.ts';
import { prepared } from './prepared.ts';
import type { Db } from './session.ts';
import { toSpan, type SpanRow } from './spans.ts';

/** See `Log.modelTask`. */
export async function modelTask(db: Db, metricId: string): Promise<ModelTask | null> {
  const { rows } = await openModel(db, { metricId });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    generation: toGeneration(row),
    status: row.status,
    partition: row.partition,
    processedRowid: row.processed_rowid,
    lastRowid: row.last_rowid,
    firstRowid: row.first_rowid ?? 0,
    // Seldom any. One that came since the other statement begins after its watermark, so it does no harm.
    commands: row.last_command === null ? [] : await commandsOf(db, metricId, row.generation),
  };
}

/** See `Log.anomalyTask`. */
export async function anomalyTask(db: Db, metricId: string): Promise<AnomalyTask | null> {
  const { rows } = await openLikelihood(db, { metricId });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    generation: toGeneration(row),
    partition: row.partition,
    scoredRowid: row.scored_rowid,
    processedRowid: row.processed_rowid,
    state: row.state === null ? null : new Uint8Array(row.state),
    openSpan: openSpanOf(row),
    bars: row.bars === null ? null : new Uint8Array(row.bars),
  };
}

/** See `Log.cursor`. */
export async function cursorPosition(
  db: Db,
  consumer: string,
  metricId: string,
): Promise<CursorPosition | null> {
  const { rows } = await standing(db, { consumer, metricId });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    metricId,
    name: row.name,
    generation: row.generation,
    partition: row.partition,
    backlogRowid: row.backlog_rowid,
    rowid: row.rowid ?? (row.start_rowid ?? 1) - 1,
    scoredRowid: row.scored_rowid,
  };
}

const openModel = prepared((db, args: { metricId: string }) =>
  db
    .selectFrom('scheduler_watermark')
    .innerJoin('generation', (join) =>
      join
        .onRef('generation.uid', '=', 'scheduler_watermark.uid')
        .onRef('generation.generation', '=', 'scheduler_watermark.generation'),
    )
    .innerJoin('metric', 'metric.uid', 'scheduler_watermark.uid')
    .select([
      ...GENERATION_COLUMNS,
      'metric.status',
      'metric.partition',
      'metric.last_rowid',
      'scheduler_watermark.processed_rowid',
    ])
    .select((eb) =>
      eb
        .selectFrom('metric_data')
        .select((inner) => inner.fn.min('metric_data.rowid').as('first_rowid'))
        .whereRef('metric_data.uid', '=', 'scheduler_watermark.uid')
        .as('first_rowid'),
    )
    .select((eb) =>
      eb
        .selectFrom('model_command')
        .select((inner) => inner.fn.max('model_command.sequence').as('last_sequence'))
        .whereRef('model_command.uid', '=', 'scheduler_watermark.uid')
        .whereRef('model_command.generation', '=', 'scheduler_watermark.generation')
        .as('last_command'),
    )
    .where('scheduler_watermark.uid', '=', args.metricId)
    .where('metric.status', 'in', RUNNING),
);

const openLikelihood = prepared((db, args: { metricId: string }) =>
  db
    .selectFrom('anomaly_watermark')
    .innerJoin('scheduler_watermark', 'scheduler_watermark.uid', 'anomaly_watermark.uid')
    .innerJoin('generation', (join) =>
      join
        .onRef('generation.uid', '=', 'anomaly_watermark.uid')
        .onRef('generation.generation', '=', 'anomaly_watermark.generation'),
    )
    .innerJoin('metric', 'metric.uid', 'anomaly_watermark.uid')
    .select([
      ...GENERATION_COLUMNS,
      'metric.partition',
      'scheduler_watermark.processed_rowid',
      'anomaly_watermark.scored_rowid',
      'anomaly_watermark.state',
      'anomaly_watermark.bars',
    ])
    // A metric has one open span at the most.
    .leftJoin('anomaly_span', (join) =>
      join
        .onRef('anomaly_span.uid', '=', 'anomaly_watermark.uid')
        .onRef('anomaly_span.generation', '=', 'anomaly_watermark.generation')
        .on('anomaly_span.ended', '=', 0),
    )
    .select([
      'anomaly_span.opened_rowid',
      'anomaly_span.opened_at',
      'anomaly_span.last_rowid',
      'anomaly_span.last_at',
      'anomaly_span.peak_score',
      'anomaly_span.peak_at',
      'anomaly_span.lowest_value',
      'anomaly_span.highest_value',
      'anomaly_span.ended',
    ])
    .where('anomaly_watermark.uid', '=', args.metricId),
);

function openSpanOf(row: { readonly [Column in keyof SpanRow]: SpanRow[Column] | null }): AnomalySpan | null {
  return row.opened_rowid === null ? null : toSpan(row as SpanRow);
}

const standing = prepared((db, args: { consumer: string; metricId: string }) =>
  db
    .selectFrom('anomaly_watermark')
    .innerJoin('generation', (join) =>
      join
        .onRef('generation.uid', '=', 'anomaly_watermark.uid')
        .onRef('generation.generation', '=', 'anomaly_watermark.generation'),
    )
    .innerJoin('metric', 'metric.uid', 'anomaly_watermark.uid')
    .leftJoin('cursor', (join) =>
      join.onRef('cursor.uid', '=', 'anomaly_watermark.uid').on('cursor.consumer', '=', args.consumer),
    )
    .select([
      'metric.name',
      'metric.partition',
      'generation.generation',
      'generation.backlog_rowid',
      'generation.start_rowid',
      'anomaly_watermark.scored_rowid',
      'cursor.rowid',
    ])
    .where('anomaly_watermark.uid', '=', args.metricId),
);
