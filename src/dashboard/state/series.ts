import { type ReadonlySignal, signal } from '@preact/signals';
import { inWords } from '../api/api-error.ts';
import type { ApiClient } from '../api/client.ts';
import type { Row } from '../api/contract.ts';
import type { Window } from '../model/route.ts';
import type { Columns } from '../model/thinning.ts';

/** Rows read when no window is asked for. */
const NEWEST_ROWS = 5000;
/** Rows held at the most; of a longer stretch the newest are shown until a part of it is asked for. */
const MAX_ROWS = 50_000;
/** Rows at the end that may have been scored since they were read. */
const TAIL_ROWS = 1000;

export interface SeriesState extends Columns {
  /** Older rows of what was asked for were left out. */
  readonly cut: boolean;
}

/** The rows of one metric in a window (null: the newest), moved on as rows come and are scored. */
export class Series {
  readonly #client: ApiClient;
  readonly #name: string;
  readonly #state = signal<SeriesState | null>(null);
  readonly #problem = signal<string | null>(null);
  #window: Window | null = null;
  #rows: Row[] = [];
  #cut = false;
  /** All rows of this stretch are held. */
  #covered: Window = { from: Infinity, to: -Infinity };
  /** Counts the windows asked for: an answer to an earlier one comes too late. */
  #asked = 0;
  #following = false;
  #again = false;

  constructor(client: ApiClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** Null until the first rows were read. */
  get state(): ReadonlySignal<SeriesState | null> {
    return this.#state;
  }

  /** Why the last reading failed, in words. */
  get problem(): ReadonlySignal<string | null> {
    return this.#problem;
  }

  /** Reads the window's rows unless all of them are held. */
  async show(window: Window | null): Promise<void> {
    this.#window = window;
    if (this.#holds(window)) return;
    const asked = ++this.#asked;
    await this.#guarded(async () => {
      const limit = window === null ? NEWEST_ROWS : MAX_ROWS;
      const rows = await this.#client.rows(this.#name, { ...window, limit, order: 'desc' });
      if (asked !== this.#asked) return;
      this.#rows = rows.toReversed();
      this.#cut = rows.length === limit;
      const first = this.#rows[0]?.timestamp ?? Infinity;
      const last = this.#rows.at(-1)?.timestamp ?? -Infinity;
      this.#covered = { from: this.#cut ? first : (window?.from ?? 0), to: window?.to ?? last };
      this.#publish();
    });
  }

  /** Reads what was stored or scored since the last reading, if the newest rows are held. */
  async follow(monitored: boolean): Promise<void> {
    if (this.#state.value === null || this.#window !== null) return;
    this.#again = true;
    if (this.#following) return;
    this.#following = true;
    while (this.#again) {
      this.#again = false;
      await this.#guarded(() => this.#readTail(monitored));
    }
    this.#following = false;
  }

  async #readTail(monitored: boolean): Promise<void> {
    const asked = this.#asked;
    const lastRowid = this.#rows.at(-1)?.rowid ?? 0;
    const scored = this.#rows.findLast(({ logLikelihood }) => logLikelihood !== null)?.rowid ?? 0;
    const afterRowid = monitored ? Math.max(scored, lastRowid - TAIL_ROWS, 0) : lastRowid;
    const rows = await this.#client.rows(this.#name, { afterRowid, limit: MAX_ROWS, order: 'asc' });
    if (asked !== this.#asked || rows.length === 0) return;
    this.#rows = [...this.#rows.filter(({ rowid }) => rowid <= afterRowid), ...rows].slice(-MAX_ROWS);
    const first = this.#rows[0]?.timestamp ?? Infinity;
    const last = this.#rows.at(-1)?.timestamp ?? -Infinity;
    this.#covered = { from: this.#cut ? first : this.#covered.from, to: last };
    this.#publish();
  }

  /** Reads everything anew: scores were cleared or begin again. */
  async reread(): Promise<void> {
    this.#covered = { from: Infinity, to: -Infinity };
    await this.show(this.#window);
  }

  #holds(window: Window | null): boolean {
    return window !== null && this.#covered.from <= window.from && this.#covered.to >= window.to;
  }

  #publish(): void {
    this.#state.value = {
      timestamps: this.#rows.map(({ timestamp }) => timestamp),
      values: this.#rows.map(({ value }) => value),
      scores: this.#rows.map(({ logLikelihood }) => logLikelihood),
      cut: this.#cut,
    };
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#problem.value = null;
    } catch (error) {
      this.#problem.value = inWords(error);
    }
  }
}
