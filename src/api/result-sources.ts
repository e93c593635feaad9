import { randomUUID } from 'node:crypto';
import type { Result } from '../metric.ts';
import { resultData } from './result-json.ts';
import type { ResultRing } from './result-ring.ts';
import type { ReadResults } from './services.ts';

/** What a stream of results sends, piece by piece. */
export interface ResultSource {
  /** Where the stream is: what a client that comes back says (`Last-Event-ID`). */
  readonly id: string;
  /** The next events as text; '' when there is nothing new. @throws StreamOverrun, HtmEngineError `store_unavailable` */
  next(): Promise<string>;
  /** Whether there may be something new now that this was scored. */
  concerns(result: Result): boolean;
}

/** The client was too slow: what it has not been sent yet is gone. */
export class StreamOverrun extends Error {
  override readonly name = 'StreamOverrun';
}

/** Which results a stream wants. */
export interface ResultFilter {
  /** Names of metrics; empty for all. */
  readonly names: ReadonlySet<string>;
  /** 0..1. */
  readonly minLogLikelihood: number;
}

/** Events of one piece, so that a stream that has much to catch up on takes turns with the others. */
const BATCH = 100;
/** Marks the numbers of this process's ring: those of another mean nothing here. */
const PROCESS = randomUUID().slice(0, 8);

function event(name: 'result' | 'reset', id: string, data: string): string {
  return `event: ${name}\nid: ${id}\ndata: ${data}\n\n`;
}

/** Results of all or several metrics, out of the ring. */
export class RingResults implements ResultSource {
  readonly #ring: ResultRing;
  readonly #filter: ResultFilter;
  #sequence: number;
  #reset: 'unknown_id' | 'too_old' | null = null;

  constructor(ring: ResultRing, filter: ResultFilter, lastEventId: string | undefined) {
    this.#ring = ring;
    this.#filter = filter;
    this.#sequence = ring.last;
    if (lastEventId === undefined) return;
    const [process, sequence = ''] = lastEventId.split('.');
    if (process !== PROCESS || !/^\d{1,15}$/.test(sequence)) this.#reset = 'unknown_id';
    else if (ring.after(Number(sequence), 1) === null) this.#reset = 'too_old';
    else this.#sequence = Number(sequence);
  }

  get id(): string {
    return `${PROCESS}.${this.#sequence}`;
  }

  next(): Promise<string> {
    if (this.#reset !== null) {
      const data = JSON.stringify({ reason: this.#reset });
      this.#reset = null;
      return Promise.resolve(event('reset', this.id, data));
    }
    while (this.#sequence < this.#ring.last) {
      const entries = this.#ring.after(this.#sequence, BATCH);
      if (entries === null) return Promise.reject(new StreamOverrun('the stream fell behind the ring'));
      let text = '';
      for (const { sequence, result, data } of entries) {
        this.#sequence = sequence;
        if (this.#wants(result)) text += event('result', this.id, data);
      }
      if (text !== '') return Promise.resolve(text);
    }
    return Promise.resolve('');
  }

  concerns(): boolean {
    return true;
  }

  #wants({ name, logLikelihood }: Result): boolean {
    const { names, minLogLikelihood } = this.#filter;
    return logLikelihood >= minLogLikelihood && (names.size === 0 || names.has(name));
  }
}

/** Before every generation: whatever opens, the client is told to begin anew. */
const NOWHERE = { generation: 0, rowid: 0 };

/** Results of one metric, out of the stored rows. */
export class MetricResults implements ResultSource {
  readonly #name: string;
  readonly #read: ReadResults;
  readonly #minLogLikelihood: number;
  #metricId: string;
  #position: { readonly generation: number; readonly rowid: number };

  private constructor(
    metric: { readonly metricId: string; readonly name: string },
    read: ReadResults,
    minLogLikelihood: number,
    position: { readonly generation: number; readonly rowid: number },
  ) {
    this.#metricId = metric.metricId;
    this.#name = metric.name;
    this.#read = read;
    this.#minLogLikelihood = minLogLikelihood;
    this.#position = position;
  }

  /** Goes on after `lastEventId`, or with what is scored from now on. @throws HtmEngineError `store_unavailable` */
  static async open(
    metric: { readonly metricId: string; readonly name: string },
    read: ReadResults,
    minLogLikelihood: number,
    lastEventId: string | undefined,
  ): Promise<MetricResults> {
    const position =
      lastEventId === undefined
        ? await presentEnd(metric.metricId, read)
        : positionOf(metric.metricId, lastEventId);
    return new MetricResults(metric, read, minLogLikelihood, position);
  }

  get id(): string {
    const { generation, rowid } = this.#position;
    return `${this.#metricId}:${generation}:${rowid}`;
  }

  async next(): Promise<string> {
    for (;;) {
      const page = await this.#read(this.#metricId, this.#position, BATCH);
      if (page === null) return '';
      const { generation, scoredRowid, results } = page;
      if (generation !== this.#position.generation || this.#position.rowid > scoredRowid) {
        this.#position = { generation, rowid: scoredRowid };
        return event('reset', this.id, JSON.stringify({ reason: 'generation', generation }));
      }
      const rowid = results.length < BATCH ? scoredRowid : (results.at(-1)?.rowid ?? scoredRowid);
      if (rowid === this.#position.rowid) return '';
      this.#position = { generation, rowid };
      const text = this.#events(results);
      if (text !== '') return text;
    }
  }

  concerns({ name, metricId }: Result): boolean {
    if (name !== this.#name) return false;
    if (metricId !== this.#metricId) {
      // Deleted and created again: another metric, though of the same name.
      this.#metricId = metricId;
      this.#position = NOWHERE;
    }
    return true;
  }

  #events(results: readonly Result[]): string {
    return results
      .filter(({ logLikelihood }) => logLikelihood >= this.#minLogLikelihood)
      .map((result) =>
        event('result', `${result.metricId}:${result.generation}:${result.rowid}`, resultData(result)),
      )
      .join('');
  }
}

async function presentEnd(metricId: string, read: ReadResults) {
  const page = await read(metricId, NOWHERE, 1);
  return page === null ? NOWHERE : { generation: page.generation, rowid: page.scoredRowid };
}

/** An id that is not this metric's leads to a reset, as one of a generation that is gone. */
function positionOf(metricId: string, id: string) {
  const [, uid, generation, rowid] = /^(\w+):(\d{1,10}):(\d{1,10})$/.exec(id) ?? [];
  return uid === metricId ? { generation: Number(generation), rowid: Number(rowid) } : NOWHERE;
}
