import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { HtmEngineError } from '../errors.ts';
import type { LiveResults } from './live-results.ts';
import type { ResultSource } from './result-sources.ts';

export interface EventStreamOptions {
  /** Streams at the same time. */
  readonly max: number;
  /** A stream that has nothing to say for so long says that it lives. */
  readonly heartbeatMs: number;
  /** A client that takes nothing for so long is dropped. */
  readonly stallMs: number;
}

/** When a browser comes back after the stream has ended. */
const RECONNECT_MS = 2000;
/** What a client that still reads needs to get the end of its stream. */
const GOODBYE_MS = 500;

/**
 * Open streams of server-sent events. Each is pulled by its client: nothing is read for one that does not take it,
 * so a slow one costs no memory. One that falls behind what can still be read is ended and may come back.
 */
export class EventStreams {
  readonly #options: EventStreamOptions;
  readonly #live: LiveResults;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  readonly #open = new Set<FastifyReply['raw']>();

  constructor(options: EventStreamOptions, live: LiveResults, log: Logger) {
    this.#options = options;
    this.#live = live;
    this.#log = log;
  }

  /** @throws HtmEngineError `overloaded`, `stopped`: to be called before anything is prepared for a stream */
  checkCapacity(): void {
    if (this.#stopping.signal.aborted) throw new HtmEngineError('stopped', 'the engine is stopping');
    if (this.#open.size < this.#options.max) return;
    throw new HtmEngineError(
      'overloaded',
      `${this.#options.max} streams are open, the most there may be (api.streams.max): close one first`,
    );
  }

  /** Answers with what `source` has until the client goes or `end`. */
  send(reply: FastifyReply, source: ResultSource): FastifyReply {
    this.checkCapacity();
    const { raw } = reply;
    const closed = new AbortController();
    this.#open.add(raw);
    raw.once('close', () => {
      this.#open.delete(raw);
      closed.abort();
    });
    raw.setTimeout(this.#options.stallMs, () => raw.destroy());
    const signal = AbortSignal.any([closed.signal, this.#stopping.signal]);
    return reply
      .headers({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // Proxies that gather an answer before they pass it on must not.
        'x-accel-buffering': 'no',
        connection: 'close',
      })
      .send(Readable.from(this.#frames(source, signal), { highWaterMark: 1 }));
  }

  /** Ends all streams, without waiting for clients that do not take the end. */
  async end(): Promise<void> {
    this.#stopping.abort();
    const open = [...this.#open].map((raw) => new Promise((resolve) => raw.once('close', resolve)));
    const timer = setTimeout(() => {
      for (const raw of this.#open) raw.destroy();
    }, GOODBYE_MS);
    await Promise.all(open);
    clearTimeout(timer);
  }

  async *#frames(source: ResultSource, signal: AbortSignal): AsyncGenerator<string> {
    const bell = new Bell(signal);
    const stopListening = this.#live.listen(([first]) => {
      if (first !== undefined && source.concerns(first)) bell.ring();
    });
    try {
      yield `retry: ${RECONNECT_MS}\nid: ${source.id}\n\n`;
      while (!signal.aborted) {
        const text = await source.next();
        if (text !== '') yield text;
        else if (!(await bell.rung(this.#options.heartbeatMs))) yield `: alive\nid: ${source.id}\n\n`;
      }
    } catch (error) {
      // The answer has begun, so there is no status to tell it with: the client comes back and finds out.
      this.#log.info({ event: 'api.stream_ended', err: error }, 'a live stream ended with an error');
    } finally {
      stopListening();
    }
  }
}

/** Wakes one waiter; a ring while nobody waits is not lost. */
class Bell {
  readonly #signal: AbortSignal;
  #rings = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  ring(): void {
    this.#rings = true;
    this.#wake();
  }

  /** Waits for a ring, the end or `timeoutMs`. @returns false if it was the time */
  async rung(timeoutMs: number): Promise<boolean> {
    if (!this.#rings && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const rung = this.#rings || this.#signal.aborted;
    this.#rings = false;
    return rung;
  }
}
