import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';

const BAR_WIDTH = 40;
const REDRAW_MS = 100;
const LINE_EVERY_MS = 10_000;

/** How far a run is: a bar that is drawn over on a terminal, elsewhere a line now and then. */
export class Progress {
  readonly #stream: WriteStream;
  readonly #total: number | undefined;
  readonly #text: () => string;
  #done = 0;
  #shownAtMs = performance.now();

  /**
   * @param total units to be done; undefined where nobody knows.
   * @param text what to say beside the share.
   */
  constructor(stream: WriteStream, total: number | undefined, text: () => string = () => '') {
    this.#stream = stream;
    this.#total = total;
    this.#text = text;
  }

  advance(units: number): void {
    this.#done += units;
    this.tick();
  }

  /** Shows how far it is, unless that was shown a moment ago. */
  tick(): void {
    const now = performance.now();
    if (now - this.#shownAtMs < (this.#stream.isTTY ? REDRAW_MS : LINE_EVERY_MS)) return;
    this.#shownAtMs = now;
    this.#show(this.#text());
  }

  /** Tells elsewhere than on a terminal that a part is done. */
  finished(what: string): void {
    if (!this.#stream.isTTY) this.#show(what);
  }

  /** Clears the bar. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[K');
  }

  #show(text: string): void {
    const share = this.#share();
    const percent = share === undefined ? '' : `${Math.floor(100 * share)} %`.padStart(5);
    if (!this.#stream.isTTY) this.#stream.write(`${[percent, text].filter(Boolean).join('  ')}\n`);
    else this.#stream.write(`\r${[this.#bar(share), percent, text].filter(Boolean).join(' ')}\u001b[K`);
  }

  #bar(share: number | undefined): string {
    if (share === undefined) return '';
    const filled = Math.round(share * BAR_WIDTH);
    return styleText('green', '█'.repeat(filled)) + styleText('dim', '░'.repeat(BAR_WIDTH - filled));
  }

  #share(): number | undefined {
    return this.#total === undefined ? undefined : Math.min(1, this.#done / Math.max(1, this.#total));
  }
}
