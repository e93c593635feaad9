import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import { retryStore } from '../backoff.ts';
import type { Bus } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import { FoldRunner, FoldTelemetry, type TurnOutcome } from '../fold-runner.ts';
import type { ScoringLag } from '../lag.ts';
import type { Ownership } from '../ownership/ownership.ts';
import { LikelihoodStateError } from '../htm/streaming-likelihood.ts';
import type { AnomalyTask, Log } from '../store/log.ts';
import type { Telemetry } from '../telemetry.ts';
import { HistoryLostError, Scoring, type RowReader } from './scoring.ts';
import { SpanTracker, type SpanRules } from './span-tracker.ts';

/** What the anomaly service needs of the log. */
export type AnomalyLog = Pick<Log, 'readRows' | 'anomalyTask' | 'recordAnomalyScores' | 'metricsToScore'>;

export interface AnomalyServiceOptions {
  readonly log: AnomalyLog;
  readonly bus: Pick<Bus, 'wake' | 'onWake'>;
  readonly telemetry: Telemetry;
  readonly lag: Pick<ScoringLag, 'scored'>;
  /** When an anomalous span opens and ends. */
  readonly spans: SpanRules;
  /** Which partitions this process scores. */
  readonly ownership: Ownership;
  /** Rows that are scored and stored together at the most. */
  readonly sliceRows: number;
  /** Metrics that are worked on at the same time. */
  readonly concurrency: number;
  /** How often the store is asked for work that a lost wake-up left behind. */
  readonly sweepMs: number;
  readonly clock?: Clock;
}

/** Slices after which others get their turn; so many, because a turn may begin with reading a fit's whole history. */
const SLICES_PER_TURN = 10;

/**
 * The fourth stage: gives rows that have a raw score their anomaly score and display value. A resumable fold per
 * metric over the rows in (`scored_rowid`, `processed_rowid`]; every turn begins with what the store says, so a
 * failure of any kind is answered by taking the turn again.
 */
export class AnomalyService {
  readonly #options: AnomalyServiceOptions;
  readonly #logger: Logger;
  readonly #runner: FoldRunner;
  readonly #rows: Counter;
  readonly #refusals: Counter<'reason'>;
  readonly #recomputed: Counter;
  /** Generations that cannot be scored on, by metric: left alone until there is a new one. */
  readonly #lost = new Map<string, number>();
  #unsubscribe: () => void = () => undefined;

