import { computed, effect, type ReadonlySignal, signal } from '@preact/signals';
import { ApiError, inWords } from '../api/api-error.ts';
import type { ApiClient } from '../api/client.ts';
import type { Metric, Result } from '../api/contract.ts';
import type { Session } from '../api/session.ts';
import { applyResult, STRIP_SCORES } from '../model/apply-result.ts';
import { ResultsStream } from './results-stream.ts';

/** Results are shown together, this often. */
const FLUSH_MS = 250;
/** The metrics are read anew after this, or after a multiple of the time the last reading took: whatever is longer. */
const REFRESH_MS = 5000;
const REFRESH_SHARE = 20;
/** Results that wait to be shown; beyond that the metrics are read anew instead. */
const MAX_WAITING = 20_000;

/** How the page stands with the engine. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'away'; readonly reason: string };

/** All metrics as they are now: read once, moved on by the stream of results, and read anew from time to time for what the stream does not tell. */
export class Fleet {
  readonly #client: ApiClient;
  readonly #metrics = signal<ReadonlyMap<string, Metric>>(new Map());
  readonly #connection = signal<Connection>({ state: 'connecting' });
  readonly #loaded = signal(false);
  readonly #stream: ResultsStream;
  #waiting: Result[] = [];
  /** What the first reading of all metrics waits for. */
  #ahead: Promise<unknown> = Promise.resolve();
  #following = false;
  #reading = false;
  #flush: ReturnType<typeof setTimeout> | undefined;
  #refresh: ReturnType<typeof setTimeout> | undefined;

  constructor(client: ApiClient) {
    this.#client = client;
    this.#stream = new ResultsStream((signal) => client.results(signal), {
      opened: () => this.#readSoon(0),
      result: (result) => this.#take(result),
      reset: () => this.#readSoon(0),
      lost: () => this.#readSoon(0),
    });
  }

  get metrics(): ReadonlySignal<ReadonlyMap<string, Metric>> {
    return this.#metrics;
  }

  get connection(): ReadonlySignal<Connection> {
    return this.#connection;
  }

  /** Whether the metrics have been read at least once. */
  get loaded(): ReadonlySignal<boolean> {
    return this.#loaded;
  }

  /** One metric as it changes. */
  metric(name: string): ReadonlySignal<Metric | undefined> {
    return computed(() => this.#metrics.value.get(name));
  }

  /**
   * Follows the engine while the page is seen (browsers allow few streams, and hidden tabs would hold them all) and may
   * ask.
   */
  start({ wanted }: Session): void {
    const follow = () => {
      this.#following = wanted.value === null && !document.hidden;
      if (!this.#following) {
        this.#stream.stop();
        clearTimeout(this.#refresh);
      } else {
        this.#stream.start();
        this.#readSoon(0);
      }
    };
    document.addEventListener('visibilitychange', follow);
    effect(follow);
  }

  /** Reads one metric anew: after a change that the page made. @throws ApiError */
  async reread(name: string): Promise<void> {
    const metric = await this.#client.metric(name, STRIP_SCORES);
    this.#metrics.value = new Map(this.#metrics.value).set(name, metric);
  }

  /**
   * Reads one metric, and whatever the view of it reads besides, ahead of the first reading of all metrics: thousands
   * would hold up the one that is looked at. That there is none of this name, and failures, the reading of all tells.
   */
  readAhead(name: string, others: Promise<unknown>): void {
    if (this.#loaded.peek()) return;
    this.#ahead = Promise.allSettled([this.reread(name), others]);
  }

  #readSoon(delayMs: number): void {
    clearTimeout(this.#refresh);
    this.#refresh = setTimeout(() => void this.#read(), delayMs);
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const started = performance.now();
    try {
      await this.#ahead;
      await this.#readPages();
      this.#loaded.value = true;
      this.#connection.value = { state: 'live' };
    } catch (error) {
      const reason = error instanceof ApiError ? error.message : `The page failed: ${inWords(error)}`;
      this.#connection.value = { state: 'away', reason };
    }
    this.#reading = false;
    this.#show();
    if (this.#following) this.#readSoon(Math.max(REFRESH_MS, REFRESH_SHARE * (performance.now() - started)));
  }

  /** The first reading shows page after page, beside what was read ahead; later ones replace the whole at once, so that no row goes missing meanwhile. */
  async #readPages(): Promise<void> {
    const metrics = new Map<string, Metric>();
    for await (const page of this.#client.metricPages(STRIP_SCORES)) {
      for (const metric of page) metrics.set(metric.name, metric);
      if (!this.#loaded.value) this.#metrics.value = new Map([...this.#metrics.value, ...metrics]);
    }
    this.#metrics.value = metrics;
  }

  #take(result: Result): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting = [];
      this.#readSoon(0);
    }
    this.#waiting.push(result);
    this.#flush ??= setTimeout(() => this.#show(), FLUSH_MS);
  }

  /** Applies what waits. Not during a reading: what it answers may be older than a result that has come meanwhile. */
  #show(): void {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    if (this.#reading || this.#waiting.length === 0) return;
    const metrics = new Map(this.#metrics.value);
    for (const result of this.#waiting.splice(0)) {
      const metric = metrics.get(result.name);
      if (metric === undefined) this.#readSoon(0);
      else metrics.set(result.name, applyResult(metric, result));
    }
    this.#metrics.value = metrics;
  }
}
