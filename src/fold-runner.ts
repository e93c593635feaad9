import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { backoffDelayMs, isWorthTelling, type Backoff } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { hasCode } from './errors.ts';

/**
 * What came of a metric's turn: nothing more to do, more to do at once (others first), or to be tried again after
 * a while. A turn that throws is tried again likewise, and logged.
 */
export type TurnOutcome = 'idle' | 'more' | 'retry';

export interface FoldRunnerOptions {
  /**
   * Does a bounded part of a metric's work, starting from the store. Never called twice at once for a metric. When
   * the signal is aborted it finishes the slice it is in and returns.
   */
  readonly turn: (metricId: string, signal: AbortSignal) => Promise<TurnOutcome>;
  /** Metrics that have work, in uid order after `afterMetricId`, at most `limit`. */
  readonly metricsWithWork: (afterMetricId: string, limit: number) => Promise<readonly string[]>;
  /** Pause between two sweeps. */
  readonly sweepMs: number;
  /** Metrics that have their turn at the same time. */
  readonly concurrency: number;
  /** Says whose fold it is in every line. */
  readonly log: Logger;
  readonly telemetry: FoldTelemetry;
  readonly clock?: Clock;
}

/** The Prometheus metrics that the fold runners of one stage share. */
export class FoldTelemetry {
  readonly pending: Gauge;
  readonly turnSeconds: Histogram;
  readonly failures: Counter;

  /** @param stage becomes part of the names: `htmengine_<stage>_turn_seconds` and so on. */
  constructor(registry: Registry, stage: string) {
    this.pending = new Gauge({
      registers: [registry],
      name: `htmengine_${stage}_pending_metrics`,
      help: 'Metrics that have their turn, wait for it, or wait to be tried again',
    });
    this.turnSeconds = new Histogram({
      registers: [registry],
      name: `htmengine_${stage}_turn_seconds`,
      help: 'Time from the wake-up of a metric to the end of the turn that followed',
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    });
    this.failures = new Counter({
      registers: [registry],
      name: `htmengine_${stage}_turn_failures_total`,
      help: 'Turns that failed and are tried again',
    });
  }
}

const SWEEP_PAGE_METRICS = 1000;
const RETRY: Backoff = { initialDelayMs: 100, maxDelayMs: 30_000 };

interface Work {
  /** `rerun`: woken while it has its turn, so what it read may be old. */
  state: 'queued' | 'running' | 'rerun' | 'waiting';
  /** When it was woken, by the clock. */
  wokenAtMs: number;
  /** Turns in a row that failed. */
  failures: number;
}

/**
 * Gives metrics their turns in a resumable fold: those that are woken and those that a sweep finds, first come
 * first served, one turn at a time per metric, so many metrics at once. A turn that fails is repeated with back-off
 * while the others go on. What waits is a set of metric ids, so the number of metrics bounds it.
 */
export class FoldRunner {
  readonly #options: FoldRunnerOptions;
  readonly #clock: Clock;
  readonly #work = new Map<string, Work>();
  readonly #queue = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #sweeping: Promise<void> = Promise.resolve();
  /** Ends the pause after the sweep that is under way or was the last. */
  #hurry = new AbortController();
  #started = false;

