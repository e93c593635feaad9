import type { Result, StreamEvent } from '../api/contract.ts';

const RETRY_MS = 1000;
const MAX_RETRY_MS = 15_000;

export interface ResultsListener {
  /** The stream is open: what was missed before is not known. */
  opened(): void;
  result(result: Result): void;
  /** The engine cannot go on where the stream broke off: the present state is to be read anew. */
  reset(): void;
  lost(): void;
}

/** The stream of all results, opened again for as long as it is wanted. */
export class ResultsStream {
  readonly #open: (signal: AbortSignal) => AsyncIterable<StreamEvent>;
  readonly #listener: ResultsListener;
  #wanted: AbortController | null = null;
  #retryMs = RETRY_MS;

  constructor(open: (signal: AbortSignal) => AsyncIterable<StreamEvent>, listener: ResultsListener) {
    this.#open = open;
    this.#listener = listener;
  }

  start(): void {
    if (this.#wanted !== null) return;
    this.#wanted = new AbortController();
    void this.#follow(this.#wanted.signal);
  }

  stop(): void {
    this.#wanted?.abort();
    this.#wanted = null;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        for await (const event of this.#open(signal)) this.#tell(event);
      } catch {
        // Why it broke is told by the readings of the same engine.
      }
      if (signal.aborted) return;
      this.#listener.lost();
      await wait(this.#retryMs, signal);
      this.#retryMs = Math.min(MAX_RETRY_MS, 2 * this.#retryMs);
    }
  }

  #tell(event: StreamEvent): void {
    switch (event.type) {
      case 'opened':
        this.#retryMs = RETRY_MS;
        this.#listener.opened();
        break;
      case 'result':
        this.#listener.result(event.result);
        break;
      case 'reset':
        this.#listener.reset();
        break;
    }
  }
}

function wait(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    const give = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', give, { once: true });
  });
}
