import { expect } from 'vitest';
import type { AutomaticRequest, GenerationRequest } from '../../../src/generation.ts';
import type { Relearning } from '../../../src/store/catalogue.ts';
import type {
  AnomalyScoreSlice,
  AppendOutcome,
  CursorMove,
  FoldOutcome,
  MetricSamples,
  RawScoreSlice,
} from '../../../src/store/log.ts';
import type { DataRow } from '../../../src/store/queries.ts';
import type { Store } from '../../../src/store/store.ts';

/** A store made for one test, and what a test may do to its database beside it. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store, as an engine does when it stops, and opens it again. */
  reopen(): Promise<Store>;
  /** Runs one statement of plain SQL on the database, past the store. */
  execute(statement: string): Promise<void>;
  /** The rows of one reading statement of plain SQL, past the store. */
  select(statement: string): Promise<Record<string, unknown>[]>;
  /** Another process opens the same database, appends, and is killed (SIGKILL) as soon as that is acknowledged. */
  appendAndBeKilled(batches: readonly MetricSamples[]): Promise<void>;
  dispose(): Promise<void>;
}

/** Time of a metric's first row, epoch seconds. */
export const START = 1_700_000_000;
export const SECONDS_PER_ROW = 60;
export const CONSUMER = 'forwarder';

/** Whatever generation there is, with nothing left out but what was before. */
export const RELEARNING: Relearning = { leaveOut: [], keepLeftOut: true, generation: null };

/** The time of a row of `samples`. */
export function timeOf(rowid: number): number {
  return START + (rowid - 1) * SECONDS_PER_ROW;
}

/** Rows `first` to `last` of a metric: the value of each is its rowid. */
export function samples(name: string, first: number, last: number): MetricSamples {
  const rowids = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return { name, timestamps: rowids.map(timeOf), values: rowids };
}

/** A request without a range: it waits for `minimumRows`. */
export function request(overrides: Partial<GenerationRequest> = {}): GenerationRequest {
  return {
    spec: '{"datasource":"custom","metricSpec":{}}',
    range: null,
    minResolution: null,
    minimumRows: 10,
    modelParams: { encoders: [{ type: 'value', resolution: 1 }], seed: 42 },
    resolutionPath: ['encoders', '0', 'resolution'],
    likelihood: {
      learningPeriod: 288,
      estimationSamples: 100,
      historicWindowSize: 8640,
      reestimationPeriod: 100,
      averagingWindow: 10,
      tail: 'one-sided',
    },
    algorithmRevision: 3,
    resource: null,
    ...overrides,
  };
}

/** What new metrics are monitored with by themselves. */
export function automatic(overrides: Partial<AutomaticRequest> = {}): AutomaticRequest {
  const { minimumRows, minResolution, modelParams, resolutionPath, likelihood, algorithmRevision } =
    request();
  return {
    minimumRows,
    minResolution,
    modelParams,
    resolutionPath,
    likelihood,
    algorithmRevision,
    ...overrides,
  };
}

/** A request that opens at once. */
export function requestWithRange(overrides: Partial<GenerationRequest> = {}): GenerationRequest {
  return request({ range: { min: 0, max: 130 }, ...overrides });
}

/** `request().modelParams` with its resolution filled in. */
export function paramsWith(resolution: number) {
  return { encoders: [{ type: 'value', resolution }], seed: 42 };
}

/** One value from each row's id, so that a wrong row shows. */
export function rawScoreOf(rowid: number): number {
  return 1 / (rowid + 1);
}
export function anomalyScoreOf(rowid: number): number {
  return 1 - 1 / (rowid + 2);
}

function rowidsBetween(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, index) => from + 1 + index);
}

/** A store with the leases taken, and short ways to what most tests begin with. */
export class StoreFixture {
  readonly under: StoreUnderTest;
  #store: Store;
  #epoch: number;

  private constructor(under: StoreUnderTest, epoch: number) {
    this.under = under;
    this.#store = under.store;
    this.#epoch = epoch;
  }

  static async create(under: StoreUnderTest): Promise<StoreFixture> {
    return new StoreFixture(under, await under.store.catalogue.takeLeases('conformance'));
  }

  get store(): Store {
    return this.#store;
  }

  /** The epoch of the leases that were taken last. */
  get epoch(): number {
    return this.#epoch;
  }

  async reopen(): Promise<void> {
    this.#store = await this.under.reopen();
  }

