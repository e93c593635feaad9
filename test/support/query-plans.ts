import {
  automatic,
  CONSUMER,
  rawScoreOf,
  requestWithRange,
  samples,
  timeOf,
} from '../conformance/store/fixture.ts';
import { makePlanDatabase, type Plan, type PlanDatabase, type PlanKind } from './plan-databases.ts';

/** A statement, the operation that sends it first, and its plan. */
export interface PlannedStatement extends Plan {
  readonly operation: string;
  readonly statement: string;
}

const STORED = 12;
const PROCESSED = 10;
const SCORED = 8;
const PUBLISHED = 4;

/** Parents first. */
const FILLED_TABLES = [
  'metric',
  'metric_data',
  'generation',
  'scheduler_watermark',
  'anomaly_watermark',
  'cursor',
  'anomaly_span',
];

/**
 * The plans of the statements that the store sends most, in a database of 10,000 monitored metrics with 12 rows each
 * and, on servers, with statistics.
 */
export async function queryPlans(kind: PlanKind): Promise<PlannedStatement[]> {
  const database = await makePlanDatabase(kind);
  try {
    const { metricId, epoch } = await fill(kind, database);
    const store = await database.open();
    // SQLite's statements over many rows are prepared now, and run by T0 to T2; servers are sent what opening needs.
    const opening: Operation = ['T0 to T2, rows and scores', () => Promise.resolve()];
    const seen = new Set(kind === 'sqlite' ? [] : database.sent());
    const planned: PlannedStatement[] = [];
    for (const [operation, run] of [opening, ...hotOperations(store, metricId, epoch)]) {
      await run();
      for (const statement of database.sent()) {
        if (seen.has(statement)) continue;
        seen.add(statement);
        const { text } = statement;
        if (!/^(?:with|select|insert|update|delete)\b/i.test(text)) continue;
        planned.push({ operation, statement: text, ...(await database.explain(statement)) });
      }
    }
    return planned;
  } finally {
    await database.remove();
  }
}

type Operation = readonly [what: string, run: () => Promise<unknown>];

function hotOperations(
  { log, catalogue, queries, incidents }: Awaited<ReturnType<PlanDatabase['open']>>,
  metricId: string,
  epoch: number,
): readonly Operation[] {
  const fold = { metricId, generation: 1, epoch };
  const span = spanAt(SCORED + 1);
  const range = { fromTimestamp: timeOf(4), toTimestamp: timeOf(8) };
  return [
    [
      'T0, rows of known metrics',
      () =>
        log.appendSamples(
          ['c5000', 'c5001'].map((name) => samples(name, STORED + 1, STORED + 2)),
          {},
        ),
    ],
    ['T0, a new metric', () => log.appendSamples([samples('new', 1, 2)], { autoMonitor: automatic() })],
    ['the scheduler: a model’s task', () => log.modelTask(metricId)],
    ['the scheduler: rows for a model', () => log.readRows(metricId, PROCESSED, PROCESSED + 2, 200)],
    [
      'T1',
      () =>
        log.recordRawScores({
          ...fold,
          from: PROCESSED,
          to: PROCESSED + 2,
          rowids: Int32Array.of(PROCESSED + 1, PROCESSED + 2),
          rawScores: Float64Array.of(0.1, 0.2),
          commandSequence: 0,
          modelBuilt: true,
        }),
    ],
    ['the anomaly service: a task', () => log.anomalyTask(metricId)],
    [
      'T2, with a span that opens',
      () =>
        log.recordAnomalyScores({
          ...fold,
          from: SCORED,
          to: SCORED + 2,
          rowids: Int32Array.of(SCORED + 1, SCORED + 2),
          anomalyScores: Float64Array.of(0.5, 0.6),
          displayValues: Int32Array.of(5, 6),
          state: Uint8Array.of(1, 2, 3),
          bars: Uint8Array.of(4, 5, 6),
          spans: [span],
        }),
    ],
    ['a consumer: where it stands', () => log.cursor(CONSUMER, metricId)],
    ['a consumer: its rows', () => log.readScoredRows(metricId, 1, PUBLISHED, SCORED, 100)],
    ['T3', () => log.advanceCursor({ ...fold, from: PUBLISHED, to: PUBLISHED + 2, consumer: CONSUMER })],
    ['T3, a new consumer', () => log.advanceCursor({ ...fold, from: 0, to: 2, consumer: 'another' })],
    ['sweep: models with work', () => log.modelsWithWork(metricId, 100)],
    ['sweep: metrics to score', () => log.metricsToScore(metricId, 100)],
    ['sweep: metrics to publish', () => log.metricsToPublish(CONSUMER, metricId, 100)],
    ['sweep: metrics to activate', () => catalogue.metricsToActivate('', 100)],
    ['sweep: metrics to clear', () => catalogue.metricsToClear(100)],
    ['people: the list of metrics', () => queries.listMetrics('c5000', 100)],
    ['people: one metric', () => queries.describeMetric('c5000')],
    ['people: its model', () => queries.describeModel(metricId)],
    ['people: newest scores', () => queries.recentScores([metricId], 100)],
    ['people: rows in a time', () => queries.readData(metricId, { ...range, limit: 100 })],
    ['people: newest rows', () => queries.readData(metricId, { limit: 100, newestFirst: true })],
    ['people: newest spans', () => incidents.spans({ limit: 100 })],
    [
      'people: spans in a time',
      () => incidents.spans({ fromTimestamp: timeOf(9_900), toTimestamp: timeOf(9_950), limit: 100 }),
    ],
    ['people: spans of a metric', () => incidents.spans({ metricId, limit: 100 })],
  ];
}

