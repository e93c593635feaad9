import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import { retryStore } from '../backoff.ts';
import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import { KEEP_FOR_EVER, type Keeper, type RetainedMetric, type Retention } from '../store/retention.ts';
import type { Telemetry } from '../telemetry.ts';

export interface PurgerOptions {
  readonly retention: Pick<Retention, 'listRetained' | 'purgeRows'>;
  /** The saved models of a metric. */
  readonly checkpoints: (metricId: string) => Promise<readonly CheckpointName[]>;
  /** Whether models of that revision of the algorithms can be loaded. */
  readonly knowsRevision: (revision: number) => boolean;
  readonly telemetry: Telemetry;
  /** Age at which rows are purged, unless the metric has its own; `KEEP_FOR_EVER` for never. */
  readonly maxAgeSeconds: number;
  /** How long a cursor may keep rows before it is dropped. */
  readonly cursorIdleSeconds: number;
  /** Rows of one transaction, 1..10,000. */
  readonly batchRows: number;
  /** Epoch seconds. */
  readonly nowSeconds: () => number;
}

/** What a pass over all metrics came to. */
export interface PassReport {
  readonly metrics: number;
  /** Metrics with rows that are too old, before the pass. */
  readonly metricsWithOldRows: number;
  readonly purgedRows: number;
  readonly droppedCursors: number;
  /** Metrics that have rows which are too old and stay for now, by what keeps them. */
  readonly keptBy: Readonly<Record<Keeper, number>>;
}

const PAGE_METRICS = 500;
/** Others have the database between two batches: at least so long, and as long as the batch took. */
const PAUSE_MS = 5;

/** One pass of retention: every metric in turn, a batch of rows in a transaction, live traffic in between. */
export class Purger {
  readonly #options: PurgerOptions;
  readonly #log: Logger;
  readonly #rows: Counter;
  readonly #cursors: Counter;

  constructor(options: PurgerOptions) {
    const { log, registry } = options.telemetry;
    this.#options = options;
    this.#log = log.child({ stage: 'retention' });
    this.#rows = new Counter({
      registers: [registry],
      name: 'htmengine_retention_purged_rows_total',
      help: 'Rows that were purged for their age',
    });
    this.#cursors = new Counter({
      registers: [registry],
      name: 'htmengine_retention_dropped_cursors_total',
      help: 'Cursors of consumers that were dropped because they kept rows for too long',
    });
  }

  /** @throws HtmEngineError `stopped` if the signal is aborted before the end */
  async pass(signal: AbortSignal): Promise<PassReport> {
    const { retention } = this.#options;
    const report = {
      metrics: 0,
      metricsWithOldRows: 0,
      purgedRows: 0,
      droppedCursors: 0,
      keptBy: { scoring: 0, checkpoints: 0, likelihood: 0, cursor: 0, last_row: 0, state: 0 },
    };
    for (let after = ''; ;) {
      const from = after;
      const page = await retryStore(signal, this.#log, () => retention.listRetained(from, PAGE_METRICS));
      for (const metric of page) {
        report.metrics += 1;
        const olderThan = this.#olderThan(metric);
        if (metric.firstTimestamp >= olderThan) continue;
        report.metricsWithOldRows += 1;
        const { purgedRows, droppedCursors, keptBy } = await this.#purge(metric, olderThan, signal);
        report.purgedRows += purgedRows;
        report.droppedCursors += droppedCursors;
        if (keptBy !== null) report.keptBy[keptBy] += 1;
      }
      after = page.at(-1)?.metricId ?? after;
      if (page.length < PAGE_METRICS) return report;
    }
  }

  #olderThan({ maxAgeSeconds }: RetainedMetric): number {
    const age = maxAgeSeconds ?? this.#options.maxAgeSeconds;
    return age === KEEP_FOR_EVER ? Number.NEGATIVE_INFINITY : this.#options.nowSeconds() - age;
  }

  async #purge(metric: RetainedMetric, olderThan: number, signal: AbortSignal) {
    const { retention, batchRows, cursorIdleSeconds, nowSeconds } = this.#options;
    const { metricId, generation } = metric;
    let purgedRows = 0;
    let droppedCursors = 0;
    for (;;) {
      const startedMs = performance.now();
      // Listed before each transaction: later ones are only ever newer, so what these allow stays allowed.
      const checkpointRowids = await this.#checkpointRowids(metric, signal);
      const outcome = await retryStore(signal, this.#log, () =>
        retention.purgeRows({
          metricId,
          generation,
          olderThan,
          checkpointRowids,
          now: nowSeconds(),
          cursorIdleSeconds,
          limit: batchRows,
        }),
      );
      purgedRows += outcome.purgedRows;
      this.#rows.inc(outcome.purgedRows);
      for (const { consumer, rowid } of outcome.droppedCursors) {
        droppedCursors += 1;
        this.#cursors.inc();
        this.#log.warn(
          { event: 'retention.cursor_dropped', metricId, consumer, rowid, cursorIdleSeconds },
          'a consumer has not taken results for too long: its cursor was dropped, so that old rows can be purged',
        );
      }
      if (!outcome.limitReached) return { purgedRows, droppedCursors, keptBy: outcome.keptBy };
      await delay(Math.max(PAUSE_MS, performance.now() - startedMs), undefined, { signal });
    }
  }

  async #checkpointRowids({ metricId, generation }: RetainedMetric, signal: AbortSignal): Promise<number[]> {
    if (generation === null) return [];
    const { checkpoints, knowsRevision } = this.#options;
    const names = await retryStore(signal, this.#log, () => checkpoints(metricId));
    return names
      .filter((name) => name.generation === generation && knowsRevision(name.revision))
      .map(({ rowid }) => rowid);
  }
}
