import { styleText } from 'node:util';
import type { WriteStream } from 'node:tty';

/** How far a run is: one line that is drawn over on a terminal, elsewhere a line for each thing finished. */
export class Progress {
  readonly #stream: WriteStream;
  readonly #total: number;
  #done = 0;
  #drawnPercent = -1;

  /** @param total units to be done. */
  constructor(stream: WriteStream, total: number) {
    this.#stream = stream;
    this.#total = total;
  }

  advance(units: number): void {
    this.#done += units;
    if (this.#stream.isTTY) this.#draw();
  }

  finished(what: string): void {
    if (this.#stream.isTTY) return;
    this.#stream.write(`${String(this.#percent()).padStart(3)} %  ${what}\n`);
  }

  /** Clears the line. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[K');
  }

  #draw(): void {
    const percent = this.#percent();
    if (percent === this.#drawnPercent) return;
    this.#drawnPercent = percent;
    const filled = Math.round((percent / 100) * BAR_WIDTH);
    const bar = styleText('green', '█'.repeat(filled)) + styleText('dim', '░'.repeat(BAR_WIDTH - filled));
    this.#stream.write(`\r${bar} ${percent} %`);
  }

  #percent(): number {
    return Math.floor((100 * this.#done) / Math.max(1, this.#total));
  }
}

const BAR_WIDTH = 40;
