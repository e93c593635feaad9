import { setTimeout as delay } from 'node:timers/promises';
import type { MetricJson, RowJson } from './engine-process.ts';
import type { Counted, FaultyEngine, RecordedResults } from './faulty-engine.ts';
import { graphiteLines, sendAll } from './sender.ts';
import type { Series } from './nab.ts';

/** Something bad that is done to an engine while rows wait to be scored. */
export interface Fault {
  readonly name: string;
  /**
   * Resolves when it is over and the engine works, or runs again.
   * @param more sends further rows, for a fault that only work can meet; resolves when they are stored
   */
  readonly strike: (engine: FaultyEngine, more: () => Promise<void>) => Promise<void>;
}

/** What one fault met and cost. */
export interface FaultRecord {
  readonly name: string;
  /** Rows that were stored and not scored when it struck. */
  readonly pending: number;
  /** From then until the next one struck. */
  readonly counted: Counted;
}

export interface FaultOutcome {
  readonly rows: ReadonlyMap<string, RowJson[]>;
  readonly recorded: RecordedResults;
  readonly faults: readonly FaultRecord[];
  readonly counted: Counted;
}

const LOOK_MS = 100;
/** A fault strikes at a random moment within so long after rows were seen waiting. */
const STRIKE_WITHIN_MS = 300;
const TIMEOUT_MS = 4 * 3_600_000;
/** Of the rows of each metric, that come before the first fault: models that have learned something are worth saving. */
const CALM_SHARE = 0.3;

/** Sends series to an engine, a share of each metric's rows around each fault, until every row is scored and published. */
export class FaultRun {
  readonly #engine: FaultyEngine;
  readonly #series: readonly Series[];
  readonly #range: { readonly min: number; readonly max: number };

  /** @param range of the models of all metrics, which are monitored before their first row. */
  constructor(engine: FaultyEngine, series: readonly Series[], range: { min: number; max: number }) {
    this.#engine = engine;
    this.#series = series;
    this.#range = range;
  }

