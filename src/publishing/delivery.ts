import type { Logger } from 'pino';
import { retryStore } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { HtmEngineError } from '../errors.ts';
import { FoldRunner, type FoldTelemetry, type TurnOutcome } from '../fold-runner.ts';
import type { Result } from '../metric.ts';
import type { CursorPosition, FoldOutcome, ScoredRow } from '../store/log.ts';
import type { Cursors, PublishingLog } from './cursors.ts';
import { toResult, type LogLikelihood } from './results.ts';

/**
 * Takes results of one metric, in rowid order, following those of the call before (or repeating some: at least
 * once; tell repeats by metricId, generation and rowid). While it is pending nothing more of this metric comes. If
 * it rejects, the same results come again later. The signal is aborted when the subscription ends.
 */
export type ResultHandler = (results: readonly Result[], signal: AbortSignal) => Promise<void>;

export interface DeliveryOptions {
  readonly cursors: Cursors;
  readonly handler: ResultHandler;
  readonly log: Pick<PublishingLog, 'readScoredRows'>;
  readonly logLikelihood: LogLikelihood;
  /** Results in one call of the handler at the most. */
  readonly batchRows: number;
  /** Metrics for which the handler is called at the same time. */
  readonly concurrency: number;
  readonly sweepMs: number;
  readonly logger: Logger;
  readonly telemetry: FoldTelemetry;
  readonly onDelivered: (results: number) => void;
  readonly onRefused: (reason: NonNullable<FoldOutcome['refused']>) => void;
  readonly clock?: Clock;
}

/** Batches of a metric after which others get their turn. */
const BATCHES_PER_TURN = 10;

/** One consumer's fold: scored rows after its cursor go to its handler, then the cursor moves. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #runner: FoldRunner;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#runner = new FoldRunner({
      turn: (metricId, signal) => this.#turn(metricId, signal),
      metricsWithWork: (afterMetricId, limit) => options.cursors.metricsWithWork(afterMetricId, limit),
      sweepMs: options.sweepMs,
      concurrency: options.concurrency,
      log: options.logger,
      telemetry: options.telemetry,
      ...(options.clock && { clock: options.clock }),
    });
  }

  start(): void {
    this.#runner.start();
  }

  wake(metricIds: readonly string[]): void {
    this.#runner.wake(metricIds);
  }

  /** Looks for results now instead of at the next sweep. */
  sweepSoon(): void {
    this.#runner.sweepSoon();
  }

  /** Resolves when the turns that are under way now have ended. */
  settled(): Promise<void> {
    return this.#runner.settled();
  }

  /** Lets the running calls of the handler finish, at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    const ended = await this.#runner.stop(timeoutMs);
    if (!ended)
      this.#options.logger.warn(
        { event: 'publishing.stop_timed_out', timeoutMs },
        'stopped before the handler was done',
      );
  }

  async #turn(metricId: string, signal: AbortSignal): Promise<TurnOutcome> {
    const { cursors, log, batchRows, logger, clock } = this.#options;
    const patiently = <T>(operation: () => Promise<T>) => retryStore(signal, logger, operation, clock);
    const start = await patiently(() => cursors.position(metricId));
    if (start === null) return 'idle';
    const { scoredRowid } = start;
    let rowid = start.rowid;
    for (let batches = 0; rowid < scoredRowid; batches += 1) {
      if (batches === BATCHES_PER_TURN) return 'more';
      const from = rowid;
      const rows = await patiently(() =>
        log.readScoredRows(metricId, start.generation, from, scoredRowid, batchRows),
      );
      const to = rows.length < batchRows ? scoredRowid : (rows.at(-1)?.rowid ?? from);
      await this.#hand(start, rows, signal);
      const { refused } = await patiently(() => cursors.advance({ ...start, rowid: from }, to));
      if (refused !== null) {
        this.#options.onRefused(refused);
        return 'retry';
      }
      this.#options.onDelivered(rows.length);
      rowid = to;
    }
    return 'idle';
  }

  async #hand(metric: CursorPosition, rows: readonly ScoredRow[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new HtmEngineError('stopped', 'the subscription has ended');
    if (rows.length === 0) return;
    const { handler, logLikelihood } = this.#options;
    await handler(
      rows.map((row) => toResult(metric, row, logLikelihood)),
      signal,
    );
  }
}
