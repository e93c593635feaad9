import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { CheckpointStore } from './checkpoints/checkpoint-store.ts';
import { HtmEngineError } from './errors.ts';
import type { Incidents } from './store/incidents.ts';
import type { MetricRecord, RowRecord, Transfer } from './store/transfer.ts';

/** One side of a copy. */
export interface CopySide {
  readonly transfer: Transfer;
  readonly checkpoints: CheckpointStore;
  readonly incidents: Pick<Incidents, 'mutes' | 'addMute'>;
}

/** How far a copy is. Metrics count once when copied and once when compared. */
export interface CopyProgress {
  readonly metrics: number;
  readonly metricsInAll: number;
  readonly rows: number;
}

export interface CopyOutcome {
  readonly metrics: number;
  readonly rows: number;
  readonly checkpoints: number;
  /** SHA-256 over everything that was compared, in hex: the same for equal installations, whatever the store. */
  readonly checksum: string;
}

const PAGE_METRICS = 100;
const PAGE_ROWS = 2_000;

/**
 * Copies everything from one store to another that is empty or has a part of the same copy, then reads both and
 * compares them. No engine may run on either. Cut short anywhere it goes on when called again.
 * @throws HtmEngineError `store_not_empty`, `copy_differs`
 */
export async function copyInstallation(
  from: CopySide,
  to: CopySide,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyOutcome> {
  const summary = await from.transfer.describe();
  await to.transfer.begin(summary);
  const progress = { metrics: 0, metricsInAll: 2 * summary.metrics, rows: 0 };
  let checkpoints = 0;
  for await (const metric of allMetrics(from.transfer)) {
    progress.rows += await copyRows(from.transfer, to.transfer, metric);
    checkpoints += await copyCheckpoints(from.checkpoints, to.checkpoints, metric.metricId);
    progress.metrics += 1;
    onProgress(progress);
  }
  for (const mute of await from.incidents.mutes()) await to.incidents.addMute(mute);
  const hash = createHash('sha256');
  const copies = allMetrics(to.transfer);
  let rows = 0;
  for await (const metric of allMetrics(from.transfer)) {
    const copy = await copies.next();
    if (copy.done === true || !isDeepStrictEqual(comparable(metric), comparable(copy.value))) {
      throw differs(metric.name, 'its description or its generations');
    }
    rows += await compareRows(from.transfer, to.transfer, metric, (text) => hash.update(text));
    progress.metrics += 1;
    onProgress(progress);
  }
  if ((await copies.next()).done !== true)
    throw differs('(another)', 'a metric that the source does not have');
  if (!isDeepStrictEqual(await to.incidents.mutes(), await from.incidents.mutes()))
    throw differs('(all)', 'the mutes');
  const after = await from.transfer.describe();
  if (!isDeepStrictEqual(after, summary))
    throw differs('(all)', 'the source has changed: stop its engine first');
  await to.transfer.finish();
  return { metrics: summary.metrics, rows, checkpoints, checksum: hash.digest('hex') };
}

async function* allMetrics(transfer: Transfer): AsyncGenerator<MetricRecord, undefined> {
  for (let after = ''; ;) {
    const page = await transfer.metrics(after, PAGE_METRICS);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return undefined;
    after = last.metricId;
  }
}

async function* allRows(transfer: Transfer, metricId: string, after: number): AsyncGenerator<RowRecord[]> {
  for (let rowid = after; ;) {
    const page = await transfer.rows(metricId, rowid, PAGE_ROWS);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    rowid = last.rowid;
  }
}

async function copyRows(from: Transfer, to: Transfer, metric: MetricRecord): Promise<number> {
  let rows = 0;
  for await (const page of allRows(from, metric.metricId, await to.addMetric(metric))) {
    await to.addRows(metric.metricId, page);
    rows += page.length;
  }
  return rows;
}

async function copyCheckpoints(
  from: CheckpointStore,
  to: CheckpointStore,
  metricId: string,
): Promise<number> {
  const names = await from.list(metricId);
  for (const name of names) {
    const bytes = await from.get(name);
    if (bytes !== null) await to.put(name, bytes);
  }
  return names.length;
}

async function compareRows(
  from: Transfer,
  to: Transfer,
  metric: MetricRecord,
  onText: (text: string) => void,
): Promise<number> {
  const copies = allRows(to, metric.metricId, 0);
  onText(`${metric.metricId} ${metric.name}\n`);
  let rows = 0;
  for await (const page of allRows(from, metric.metricId, 0)) {
    const copy = await copies.next();
    const text = JSON.stringify(page);
    if (copy.done === true || JSON.stringify(copy.value) !== text) throw differs(metric.name, 'its rows');
    onText(text);
    rows += page.length;
  }
  if ((await copies.next()).done !== true) throw differs(metric.name, 'its number of rows');
  return rows;
}

/** Without the order of rows that have none, and with bytes that compare by value. */
function comparable({ metric, parts }: MetricRecord): unknown {
  const rowsOf = (rows: readonly Readonly<Record<string, unknown>>[]) =>
    rows.map((row) => JSON.stringify(Object.entries(row).sort(byName).map(readable))).sort();
  return [rowsOf([metric]), parts.map(({ table, rows }) => [table, rowsOf(rows)])];
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function readable([name, value]: readonly [string, unknown]): unknown {
  return [name, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value];
}

function differs(metric: string, what: string): HtmEngineError {
  return new HtmEngineError(
    'copy_differs',
    `the copy of metric ${JSON.stringify(metric)} differs (${what}): the target is not to be used; empty it and copy again`,
  );
}
