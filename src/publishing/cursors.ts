import type { Ownership } from '../ownership/ownership.ts';
import type { CursorPosition, FoldOutcome, Log } from '../store/log.ts';

/** What publication needs of the log. */
export type PublishingLog = Pick<Log, 'cursor' | 'readScoredRows' | 'advanceCursor' | 'metricsToPublish'>;

/** Where one consumer stands with every metric. */
export interface Cursors {
  /** Null unless a generation is open and its metric this process's to serve. */
  position(metricId: string): Promise<CursorPosition | null>;
  /** Moves to `to` if the consumer still stands at `position`. */
  advance(position: CursorPosition, to: number): Promise<FoldOutcome>;
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

  async position(metricId: string): Promise<CursorPosition | null> {
    if (!this.#ownership.mayOwn(metricId)) return null;
    const position = await this.#log.cursor(this.#consumer, metricId);
    return position === null || this.#ownership.epochFor(position) === null ? null : position;
  }

  async advance(position: CursorPosition, to: number): Promise<FoldOutcome> {
    const epoch = this.#ownership.epochFor(position);
    if (epoch === null) return { refused: 'epoch' };
    const { metricId, generation, rowid: from } = position;
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

  async position(metricId: string): Promise<CursorPosition | null> {
    const beginning = await this.#log.cursor(LIVE_CONSUMER, metricId);
    if (beginning === null) this.#rowids.delete(metricId);
    const known = this.#rowids.get(metricId);
    if (beginning === null || known?.generation !== beginning.generation) return beginning;
    return { ...beginning, rowid: known.rowid };
  }

  advance(position: CursorPosition, to: number): Promise<FoldOutcome> {
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