  constructor(options: AnomalyServiceOptions) {
    this.#options = options;
    const { registry, log } = options.telemetry;
    this.#logger = log.child({ stage: 'anomaly' });
    this.#runner = new FoldRunner({
      turn: (metricId, signal) => this.#turn(metricId, signal),
      metricsWithWork: (afterMetricId, limit) =>
        options.log.metricsToScore(afterMetricId, limit, options.ownership.partitions),
      sweepMs: options.sweepMs,
      concurrency: options.concurrency,
      log: this.#logger,
      telemetry: new FoldTelemetry(registry, 'anomaly'),
      ...(options.clock && { clock: options.clock }),
    });
    this.#rows = new Counter({
      registers: [registry],
      name: 'htmengine_anomaly_rows_total',
      help: 'Rows that were given an anomaly score',
    });
    this.#refusals = new Counter({
      registers: [registry],
      name: 'htmengine_anomaly_refused_total',
      help: 'Slices of anomaly scores that the store refused, by what had changed',
      labelNames: ['reason'],
    });
    this.#recomputed = new Counter({
      registers: [registry],
      name: 'htmengine_anomaly_recomputed_total',
      help: 'Likelihood states that were damaged and were computed again from all rows',
    });
  }

  start(): void {
    const { bus, ownership } = this.#options;
    const runner = this.#runner;
    ownership.assign({
      taken: () => runner.sweepSoon(),
      lost: () => undefined,
      handOver: () => runner.settled(),
    });
    this.#unsubscribe = bus.onWake('rawScored', (metricIds) =>
      runner.wake(metricIds.filter((metricId) => ownership.mayOwn(metricId))),
    );
    runner.start();
  }

  /** Lets the running slices be stored, at most `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#unsubscribe();
    const ended = await this.#runner.stop(timeoutMs);
    if (!ended)
      this.#logger.warn(
        { event: 'anomaly.stop_timed_out', timeoutMs },
        'stopped before the running slices were stored',
      );
  }

  async #turn(metricId: string, signal: AbortSignal): Promise<TurnOutcome> {
    const { log } = this.#options;
    const task = await this.#patiently(signal, () => log.anomalyTask(metricId));
    if (task === null || this.#lost.get(metricId) === task.generation.generation) return 'idle';
    if (task.scoredRowid >= task.processedRowid) return 'idle';
    if (this.#options.ownership.epochFor({ metricId, partition: task.partition }) === null) return 'idle';
    const readRows: RowReader = (after, through, limit) =>
      this.#patiently(signal, () => log.readRows(metricId, after, through, limit));
    try {
      return await this.#score(task, await this.#resume(task, readRows, signal), readRows, signal);
    } catch (error) {
      if (!(error instanceof HistoryLostError)) throw error;
      const present = await this.#patiently(signal, () => log.anomalyTask(metricId));
      // Rows also vanish when the generation is closed or the metric deleted meanwhile.
      if (present?.generation.generation === task.generation.generation) this.#giveUp(task, error);
      return 'idle';
    }
  }

  /** Slice by slice up to the task's end, or until others must have their turn. */
  async #score(
    task: AnomalyTask,
    scoring: Scoring,
    readRows: RowReader,
    signal: AbortSignal,
  ): Promise<TurnOutcome> {
    const { log, bus, lag, ownership, sliceRows } = this.#options;
    const { partition } = task;
    const { metricId, generation, backlogRowid } = task.generation;
    const tracker = new SpanTracker(this.#options.spans, backlogRowid, task.openSpan);
    let from = task.scoredRowid;
    for (let slices = 0; from < task.processedRowid; slices += 1) {
      const epoch = ownership.epochFor({ metricId, partition });
      if (epoch === null) return 'idle';
      if (slices === SLICES_PER_TURN || signal.aborted) return 'more';
      const block = await readRows(from, task.processedRowid, sliceRows);
      const to = block.rowids.length < sliceRows ? task.processedRowid : (block.rowids.at(-1) ?? from);
      const scored = await scoring.score(block);
      const spans = tracker.follow(block, scored.rowids, scored.anomalyScores);
      const slice = { metricId, generation, epoch, from, to, ...scored, spans };
      const { refused } = await this.#patiently(signal, () => log.recordAnomalyScores(slice));
      if (refused !== null) {
        this.#refusals.inc({ reason: refused });
        this.#logger.warn(
          { event: 'anomaly.scores_refused', metricId, reason: refused, from, to },
          'anomaly scores were refused; starting again',
        );
        return 'retry';
      }
      this.#rows.inc(slice.rowids.length);
      lag.scored(metricId, to);
      bus.wake('scored', [metricId]);
      from = to;
    }
    return 'idle';
  }

  async #resume(task: AnomalyTask, readRows: RowReader, signal: AbortSignal): Promise<Scoring> {
    try {
      return Scoring.resume(task, readRows);
    } catch (error) {
      if (!(error instanceof LikelihoodStateError)) throw error;
      const { metricId, generation } = task.generation;
      this.#recomputed.inc();
      this.#logger.error(
        { event: 'anomaly.state_damaged', metricId, generation, scoredRowid: task.scoredRowid, err: error },
        'the likelihood state is damaged; computing it again from all rows',
      );
      return Scoring.recompute(task, readRows, signal);
    }
  }

  #patiently<T>(signal: AbortSignal, operation: () => Promise<T>): Promise<T> {
    return retryStore(signal, this.#logger, operation, this.#options.clock);
  }

  #giveUp({ generation: { metricId, generation } }: AnomalyTask, error: HistoryLostError): void {
    this.#lost.set(metricId, generation);
    this.#logger.error(
      { event: 'anomaly.history_lost', metricId, generation, err: error },
      'this metric gets no more anomaly scores: unmonitor it and monitor it again',
    );
  }
}