  constructor(options: FoldRunnerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Begins with a sweep. Wake-ups before are ignored: the sweep finds what they were for. */
  start(): void {
    if (this.#started) throw new Error('a fold runner starts once');
    this.#started = true;
    this.#sweeping = this.#sweep();
  }

  /** Looks for work at once, or as soon as the sweep that is under way has ended. */
  sweepSoon(): void {
    this.#hurry.abort();
  }

  /** Resolves when the turns that are under way now have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Says that these metrics may have work. Never waits, never throws. */
  wake(metricIds: readonly string[]): void {
    if (!this.#started || this.#stopping.signal.aborted) return;
    for (const metricId of metricIds) {
      const work = this.#work.get(metricId);
      if (work === undefined) this.#admit(metricId);
      else if (work.state === 'running') work.state = 'rerun';
    }
    this.#dispatch();
  }

  /**
   * Begins no further turn and waits for the running ones, at most `timeoutMs`.
   * @returns whether all of them ended.
   */
  async stop(timeoutMs: number): Promise<boolean> {
    this.#stopping.abort();
    this.#hurry.abort();
    for (const [metricId, { state }] of this.#work) {
      if (state === 'queued' || state === 'waiting') this.#forget(metricId);
    }
    this.#queue.clear();
    const isOver = new AbortController();
    const ended = Promise.all([this.#sweeping, ...this.#running]).then(() => true);
    const tooLong = this.#clock.sleep(timeoutMs, isOver.signal).then(
      () => false,
      () => false,
    );
    return Promise.race([ended, tooLong]).finally(() => isOver.abort());
  }

  #admit(metricId: string): void {
    const work: Work = { state: 'queued', wokenAtMs: this.#clock.now(), failures: 0 };
    this.#work.set(metricId, work);
    this.#queue.add(metricId);
    this.#options.telemetry.pending.inc();
  }

  #forget(metricId: string): void {
    this.#work.delete(metricId);
    this.#options.telemetry.pending.dec();
  }

  #enqueue(metricId: string, work: Work): void {
    work.state = 'queued';
    this.#queue.add(metricId);
  }

  #dispatch(): void {
    for (const metricId of this.#queue) {
      if (this.#running.size >= this.#options.concurrency) return;
      this.#queue.delete(metricId);
      const work = this.#work.get(metricId);
      if (work === undefined) throw new Error(`metric ${metricId} is queued but not known`);
      const turn = this.#run(metricId, work).finally(() => {
        this.#running.delete(turn);
        this.#dispatch();
      });
      this.#running.add(turn);
    }
  }

  async #run(metricId: string, work: Work): Promise<void> {
    work.state = 'running';
    const outcome = await this.#takeTurn(metricId, work);
    if (this.#stopping.signal.aborted) {
      this.#forget(metricId);
    } else if (outcome === 'retry') {
      work.failures += 1;
      work.state = 'waiting';
      this.#retryLater(metricId, work);
    } else {
      this.#options.telemetry.turnSeconds.observe((this.#clock.now() - work.wokenAtMs) / 1000);
      work.failures = 0;
      work.wokenAtMs = this.#clock.now();
      if (outcome === 'more' || wokenMeanwhile(work)) this.#enqueue(metricId, work);
      else this.#forget(metricId);
    }
  }

  #retryLater(metricId: string, work: Work): void {
    this.#clock.sleep(backoffDelayMs(work.failures, RETRY), this.#stopping.signal).then(
      () => {
        this.#enqueue(metricId, work);
        this.#dispatch();
      },
      // Stopping has forgotten it.
      () => undefined,
    );
  }

  async #takeTurn(metricId: string, work: Work): Promise<TurnOutcome> {
    try {
      return await this.#options.turn(metricId, this.#stopping.signal);
    } catch (error) {
      if (!hasCode(error, 'stopped')) this.#tellFailure(metricId, error, work.failures + 1);
      return 'retry';
    }
  }

  #tellFailure(metricId: string, error: unknown, failures: number): void {
    const { log, telemetry } = this.#options;
    telemetry.failures.inc();
    if (isWorthTelling(failures)) {
      log.error(
        { event: 'fold.turn_failed', metricId, failures, err: error },
        'work on a metric failed; trying again',
      );
    }
  }

  async #sweep(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // Before the sweep: who hurries during it may mean what it has passed already.
      this.#hurry = new AbortController();
      await this.#wakeAll();
      await this.#clock.sleep(this.#options.sweepMs, this.#hurry.signal).catch(() => undefined);
    }
  }

  async #wakeAll(): Promise<void> {
    try {
      let after: string | undefined = '';
      while (after !== undefined && !this.#stopping.signal.aborted) {
        const found: readonly string[] = await this.#options.metricsWithWork(after, SWEEP_PAGE_METRICS);
        this.wake(found);
        after = found.length < SWEEP_PAGE_METRICS ? undefined : found.at(-1);
      }
    } catch (error) {
      if (hasCode(error, 'stopped')) return;
      this.#options.log.warn(
        { event: 'fold.sweep_failed', err: error },
        'looking for metrics with work failed; sweeping again later',
      );
    }
  }
}

/** Read through a function: the state changes while a turn is awaited, which the compiler cannot see. */
function wokenMeanwhile(work: Work): boolean {
  return work.state === 'rerun';
}