function spanAt(rowid: number) {
  const at = timeOf(rowid);
  return {
    openedRowid: rowid,
    openedAt: at,
    lastRowid: rowid,
    lastAt: at,
    peakScore: 0.9,
    peakAt: at,
    lowestValue: rowid,
    highestValue: rowid,
    ended: false,
  };
}

/** One metric by the store, the others as copies of its rows. @returns one of these */
async function fill(kind: PlanKind, database: PlanDatabase): Promise<{ metricId: string; epoch: number }> {
  const store = await database.openToFill();
  const epoch = await store.catalogue.takeLeases('plans');
  const [outcome] = await store.log.appendSamples([samples('first', 1, STORED)], {});
  const first = outcome?.metricId ?? '';
  await store.catalogue.monitor(first, requestWithRange());
  const fold = { metricId: first, generation: 1, epoch, from: 0 };
  const processed = Int32Array.from({ length: PROCESSED }, (_, index) => index + 1);
  const scored = processed.subarray(0, SCORED);
  await store.log.recordRawScores({
    ...fold,
    to: PROCESSED,
    rowids: processed,
    rawScores: Float64Array.from(processed, rawScoreOf),
    commandSequence: 0,
    modelBuilt: true,
  });
  await store.log.recordAnomalyScores({
    ...fold,
    to: SCORED,
    rowids: scored,
    anomalyScores: Float64Array.from(scored, rawScoreOf),
    displayValues: scored,
    state: Uint8Array.of(1, 2, 3),
    bars: Uint8Array.of(4, 5, 6),
    spans: [spanAt(3), spanAt(6)],
  });
  await store.log.advanceCursor({ ...fold, to: PUBLISHED, consumer: CONSUMER });
  await store.close();
  for (const table of FILLED_TABLES) await copyRows(database, table, first);
  // A few still wait for rows.
  await database.execute("update generation set state = 'pending' where uid like 'c999%'");
  if (kind === 'mysql')
    await database.execute(`analyze table ${FILLED_TABLES.map((table) => `"${table}"`).join()}`);
  if (kind === 'postgres') await database.execute('analyze');
  return { metricId: `c5000${first.slice(5)}`, epoch };
}

const DIGIT = `(${Array.from('0123456789', (digit) => `select ${digit} as digit`).join(' union all ')})`;

const COUNT = '(1000 * a.digit + 100 * b.digit + 10 * c.digit + d.digit)';

/** For each of 0000 to 9999 the rows of `uid`, under an id and a name of their own. */
async function copyRows({ execute }: PlanDatabase, table: string, uid: string): Promise<void> {
  const [row = {}] = await execute(`select * from "${table}" limit 1`);
  const columns = Object.keys(row);
  const number = "concat('c', a.digit, b.digit, c.digit, d.digit)";
  const values = columns.map((column) => {
    if (column === 'uid') return `concat(${number}, substr(t.uid, 6))`;
    if (table === 'metric' && column === 'name') return number;
    // Spans are of different times.
    return column.endsWith('_at') && !column.startsWith('ack')
      ? `t."${column}" + 60 * ${COUNT}`
      : `t."${column}"`;
  });
  await execute(
    `insert into "${table}" (${columns.map((column) => `"${column}"`).join()}) select ${values.join()}
      from "${table}" t cross join ${DIGIT} a cross join ${DIGIT} b cross join ${DIGIT} c cross join ${DIGIT} d where t.uid = '${uid}'`,
  );
}
