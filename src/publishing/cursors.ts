import type { Ownership } from '../ownership/ownership.ts';
import type { CursorPosition, FoldOutcome, Log } from '../store/log.ts';

/** What publication needs of the log. */
export type PublishingLog = Pick<Log, 'cursor' | 'readScoredRows' | 'advanceCursor' | 'metricsToPublish'>;

/** Where a consumer stands, and the epoch under which this process found it there. */
export interface Standing extends CursorPosition {
  readonly epoch: number;
}

/** Where one consumer stands with every metric. */
export interface Cursors {
  /** Null unless a generation is open and its metric this process's to serve. */
  position(metricId: string): Promise<Standing | null>;
  /** Moves to `to` if the consumer still stands at `position`, and the metric is still ours. */
  advance(position: Standing, to: number): Promise<FoldOutcome>;
  /** Metrics that may have scored rows after the cursor, in uid order after `afterMetricId`. */
  metricsWithWork(afterMetricId: string, limit: number): Promise<string[]>;
}

/** Cursors in the store (T3): the consumer goes on where it was after any restart. */
export class DurableCursors implements Cursors {
  readonly #log: PublishingLog;
  readonly #consumer: string;
  readonly #ownership: Ownership;

  constructor(log: PublishingLog, consumer: string, ownership: Ownership) {
    this.#log = log;
    this.#consumer = consumer;
    this.#ownership = ownership;
  }

  async position(metricId: string): Promise<Standing | null> {
    if (!this.#ownership.mayOwn(metricId)) return null;
    const position = await this.#log.cursor(this.#consumer, metricId);
    const epoch = position && this.#ownership.epochFor(position);
    return position === null || epoch === null ? null : { ...position, epoch };
  }

  /** Under the epoch of the beginning: whether it still holds only the store can say. */
  advance({ metricId, generation, epoch, rowid: from }: Standing, to: number): Promise<FoldOutcome> {
    return this.#log.advanceCursor({ consumer: this.#consumer, metricId, generation, epoch, from, to });
  }

  metricsWithWork(afterMetricId: string, limit: number): Promise<string[]> {
    return this.#log.metricsToPublish(this.#consumer, afterMetricId, limit, this.#ownership.partitions);
  }
}

/**
 * Stands for live consumers. No durable one may have this name, so no cursor is ever stored under it and the store
 * answers as to a consumer that never saw anything.
 */
export const LIVE_CONSUMER = '~live';
const PAGE_METRICS = 1000;

/** No lease is looked at for a cursor that is not stored. */
const NO_EPOCH = 0;

/**
 * Cursors in memory, which begin behind everything that is scored already. One entry per metric with scored rows.
 */
export class LiveCursors implements Cursors {
  readonly #log: PublishingLog;
  readonly #rowids = new Map<string, { generation: number; rowid: number }>();

  constructor(log: PublishingLog) {
    this.#log = log;
  }

  /** Moves behind what is scored now. */
  async skipToEnd(): Promise<void> {
    let page: string[];
    let after = '';
    do {
      page = await this.#log.metricsToPublish(LIVE_CONSUMER, after, PAGE_METRICS);
      for (const metricId of page) {
        const position = await this.#log.cursor(LIVE_CONSUMER, metricId);
        if (position !== null) this.#set(position, position.scoredRowid);
      }
      after = page.at(-1) ?? after;
    } while (page.length === PAGE_METRICS);
  }

  async position(metricId: string): Promise<Standing | null> {
    const beginning = await this.#log.cursor(LIVE_CONSUMER, metricId);
    if (beginning === null) this.#rowids.delete(metricId);
    const known = this.#rowids.get(metricId);
    if (beginning === null) return null;
    const isKnown = known?.generation === beginning.generation;
    return { ...beginning, epoch: NO_EPOCH, ...(isKnown && { rowid: known.rowid }) };
  }

  advance(position: Standing, to: number): Promise<FoldOutcome> {
    this.#set(position, to);
    return Promise.resolve({ refused: null });
  }

  metricsWithWork(afterMetricId: string, limit: number): Promise<string[]> {
    return this.#log.metricsToPublish(LIVE_CONSUMER, afterMetricId, limit);
  }

  #set({ metricId, generation }: CursorPosition, rowid: number): void {
    this.#rowids.set(metricId, { generation, rowid });
  }
}
