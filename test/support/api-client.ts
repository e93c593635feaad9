import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Engine } from '../../src/engine.ts';

/** An answer of the JSON interface. */
export interface Answer {
  readonly status: number;
  /** The body as JSON; null if there is none. */
  readonly body: Record<string, unknown>;
}

/** Where a running engine's HTTP interface is. */
export function baseUrl(engine: Engine): string {
  return `http://127.0.0.1:${String(engine.addresses.http?.port)}`;
}

/** One request; an object is sent as JSON. */
export async function request(
  engine: Engine,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(baseUrl(engine) + path, {
    method,
    headers,
    ...(body !== undefined && { body: sent as string | Uint8Array<ArrayBuffer> }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** A client of server-sent events that notes what comes and can be cut off. */
export class EventClient {
  readonly events: EventSourceMessage[] = [];
  comments = 0;
  /** The stream has ended. */
  isOver = false;
  /** Resolves when the stream has ended, from whichever side. */
  readonly ended: Promise<void>;
  readonly #cut = new AbortController();

  private constructor(response: Response, cut: AbortController) {
    this.#cut = cut;
    this.ended = this.#read(response)
      .catch(() => undefined)
      .then(() => {
        this.isOver = true;
      });
  }

  /** @throws Error with the body if the answer is no stream */
  static async open(url: string, lastEventId?: string): Promise<EventClient> {
    const cut = new AbortController();
    const response = await fetch(url, {
      signal: cut.signal,
      headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return new EventClient(response, cut);
  }

  /** The id to come back with. */
  get lastEventId(): string | undefined {
    return this.events.at(-1)?.id;
  }

  /** The data of the events of one name. */
  data<T>(name: string): T[] {
    return this.events.filter(({ event }) => event === name).map(({ data }) => JSON.parse(data) as T);
  }

  async close(): Promise<void> {
    this.#cut.abort();
    await this.ended;
  }

  async #read(response: Response): Promise<void> {
    const parser = createParser({
      onEvent: (event) => this.events.push(event),
      onComment: () => (this.comments += 1),
    });
    const decoder = new TextDecoder();
    if (response.body === null) return;
    const body: AsyncIterable<Uint8Array<ArrayBuffer>> = response.body;
    for await (const chunk of body) parser.feed(decoder.decode(chunk, { stream: true }));
  }
}
