import { checkName, CUSTOM_DATASOURCE, MetricStatus } from '../../metric.ts';
import type { AppendOptions, AppendOutcome, MetricSamples } from '../log.ts';
import { checkFinite, checkInteger, checkLengths, MAX_CALL_SAMPLES, MAX_SAMPLES } from './bounds.ts';
import { generationsWithEnoughRows } from './generations.ts';
import { createMetrics } from './metrics.ts';
import type { Db, RowRun, SqlDialect } from './session.ts';

/** T0: see `Log.appendSamples`. */
export async function appendSamples(
  db: Db,
  dialect: SqlDialect,
  partitions: number,
  batches: readonly MetricSamples[],
  { autoMonitor }: AppendOptions,
): Promise<Appended> {
  const names = [...new Set(batches.map(({ name }) => name))];
  const tails = await findTails(db, dialect, names);
  const unknown = names.filter((name) => !tails.has(name));
  for (const metric of await createMetrics(db, partitions, unknown, autoMonitor)) {
    tails.set(metric.name, new Tail(metric.uid, metric.status, 0, null, true));
  }
  const outcomes = batches.map(({ name, timestamps, values }) => {
    const tail = tails.get(name);
    if (tail === undefined) throw new Error(`metric ${name} is neither found nor created`);
    return tail.append(timestamps, values);
  });
  const touched = [...tails.values()].filter((tail) => tail.timestamps.length > 0).sort(byMetricId);
  await dialect.bulk.appendRows(db, touched);
  const ready = await metricsReadyToActivate(db, dialect, touched);
  return {
    runs: touched,
    outcomes: outcomes.map((outcome) => ({ ...outcome, readyToActivate: ready.has(outcome.metricId) })),
  };
}

/** What one transaction has appended, if it was committed. */
export interface Appended {
  readonly runs: readonly RowRun[];
  readonly outcomes: AppendOutcome[];
}

/** Whether that transaction was committed: it wrote all of its rows or none, so one tells. */
export async function isStored(db: Db, { runs }: Appended): Promise<boolean> {
  const [run] = runs;
  if (run === undefined) return false;
  const row = await db
    .selectFrom('metric_data')
    .select(['timestamp', 'metric_value'])
    .where('uid', '=', run.metricId)
    .where('rowid', '=', run.firstRowid)
    .executeTakeFirst();
  return row?.timestamp === run.timestamps[0] && row?.metric_value === run.values[0];
}

/** @throws RangeError for anything a listener must have refused: it would be a programmer's error here. */
export function checkBatches(batches: readonly MetricSamples[]): void {
  let samples = 0;
  for (const { name, timestamps, values } of batches) {
    checkInteger('the number of samples of an entry', timestamps.length, 1, MAX_SAMPLES);
    checkLengths(timestamps.length, { values });
    checkFinite('a sample value', values);
    for (const timestamp of timestamps) {
      if (!Number.isSafeInteger(timestamp)) {
        throw new RangeError(`a timestamp must be a whole number of seconds, not ${timestamp}`);
      }
    }
    if (checkName(name) !== null) throw new RangeError(`not a metric name: ${JSON.stringify(name)}`);
    samples += timestamps.length;
  }
  if (samples > MAX_CALL_SAMPLES) {
    throw new RangeError(`${samples} samples in one call; ${MAX_CALL_SAMPLES} are allowed`);
  }
}

/** Where a metric's rows end, and what this call adds to them. */
class Tail implements RowRun {
  readonly metricId: string;
  readonly status: MetricStatus;
  readonly firstRowid: number;
  readonly timestamps: number[] = [];
  readonly values: number[] = [];
  #lastTimestamp: number;
  #created: boolean;

  constructor(
    metricId: string,
    status: MetricStatus,
    lastRowid: number,
    lastTimestamp: number | null,
    created: boolean,
  ) {
    this.metricId = metricId;
    this.status = status;
    this.firstRowid = lastRowid + 1;
    this.#lastTimestamp = lastTimestamp ?? Number.NEGATIVE_INFINITY;
    this.#created = created;
  }

  /** Takes the samples that are later than all before them. */
  append(timestamps: readonly number[], values: readonly number[]): Omit<AppendOutcome, 'readyToActivate'> {
    const refused: { index: number; reason: 'duplicate' | 'older' }[] = [];
    for (const [index, timestamp] of timestamps.entries()) {
      const value = values[index];
      if (value === undefined) throw new RangeError(`sample ${index} has no value`);
      if (timestamp > this.#lastTimestamp) {
        this.timestamps.push(timestamp);
        this.values.push(value);
        this.#lastTimestamp = timestamp;
      } else {
        refused.push({ index, reason: timestamp === this.#lastTimestamp ? 'duplicate' : 'older' });
      }
    }
    const created = this.#created;
    this.#created = false;
    return {
      metricId: this.metricId,
      created,
      status: this.status,
      lastRowid: this.firstRowid + this.timestamps.length - 1,
      refused,
    };
  }
}

function byMetricId(a: Tail, b: Tail): number {
  return a.metricId < b.metricId ? -1 : 1;
}

async function findTails(db: Db, dialect: SqlDialect, names: readonly string[]): Promise<Map<string, Tail>> {
  const rows = await db
    .selectFrom('metric')
    .select(['uid', 'name', 'status', 'last_rowid', 'last_timestamp'])
    .where('datasource', '=', CUSTOM_DATASOURCE)
    .where((eb) => dialect.isOneOf(eb.ref('name'), names))
    .execute();
  return new Map(
    rows.map((row) => [row.name, new Tail(row.uid, row.status, row.last_rowid, row.last_timestamp, false)]),
  );
}

async function metricsReadyToActivate(
  db: Db,
  dialect: SqlDialect,
  touched: readonly Tail[],
): Promise<Set<string>> {
  const waiting = touched.filter(({ status }) => status === MetricStatus.PENDING_DATA);
  if (waiting.length === 0) return new Set();
  const rows = await generationsWithEnoughRows(db)
    .where((eb) =>
      dialect.isOneOf(
        eb.ref('generation.uid'),
        waiting.map(({ metricId }) => metricId),
      ),
    )
    .execute();
  return new Set(rows.map((row) => row.uid));
}
