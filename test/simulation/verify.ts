import type { Result } from '../../src/metric.ts';
import type { ModelChange } from '../../src/model-command.ts';
import { expectedRows, type ExpectedRow, type GenerationRow } from './expected.ts';
import { METRICS, ROWS, sampleOf } from './series.ts';
import type { World } from './world.ts';

interface StoredGeneration extends GenerationRow {
  readonly generation: number;
  readonly state: string;
}

/** Holds rows, scores and published results against those of a run without faults. */
export function verify(world: World): void {
  METRICS.forEach((_, metric) => verifyMetric(world, metric));
}

function verifyMetric(world: World, metric: number): void {
  const {
    database: { connection },
    audit,
  } = world;
  const { name, metricId } = METRICS[metric] ?? { name: '', metricId: '' };
  const stored = connection
    .prepare(
      `select rowid, timestamp, metric_value as value, raw_anomaly_score as rawAnomalyScore,
        anomaly_score as anomalyScore, display_value as displayValue
        from metric_data where uid = ? order by rowid`,
    )
    .all(metricId);
  const generations = connection
    .prepare(
      `select generation, state, start_rowid, model_params, likelihood from generation
        where uid = ? and start_rowid is not null`,
    )
    .all(metricId) as StoredGeneration[];
  const open = generations.find(({ state }) => state === 'open');
  const expected = open === undefined ? [] : rowsOf(world, metric, open);
  const unscored = { rawAnomalyScore: null, anomalyScore: null, displayValue: null };
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    rowid: i + 1,
    ...sampleOf(metric, i),
    ...unscored,
  }));
  if (expected.length > 0)
    rows.splice((expected[0]?.rowid ?? 1) - 1, expected.length, ...(expected as never[]));
  const difference = firstDifference(rows, stored);
  if (difference !== null) audit.violation(`metric ${name}: ${difference}`);
  for (const generation of generations) {
    const published = audit.published.filter(
      (result) => result.metricId === metricId && result.generation === generation.generation,
    );
    const wanted = rowsOf(world, metric, generation).filter(({ anomalyScore }) => anomalyScore !== null);
    const fault = faultOfPublished(wanted, published, generation.state === 'open');
    if (fault !== null)
      audit.violation(`metric ${name}, generation ${generation.generation}, published: ${fault}`);
  }
}

function rowsOf(
  { database: { connection } }: World,
  metric: number,
  generation: StoredGeneration,
): readonly ExpectedRow[] {
  const commands = connection
    .prepare(
      `select sequence, after_rowid, what, args from model_command
        where uid = ? and generation = ? order by sequence`,
    )
    .all(METRICS[metric]?.metricId, generation.generation) as CommandRow[];
  return expectedRows(
    metric,
    generation,
    commands.map(({ sequence, after_rowid: afterRowid, what, args }) => ({
      sequence,
      afterRowid,
      change: { what, ...(JSON.parse(args ?? '{}') as object) } as ModelChange,
    })),
  );
}

interface CommandRow {
  readonly sequence: number;
  readonly after_rowid: number;
  readonly what: string;
  readonly args: string | null;
}

/** In order, repeats aside, and all of them if the generation is open. */
function faultOfPublished(
  expected: readonly ExpectedRow[],
  published: readonly Result[],
  isComplete: boolean,
): string | null {
  let next = 0;
  for (const result of published) {
    const index = expected.findIndex(({ rowid: wanted }) => wanted === result.rowid);
    if (index < 0) return `row ${result.rowid}, which has no score`;
    if (index > next) return `row ${result.rowid} came where row ${expected[next]?.rowid} was due`;
    if (index === next) next++;
    const { rowid, timestamp, value, rawAnomalyScore, anomalyScore, displayValue } = result;
    const row = { rowid, timestamp, value, rawAnomalyScore, anomalyScore, displayValue };
    if (JSON.stringify(row) !== JSON.stringify(expected[index])) {
      return `${JSON.stringify(row)} instead of ${JSON.stringify(expected[index])}`;
    }
  }
  return isComplete && next < expected.length ? `${next} of ${expected.length} results` : null;
}

function firstDifference(expected: readonly unknown[], found: readonly unknown[]): string | null {
  if (found.length !== expected.length) return `${found.length} rows instead of ${expected.length}`;
  const index = expected.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(found[i]));
  return index < 0 ? null : `${JSON.stringify(found[index])} instead of ${JSON.stringify(expected[index])}`;
}
