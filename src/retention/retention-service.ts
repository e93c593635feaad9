import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Counter, Gauge } from 'prom-client';
import type { Keeper } from '../store/retention.ts';
import { Purger, type PassReport, type PurgerOptions } from './purger.ts';

export interface RetentionServiceOptions extends PurgerOptions {
  /** From the end of a pass to the beginning of the next. */
  readonly intervalMs: number;
}

/** What people are told of retention. */
export interface RetentionStatus {
  /** Zero: rows are kept for ever unless their metric says otherwise. */
  readonly maxAgeSeconds: number;
  readonly running: boolean;
  /** Why the last pass came to no end; null if it did, or none was made. */
  readonly failure: string | null;
  /** Of the last pass that was finished since the engine started; null before. */
  readonly lastPass: (PassReport & { readonly finishedAt: number; readonly durationMs: number }) | null;
}

/** Purges old rows now and then, and when asked to. One pass at a time. */
export class RetentionService {
  readonly #options: RetentionServiceOptions;
  readonly #purger: Purger;
  readonly #log: Logger;
  readonly #passes: Counter;
  readonly #kept: Gauge<'by'>;
  readonly #stopping = new AbortController();
  #pass: Promise<void> | null = null;
  #failure: string | null = null;
  #lastPass: RetentionStatus['lastPass'] = null;
  #scheduled: Promise<void> = Promise.resolve();

  constructor(options: RetentionServiceOptions) {
    const { log, registry } = options.telemetry;
    this.#options = options;
    this.#purger = new Purger(options);
    this.#log = log.child({ stage: 'retention' });
    this.#passes = new Counter({
      registers: [registry],
      name: 'htmengine_retention_passes_total',
      help: 'Passes over all metrics that looked for rows to purge',
    });
    this.#kept = new Gauge({
      registers: [registry],
      name: 'htmengine_retention_kept_metrics',
      help: 'Metrics with rows that are too old and stay for now, by what keeps them',
      labelNames: ['by'],
    });
  }

  start(): void {
    this.#scheduled = this.#runNowAndThen();
  }

  /** Lets the running batch end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([this.#scheduled, this.#pass]);
  }

  status(): RetentionStatus {
    const { maxAgeSeconds } = this.#options;
    return {
      maxAgeSeconds,
      running: this.#pass !== null,
      failure: this.#failure,
      lastPass: this.#lastPass,
    };
  }

  /** Begins a pass over all metrics unless one is running. */
  begin(): void {
    void this.#run();
  }

  /** Resolves with the end of the running pass, or of a new one; never rejects. */
  #run(): Promise<void> {
    this.#pass ??= this.#measured()
      .then(
        () => (this.#failure = null),
        (error: unknown) => this.#failed(error),
      )
      .then(() => (this.#pass = null))
      .then(() => undefined);
    return this.#pass;
  }

  async #runNowAndThen(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      // First the pause: an engine that starts has more urgent work.
      await delay(this.#options.intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#run();
    }
  }

  #failed(error: unknown): void {
    this.#failure = error instanceof Error ? error.message : String(error);
    if (this.#stopping.signal.aborted) return;
    this.#log.error(
      { event: 'retention.pass_failed', err: error },
      'looking for rows to purge failed; tried again at the next pass',
    );
  }

  async #measured(): Promise<void> {
    const { nowSeconds } = this.#options;
    const startedMs = performance.now();
    const report = await this.#purger.pass(this.#stopping.signal);
    const durationMs = Math.round(performance.now() - startedMs);
    this.#lastPass = { ...report, finishedAt: nowSeconds(), durationMs };
    this.#passes.inc();
    for (const [by, metrics] of Object.entries(report.keptBy) as [Keeper, number][]) {
      this.#kept.set({ by }, metrics);
    }
    const { purgedRows, droppedCursors, metricsWithOldRows } = report;
    if (purgedRows > 0 || droppedCursors > 0) {
      this.#log.info(
        { event: 'retention.purged', purgedRows, droppedCursors, metricsWithOldRows, durationMs },
        'old rows were purged',
      );
    }
  }
}
