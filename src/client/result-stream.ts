import { EventSourceParserStream } from 'eventsource-parser/stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { HtmEngineError } from '../errors.ts';
import type { Http } from './http.ts';
import { mayPass } from './patience.ts';
import type { ResultJson } from './types.ts';

export type StreamEvent =
  | { readonly type: 'result'; readonly result: ResultJson }
  /** What came meanwhile is lost: read the present state anew. */
  | { readonly type: 'reset'; readonly reason: string }
  /** The connection is gone; another attempt follows. */
  | { readonly type: 'disconnected'; readonly reason: string }
  | { readonly type: 'connected' };

export interface StreamOptions {
  /** With exactly one the stream goes on after an interruption where it was, however long that lasted. */
  readonly metrics: readonly string[];
  /** Only results at or above it, 0..1. */
  readonly minLogLikelihood?: number;
  readonly signal: AbortSignal;
  /** Wait before the first attempt to connect again; doubled for each further one. */
  readonly retryMs?: number;
  /** A connection that is silent this long is given up: the engine sends a heartbeat every 15 s. */
  readonly silenceMs?: number;
}

const RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
const SILENCE_MS = 45_000;
/** Far beyond any event the engine sends. */
const MAX_EVENT_CHARACTERS = 1_048_576;

/**
 * Results as they are scored, until `signal` ends it. A connection that breaks is made again and goes on after the last event.
 * @throws HtmEngineError `engine_unreachable` if the first connection fails, `engine_refused`
 */
export async function* resultEvents(http: Http, options: StreamOptions): AsyncGenerator<StreamEvent> {
  const { signal, retryMs = RETRY_MS } = options;
  const stream = new ResumableStream(http, options);
  for (let failures = 0; ;) {
    try {
      for await (const event of stream.connection()) {
        failures = 0;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!stream.everConnected || !mayPass(error)) throw error;
      if (failures === 0) yield { type: 'disconnected', reason: reasonOf(error) };
      failures++;
      const waitMs = Math.min(MAX_RETRY_MS, retryMs * 2 ** (failures - 1));
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

class ResumableStream {
  everConnected = false;
  readonly #http: Http;
  readonly #options: StreamOptions;
  #lastEventId = '';

  constructor(http: Http, options: StreamOptions) {
    this.#http = http;
    this.#options = options;
  }

  /** The events of one connection. Never ends but by throwing. */
  async *connection(): AsyncGenerator<StreamEvent> {
    const silence = new SilenceAlarm(this.#options.silenceMs ?? SILENCE_MS);
    try {
      const response = await this.#http.send(this.#path(), {
        signal: AbortSignal.any([this.#options.signal, silence.signal]),
        headers: {
          accept: 'text/event-stream',
          ...(this.#lastEventId !== '' && { 'last-event-id': this.#lastEventId }),
        },
      });
      this.everConnected = true;
      yield { type: 'connected' };
      const events = (response.body ?? new Blob([]).stream())
        .pipeThrough(silence.watch())
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream({ maxBufferSize: MAX_EVENT_CHARACTERS }));
      for await (const { event, id, data } of events) {
        if (id !== undefined) this.#lastEventId = id;
        if (event === 'result') yield { type: 'result', result: JSON.parse(data) as ResultJson };
        if (event === 'reset') yield { type: 'reset', reason: resetReason(data) };
      }
    } catch (error) {
      throw error instanceof HtmEngineError ? error : this.#http.unreachable(error);
    } finally {
      silence.end();
    }
    throw new HtmEngineError('engine_unreachable', 'the engine ended the stream');
  }

  #path(): string {
    const { metrics, minLogLikelihood } = this.#options;
    const query = new URLSearchParams(metrics.map((name): [string, string] => ['metric', name]));
    if (minLogLikelihood !== undefined) query.set('minLogLikelihood', String(minLogLikelihood));
    return `/api/v1/results${query.size === 0 ? '' : `?${query.toString()}`}`;
  }
}

/** Aborts its signal when nothing was heard for a while. */
class SilenceAlarm {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(silenceMs: number) {
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Error(`nothing was heard for ${silenceMs / 1000} s`));
    }, silenceMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Hears what passes through. */
  watch(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    return new TransformStream({
      transform: (chunk, controller) => {
        this.#timer.refresh();
        controller.enqueue(chunk);
      },
    });
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function resetReason(data: string): string {
  try {
    const { reason } = JSON.parse(data) as { reason?: unknown };
    return typeof reason === 'string' ? reason : data;
  } catch {
    return data;
  }
}
