/**
 * How anomalous a metric was lately, as bars over time: the highest log-likelihood of each short stretch. A part of
 * the state that the anomaly service folds over rows, a few hundred bytes, so that thousands of metrics can be
 * ranked, and their bars shown, without reading their rows.
 */

/** Bars of a period, the newest last. */
export const BARS = 24;
/** Seconds of one bar. As in the original, the 24th part of the period, counted from the epoch. */
export const BAR_SECONDS = { hour: 150, day: 3600, week: 25_200 } as const;
export type BarPeriod = keyof typeof BAR_SECONDS;

const VERSION = 1;
/** Log-likelihoods are kept as so many levels: 0.4 and 0.5, where colours change, are exact. */
const LEVELS = 250;
const NOTHING = 255;
/** Holds the bars of an hour. */
const FINE = { seconds: BAR_SECONDS.hour, cells: 32 };
/** Holds those of a day, and of a week seven at a time. */
const COARSE = { seconds: BAR_SECONDS.day, cells: 192 };
const HEAD_BYTES = 5;
const BYTES = HEAD_BYTES + FINE.cells + 4 + COARSE.cells;

export class AnomalyBars {
  readonly #fine: Ring;
  readonly #coarse: Ring;

  private constructor(fine: Ring, coarse: Ring) {
    this.#fine = fine;
    this.#coarse = coarse;
  }

  /** From what `encode` made; without any, or from what another version made, there are no bars yet. */
  static decode(bytes: Uint8Array | null): AnomalyBars {
    if (bytes?.length !== BYTES || bytes[0] !== VERSION) {
      return new AnomalyBars(new Ring(FINE), new Ring(COARSE));
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const coarseAt = HEAD_BYTES + FINE.cells;
    return new AnomalyBars(
      new Ring(FINE, view.getUint32(1, true), bytes.slice(HEAD_BYTES, coarseAt)),
      new Ring(COARSE, view.getUint32(coarseAt, true), bytes.slice(coarseAt + 4)),
    );
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(BYTES);
    const view = new DataView(bytes.buffer);
    bytes[0] = VERSION;
    view.setUint32(1, this.#fine.newest, true);
    bytes.set(this.#fine.cells, HEAD_BYTES);
    const coarseAt = HEAD_BYTES + FINE.cells;
    view.setUint32(coarseAt, this.#coarse.newest, true);
    bytes.set(this.#coarse.cells, coarseAt + 4);
    return bytes;
  }

  /** Takes the score of the next row. @param timestamp epoch seconds, later than those before. @param logLikelihood 0..1 */
  append(timestamp: number, logLikelihood: number): void {
    // What a product of floats loses must not take a level away.
    const level = Math.floor(logLikelihood * LEVELS + 1e-9);
    this.#fine.append(timestamp, level);
    this.#coarse.append(timestamp, level);
  }

  /** The bars of the period that ends with the one in which `until` (epoch seconds) lies: 0..1, null where no row was scored. */
  of(period: BarPeriod, until: number): (number | null)[] {
    const seconds = BAR_SECONDS[period];
    const ring = period === 'hour' ? this.#fine : this.#coarse;
    const cells = seconds / ring.seconds;
    const last = Math.floor(until / seconds);
    return Array.from({ length: BARS }, (_, i) => {
      const level = ring.highest((last - BARS + 1 + i) * cells, cells);
      return level === null ? null : level / LEVELS;
    });
  }
}

/** The newest cells of a row of stretches of time. */
class Ring {
  readonly seconds: number;
  readonly cells: Uint8Array;
  /** Number of the newest stretch since the epoch. */
  newest: number;

  constructor(
    { seconds, cells: count }: { readonly seconds: number; readonly cells: number },
    newest = 0,
    cells: Uint8Array = new Uint8Array(count).fill(NOTHING),
  ) {
    this.seconds = seconds;
    this.newest = newest;
    this.cells = cells;
  }

  append(timestamp: number, level: number): void {
    const stretch = Math.floor(timestamp / this.seconds);
    if (stretch <= this.newest - this.cells.length) return;
    if (stretch > this.newest) {
      const passed = Math.min(stretch - this.newest, this.cells.length);
      for (let next = stretch - passed + 1; next <= stretch; next += 1) this.#set(next, NOTHING);
      this.newest = stretch;
    }
    const before = this.#get(stretch);
    if (before === NOTHING || level > before) this.#set(stretch, level);
  }

  /** The highest level of `count` stretches from `first` on; null if none has any. */
  highest(first: number, count: number): number | null {
    let highest: number | null = null;
    for (let stretch = first; stretch < first + count; stretch += 1) {
      if (stretch > this.newest || stretch <= this.newest - this.cells.length) continue;
      const level = this.#get(stretch);
      if (level !== NOTHING && level > (highest ?? -1)) highest = level;
    }
    return highest;
  }

  #get(stretch: number): number {
    return this.cells[stretch % this.cells.length] ?? NOTHING;
  }

  #set(stretch: number, level: number): void {
    this.cells[stretch % this.cells.length] = level;
  }
}
