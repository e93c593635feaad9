import type { Result } from '../api/contract.ts';

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
  readonly #open: () => EventSource;
  readonly #listener: ResultsListener;
  #source: EventSource | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = RETRY_MS;

  constructor(open: () => EventSource, listener: ResultsListener) {
    this.#open = open;
    this.#listener = listener;
  }

  start(): void {
    if (this.#source !== null) return;
    clearTimeout(this.#retry);
    const source = this.#open();
    this.#source = source;
    source.addEventListener('open', () => {
      this.#retryMs = RETRY_MS;
      this.#listener.opened();
    });
    source.addEventListener('result', (event: MessageEvent<string>) =>
      this.#listener.result(JSON.parse(event.data) as Result),
    );
    source.addEventListener('reset', () => this.#listener.reset());
    source.addEventListener('error', () => this.#lost());
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  /** A browser gives up on some errors (an answer that is not a stream), so the page does the opening itself on all of them. */
  #lost(): void {
    this.stop();
    this.#listener.lost();
    this.#retry = setTimeout(() => this.start(), this.#retryMs);
    this.#retryMs = Math.min(MAX_RETRY_MS, 2 * this.#retryMs);
  }
}
