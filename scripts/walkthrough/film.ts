import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

/** Colours of a picture; a page of text needs few. */
const COLOURS = 64;

/** Pictures of pages, each with how long it is shown. */
export class Film {
  readonly #directory: string;
  readonly #frames: { readonly file: string; milliseconds: number }[] = [];

  constructor(directory: string) {
    this.#directory = join(directory, 'film');
    mkdirSync(this.#directory);
  }

  get seconds(): number {
    return this.#frames.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
  }

  /** The page as it is now. */
  async take(page: Page, milliseconds: number): Promise<void> {
    const file = join(this.#directory, `${String(this.#frames.length).padStart(4, '0')}.png`);
    await page.screenshot({ path: file, animations: 'disabled' });
    this.#frames.push({ file, milliseconds });
  }

  /** The last picture stays for so much longer. */
  hold(milliseconds: number): void {
    const last = this.#frames.at(-1);
    if (last !== undefined) last.milliseconds += milliseconds;
  }

  /** An animated GIF, which is what every viewer of a README shows. */
  write(out: string): void {
    const list = join(this.#directory, 'frames.txt');
    const last = this.#frames.at(-1);
    const lines = this.#frames.map(
      ({ file, milliseconds }) => `file '${file}'\nduration ${(milliseconds / 1000).toFixed(2)}`,
    );
    // ffmpeg gives the last picture its time only if it is named again.
    writeFileSync(list, `${[...lines, `file '${last?.file ?? ''}'`].join('\n')}\n`);
    const filter = `split[a][b];[a]palettegen=max_colors=${COLOURS}:stats_mode=diff[p];[b][p]paletteuse=dither=none:diff_mode=rectangle`;
    const input = ['-f', 'concat', '-safe', '0', '-i', list];
    execFileSync('ffmpeg', ['-y', '-loglevel', 'error', ...input, '-vf', filter, '-fps_mode', 'vfr', out]);
  }
}
