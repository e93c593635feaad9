import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

const BAR_WIDTH = 40;
const REDRAW_MS = 100;
const LINE_EVERY_MS = 10_000;

/** How far a run is, on standard error: a bar that is drawn over on a terminal, elsewhere a line now and then. */
export class Progress {
  readonly #stream: WriteStream;
  readonly #totalBytes: number | undefined;
  #bytes = 0;
  #rows = 0;
  #shownAtMs = performance.now();

  /** @param totalBytes of the input; undefined for a stream, whose end nobody knows. */
  constructor(stream: WriteStream, totalBytes: number | undefined) {
    this.#stream = stream;
    this.#totalBytes = totalBytes;
  }

  readBytes(bytes: number): void {
    this.#bytes += bytes;
  }

  finishRow(): void {
    this.#rows++;
    const now = performance.now();
    if (now - this.#shownAtMs < (this.#stream.isTTY ? REDRAW_MS : LINE_EVERY_MS)) return;
    this.#shownAtMs = now;
    this.#stream.write(this.#stream.isTTY ? `\r${this.#bar()}\u001b[K` : `${this.#text()}\n`);
  }

  /** Clears the bar. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[K');
  }

  #bar(): string {
    const share = this.#share();
    if (share === undefined) return this.#text();
    const filled = Math.round(share * BAR_WIDTH);
    const bar = styleText('green', '█'.repeat(filled)) + styleText('dim', '░'.repeat(BAR_WIDTH - filled));
    return `${bar} ${this.#text()}`;
  }

  #text(): string {
    const share = this.#share();
    const rows = `${this.#rows.toLocaleString('en')} rows`;
    return share === undefined ? rows : `${rows}, ${Math.floor(100 * share)} %`;
  }

  /** Bytes are read ahead of the rows by one chunk at the most. */
  #share(): number | undefined {
    return this.#totalBytes === undefined
      ? undefined
      : Math.min(1, this.#bytes / Math.max(1, this.#totalBytes));
  }
}
