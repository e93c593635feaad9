import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** The engine sends a heartbeat every 15 s. */
const SILENCE_MS = 45_000;
/** Far beyond any event that the engine sends. */
const MAX_EVENT_CHARACTERS = 1_048_576;

/**
 * The server-sent events of an answer, until it ends. The browser's own EventSource sends no token, so the page reads the
 * stream itself. @throws Error if nothing is heard for too long, or the connection breaks
 */
export async function* serverSentEvents(response: Response): AsyncGenerator<EventSourceMessage> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  const waiting: EventSourceMessage[] = [];
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARACTERS,
    onEvent: (event) => waiting.push(event),
    onError: (error) => {
      throw error;
    },
  });
  try {
    for (;;) {
      const { done, value } = await soon(reader.read());
      if (done) return;
      parser.feed(value);
      yield* waiting.splice(0);
    }
  } finally {
    // What is under way is of no use any more.
    void reader.cancel().catch(() => undefined);
  }
}

async function soon<T>(reading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('The engine is silent.')), SILENCE_MS);
  });
  try {
    return await Promise.race([reading, silence]);
  } finally {
    clearTimeout(timer);
  }
}