  async takeLeases(): Promise<number> {
    this.#epoch = await this.#store.catalogue.takeLeases('conformance');
    return this.#epoch;
  }

  async append(...batches: MetricSamples[]): Promise<AppendOutcome[]> {
    return await this.#store.log.appendSamples(batches, {});
  }

  /** A metric with rows 1 to `rows`. @returns its id. */
  async metric(name: string, rows: number): Promise<string> {
    if (rows === 0) return (await this.#store.catalogue.createMetric(name)).metricId;
    const [outcome] = await this.append(samples(name, 1, rows));
    if (outcome === undefined) throw new Error('no outcome');
    return outcome.metricId;
  }

  /** A metric with rows 1 to `rows` whose first generation is open. */
  async monitored(name: string, rows: number): Promise<string> {
    const metricId = await this.metric(name, rows);
    await this.#store.catalogue.monitor(metricId, requestWithRange());
    return metricId;
  }

  /** T1 over (from, to] of generation 1. */
  raw(metricId: string, from: number, to: number, overrides: Partial<RawScoreSlice> = {}): RawScoreSlice {
    const rowids = rowidsBetween(from, to);
    const rawScores = Float64Array.from(rowids, rawScoreOf);
    const fold = { metricId, generation: 1, epoch: this.#epoch, from, to };
    return { ...fold, rowids, rawScores, commandSequence: 0, modelBuilt: true, ...overrides };
  }

  /** T2 over (from, to] of generation 1. */
  scored(
    metricId: string,
    from: number,
    to: number,
    overrides: Partial<AnomalyScoreSlice> = {},
  ): AnomalyScoreSlice {
    const rowids = rowidsBetween(from, to);
    const anomalyScores = Float64Array.from(rowids, anomalyScoreOf);
    const displayValues = Int32Array.from(rowids, (rowid) => rowid * 10);
    const fold = { metricId, generation: 1, epoch: this.#epoch, from, to };
    return {
      ...fold,
      rowids,
      anomalyScores,
      displayValues,
      state: Uint8Array.of(1, 2, to),
      bars: Uint8Array.of(3, 4, to),
      spans: [],
      ...overrides,
    };
  }

  /** T3 from `from` to `to` of generation 1. */
  move(metricId: string, from: number, to: number, overrides: Partial<CursorMove> = {}): CursorMove {
    return { consumer: CONSUMER, metricId, generation: 1, epoch: this.#epoch, from, to, ...overrides };
  }

  /** T1 and T2 over (from, to]. */
  async score(metricId: string, from: number, to: number, generation = 1): Promise<void> {
    const raw = await this.#store.log.recordRawScores(this.raw(metricId, from, to, { generation }));
    const scored = await this.#store.log.recordAnomalyScores(this.scored(metricId, from, to, { generation }));
    if (raw.refused !== null || scored.refused !== null) throw new Error('the fixture was refused');
  }

  /** Ends monitoring and clears the results. */
  async unmonitor(metricId: string): Promise<void> {
    await this.#store.catalogue.unmonitor(metricId);
    while (await this.#store.catalogue.clearResults(metricId, 1000));
  }

  /** Closes generation 1 and opens generation 2, whose watermarks stand where those of 1 began. */
  async nextGeneration(metricId: string): Promise<void> {
    await this.unmonitor(metricId);
    await this.#store.catalogue.monitor(metricId, requestWithRange());
  }

  async data(metricId: string): Promise<DataRow[]> {
    return await this.#store.queries.readData(metricId, { limit: 10_000 });
  }

  /** Everything that can be seen of a metric: what a refused transaction must leave as it is. */
  async everything(metricId: string): Promise<unknown> {
    const { log, catalogue } = this.#store;
    return {
      metric: await catalogue.getMetric(metricId),
      model: await log.modelTask(metricId),
      anomaly: await log.anomalyTask(metricId),
      cursor: await log.cursor(CONSUMER, metricId),
      rows: await log.readRows(metricId, 0, 2 ** 31 - 1, 10_000),
      data: await this.data(metricId),
    };
  }
}

/** Checks that a transaction is refused for this reason and leaves no trace. */
export async function expectRefused(
  fixture: StoreFixture,
  metricId: string,
  fold: () => Promise<FoldOutcome>,
  refused: NonNullable<FoldOutcome['refused']>,
): Promise<void> {
  const before = await fixture.everything(metricId);
  expect(await fold()).toEqual({ refused });
  expect(await fixture.everything(metricId)).toEqual(before);
}