  /** @param random decides the moments at which faults strike. @throws Error if one struck while no row was waiting */
  async execute(faults: readonly Fault[], random: () => number): Promise<FaultOutcome> {
    await this.#engine.start();
    for (const { name } of this.#series) await this.#monitor(name);
    await this.#send(CALM_SHARE);
    await this.#pendingWithin(0, 0);
    const stepShare = (1 - CALM_SHARE) / (faults.length + 1);
    const stepRows = stepShare * this.#totalRows;
    let scoredBefore = await this.#scored();
    const struck: (Omit<FaultRecord, 'counted'> & { readonly before: Counted })[] = [];
    for (const [i, { name, strike }] of faults.entries()) {
      const upTo = CALM_SHARE + (i + 1) * stepShare;
      const striking = async () => {
        // So models get on, and what a fault costs is counted as its own before the next one strikes.
        await this.#pendingWithin(0, 2 * stepRows);
        await this.#scoredAtLeast(scoredBefore + stepRows / 2);
        await delay(random() * STRIKE_WITHIN_MS);
        const pending = await this.#pendingOrMore(upTo, stepShare);
        scoredBefore = await this.#scored();
        struck.push({ name, pending, before: await this.#engine.counted() });
        process.stdout.write(`  ${name}: ${pending} rows pending\n`);
        await strike(this.#engine, () => this.#send(upTo + stepShare / 2));
      };
      await Promise.all([this.#send(upTo), striking()]);
    }
    await this.#send(1);
    const recorded = await this.#allScored();
    const counted = await this.#engine.counted();
    const rows = new Map<string, RowJson[]>();
    for (const { name } of this.#series) rows.set(name, await this.#engine.rows(name));
    const records = struck.map(({ name, pending, before }, i) => ({
      name,
      pending,
      counted: difference(struck[i + 1]?.before ?? counted, before),
    }));
    return { rows, recorded, faults: records, counted };
  }

  async #monitor(name: string): Promise<void> {
    const { process } = this.#engine;
    const body = JSON.stringify(this.#range);
    const { status, text } = await process.request('PUT', `/${encodeURIComponent(name)}`, body);
    if (status !== 201) throw new Error(`monitoring ${name} answered ${status}: ${text}`);
  }

  /** Sends each metric's rows up to this share of them, what is not stored again and again. */
  async #send(share: number): Promise<void> {
    for (;;) {
      const metrics = await this.#engine.look();
      if (metrics !== null) {
        const missing = this.#missing(metrics, share);
        if (missing === '') return;
        // Killed, or the connection was cut: what is missing is sent again.
        const { port } = this.#engine;
        if (port !== null) await sendAll(port, missing).catch(() => undefined);
      }
      await delay(LOOK_MS);
    }
  }

  #missing(metrics: ReadonlyMap<string, MetricJson>, share: number): string {
    return this.#series
      .flatMap(({ name, timestamps, values }) => {
        const upTo = Math.ceil(timestamps.length * share);
        const stored = metrics.get(name)?.lastTimestamp ?? null;
        const from = stored === null ? 0 : timestamps.indexOf(stored) + 1;
        return from < upTo
          ? graphiteLines({ name, timestamps: timestamps.slice(0, upTo), values }, from)
          : [];
      })
      .join('');
  }

  /** Waits until so many rows are stored and not scored, both included. @returns how many */
  async #pendingWithin(least: number, most: number): Promise<number> {
    const deadline = Date.now() + TIMEOUT_MS;
    while (Date.now() < deadline) {
      const metrics = await this.#engine.look();
      const pending = metrics === null ? -1 : sum(metrics, ({ rows, scoredRows }) => rows - scoredRows);
      if (pending >= least && pending <= most) return pending;
      await delay(LOOK_MS / 10);
    }
    throw new Error(`there were never ${least} to ${most} rows waiting`);
  }

  /** Rows that have scores; 0 while nobody answers. */
  async #scored(): Promise<number> {
    return sum((await this.#engine.look()) ?? new Map<string, MetricJson>(), ({ scoredRows }) => scoredRows);
  }

  async #scoredAtLeast(rows: number): Promise<void> {
    const deadline = Date.now() + TIMEOUT_MS;
    while ((await this.#scored()) < rows) {
      if (Date.now() > deadline) throw new Error(`${rows} rows were never scored`);
      await delay(LOOK_MS);
    }
  }

  /** How many rows wait, of which there is at least one: a fast engine that has none left is sent some of the next step's. */
  async #pendingOrMore(share: number, stepShare: number): Promise<number> {
    for (let upTo = share; ; upTo += stepShare / 8) {
      const metrics = await this.#engine.look();
      const pending = metrics === null ? -1 : sum(metrics, ({ rows, scoredRows }) => rows - scoredRows);
      if (pending > 0) return pending;
      if (upTo > 1) throw new Error('all rows were scored before the last fault: it needs more rows');
      await this.#send(upTo);
    }
  }

  get #totalRows(): number {
    return this.#series.reduce((rows, { timestamps }) => rows + timestamps.length, 0);
  }

  async #allScored(): Promise<RecordedResults> {
    const total = this.#totalRows;
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const metrics = (await this.#engine.look()) ?? new Map<string, MetricJson>();
      const failed = [...metrics.values()].find(({ state }) => state === 'ERROR');
      if (failed !== undefined) throw new Error(`${failed.name} is in ERROR: ${String(failed.message)}`);
      if (sum(metrics, ({ scoredRows }) => scoredRows) === total) break;
      if (Date.now() > deadline) throw new Error('not every row was scored in time');
      await delay(10 * LOOK_MS);
    }
    return await this.#engine.results(total, TIMEOUT_MS);
  }
}

function sum(metrics: ReadonlyMap<string, MetricJson>, of: (metric: MetricJson) => number): number {
  return [...metrics.values()].reduce((total, metric) => total + of(metric), 0);
}

function difference(after: Counted, before: Counted): Counted {
  const entries = Object.entries(after).map(([what, count]) => [what, count - before[what as keyof Counted]]);
  return Object.fromEntries(entries) as Counted;
}
