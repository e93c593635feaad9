import { type ReadonlySignal, signal } from '@preact/signals';
import { inWords } from '../api/api-error.ts';
import type { ApiClient } from '../api/client.ts';
import type { Row } from '../api/contract.ts';
import { columnsOfBuckets, columnsOfRows } from '../model/columns.ts';
import { formatCount } from '../model/format.ts';
import type { Window } from '../model/route.ts';
import type { Columns } from '../model/thinning.ts';
import { type UsualRange, usualRange } from '../model/usual-range.ts';

/** Rows that are read one by one; a stretch with more is read in buckets. So many of the newest are shown to begin with. */
export const MOST_ROWS = 5000;
/** More than a screen has columns. */
const BUCKETS = 2000;
/** Rows held while new ones come. */
const MAX_HELD_ROWS = 20_000;
/** Rows at the end that may have been scored since they were read. */
const TAIL_ROWS = 1000;

export interface SeriesState extends Columns {
  /** 1: every row is a point; else points are extremes of more rows than there are points, by so many times. */
  readonly rowsPerPoint: number;
  /** From the metric's first row to the last of those here; more than these where older rows were left out. */
  readonly extent: Window;
}

/** The rows of one metric in a window (null: the newest), moved on as rows come and are scored. */
export class Series {
  readonly #client: ApiClient;
  readonly #name: string;
  readonly #state = signal<SeriesState | null>(null);
  readonly #usual = signal<UsualRange | null>(null);
  readonly #problem = signal<string | null>(null);
  #window: Window | null = null;
  #rows: readonly Row[] = [];
  #firstTimestamp: number | null = null;
  #knowsUsual = false;
  /** Every row of this stretch is held. */
  #covered: Window = NOTHING;
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

  /** Of the newest rows; null until they were read, or if they do not tell. */
  get usual(): ReadonlySignal<UsualRange | null> {
    return this.#usual;
  }

  /** Why the last reading failed, in words. */
  get problem(): ReadonlySignal<string | null> {
    return this.#problem;
  }

  /** Reads the window's rows unless all of them are held; rows too many to draw in buckets, with every peak. */
  async show(window: Window | null): Promise<void> {
    this.#window = window;
    if (this.#holds(window)) return;
    const asked = ++this.#asked;
    await this.#guarded(async () => {
      if (window === null) await this.#showNewest(asked);
      else await this.#showWindow(window, asked);
      await this.#learnUsual();
    });
  }

  async #showNewest(asked: number): Promise<void> {
    const rows = (await this.#read({ limit: MOST_ROWS, order: 'desc' })).toReversed();
    const cut = rows.length === MOST_ROWS;
    if (cut) await this.#readFirst();
    else this.#firstTimestamp = rows[0]?.timestamp ?? null;
    if (asked !== this.#asked) return;
    this.#hold(rows, { from: cut ? (rows[0]?.timestamp ?? 0) : 0, to: rows.at(-1)?.timestamp ?? 0 });
    if (!this.#knowsUsual) this.#tellUsual(rows);
  }

  async #showWindow(window: Window, asked: number): Promise<void> {
    const [[all]] = await Promise.all([this.#client.buckets(this.#name, window, 1), this.#readFirst()]);
    const rowCount = all === undefined ? 0 : all.lastRowid - all.firstRowid + 1;
    if (rowCount <= MOST_ROWS) {
      const rows = rowCount === 0 ? [] : await this.#read({ ...window, limit: MOST_ROWS, order: 'asc' });
      if (asked === this.#asked) this.#hold(rows, window);
      return;
    }
    const buckets = await this.#client.buckets(this.#name, window, BUCKETS);
    if (asked !== this.#asked) return;
    this.#rows = [];
    this.#covered = NOTHING;
    const columns = columnsOfBuckets(buckets);
    this.#publish(columns, rowCount / Math.max(1, columns.timestamps.length));
  }

  /** Where the metric begins, unless that is known. */
  async #readFirst(): Promise<void> {
    this.#firstTimestamp ??= (await this.#read({ limit: 1, order: 'asc' }))[0]?.timestamp ?? null;
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
    const rows = await this.#read({ afterRowid, limit: MAX_HELD_ROWS, order: 'asc' });
    if (asked !== this.#asked || rows.length === 0) return;
    const held = [...this.#rows.filter(({ rowid }) => rowid <= afterRowid), ...rows].slice(-MAX_HELD_ROWS);
    this.#firstTimestamp ??= held[0]?.timestamp ?? null;
    this.#hold(held, { from: this.#covered.from, to: held.at(-1)?.timestamp ?? 0 });
  }

  /** Reads everything anew: scores were cleared or begin again. */
  async reread(): Promise<void> {
    this.#covered = NOTHING;
    this.#firstTimestamp = null;
    await this.show(this.#window);
  }

  async #learnUsual(): Promise<void> {
    if (this.#knowsUsual) return;
    this.#tellUsual((await this.#read({ limit: MOST_ROWS, order: 'desc' })).toReversed());
  }

  #tellUsual(newest: readonly Row[]): void {
    this.#knowsUsual = true;
    this.#usual.value = usualRange(columnsOfRows(newest), `the newest ${formatCount(newest.length)} rows`);
  }

  #read(selection: Parameters<ApiClient['rows']>[1]): Promise<readonly Row[]> {
    return this.#client.rows(this.#name, selection);
  }

  #holds(window: Window | null): boolean {
    return window !== null && this.#covered.from <= window.from && this.#covered.to >= window.to;
  }

  #hold(rows: readonly Row[], covered: Window): void {
    this.#rows = rows;
    this.#covered = covered;
    this.#publish(columnsOfRows(rows), 1);
  }

  #publish(columns: Columns, rowsPerPoint: number): void {
    const last = columns.timestamps.at(-1) ?? 0;
    const from = this.#firstTimestamp ?? columns.timestamps[0] ?? last;
    this.#state.value = { ...columns, rowsPerPoint, extent: { from, to: last } };
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

const NOTHING: Window = { from: Infinity, to: -Infinity };
