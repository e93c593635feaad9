import type { Fold, FoldOutcome, Log } from '../src/store/log.ts';
import type { Store } from '../src/store/store.ts';
import { request } from '../test/conformance/store/fixture.ts';
import { makeTarget, type StoreKind, type Target } from './store-targets.ts';

const OPENS_AT_ONCE = request({ range: { min: 0, max: 100 }, minimumRows: 1 });

/** The transactions a row goes through: stored, scored raw, scored, published. */
export const TRANSACTIONS = ['T0', 'T1', 'T2', 'T3'] as const;
export type Transaction = (typeof TRANSACTIONS)[number];

/** So many metrics get so many rows each, in one T0; then each metric's T1, T2 and T3 follow. */
export interface StoreShape {
  readonly metrics: number;
  readonly rows: number;
}

/** What one transaction costs in one shape on one store. */
export interface StoreFinding extends StoreShape {
  readonly store: StoreKind;
  readonly version: string;
  readonly transaction: Transaction;
  readonly rowsPerSecond: number;
  readonly roundTripsPerRow: number;
  readonly bytesPerRow: number;
}

/** How a store is measured. */
export interface StoreOrder {
  readonly shape: StoreShape;
  /** T1 to T3 of so many metrics at the same time. */
  readonly inFlight: number;
  /** For how long rounds are begun, one at least. */
  readonly seconds: number;
  /** Where SQLite's database is put. */
  readonly directory: string;
}

/** Rounds in which round trips and bytes are counted: they do not vary from round to round by much. */
const COUNTED_ROUNDS = 2;
const FIRST_TIMESTAMP = 1_600_000_000;
/** As large as the likelihood's state is. */
const STATE = new Uint8Array(150).fill(7);
/** As long as the bars of anomaly. */
const BARS = new Uint8Array(233).fill(7);

/**
 * Measures an empty store of a kind: how fast in rounds of their own, what goes over the wire in others, since counting
 * takes time. @throws Error if a row is not stored, or a transaction is refused
 */
export async function measureStore(store: StoreKind, order: StoreOrder): Promise<StoreFinding[]> {
  const timed = await withTarget(store, order, false, async (rounds) => {
    const started = performance.now();
    do await rounds.run();
    while (performance.now() - started < 1000 * order.seconds);
  });
  const counted = await withTarget(store, order, true, async (rounds) => {
    for (let round = 0; round < COUNTED_ROUNDS; round++) await rounds.run();
  });
  return TRANSACTIONS.map((transaction) => ({
    ...order.shape,
    store,
    version: timed.version,
    transaction,
    rowsPerSecond: (1000 * timed.rows) / timed.costs[transaction].ms,
    roundTripsPerRow: counted.costs[transaction].roundTrips / counted.rows,
    bytesPerRow: counted.costs[transaction].bytes / counted.rows,
  }));
}

async function withTarget(
  kind: StoreKind,
  order: StoreOrder,
  isCounted: boolean,
  measure: (rounds: Rounds) => Promise<void>,
): Promise<Rounds & { version: string }> {
  const target = await makeTarget(kind, order.directory, isCounted);
  try {
    const rounds = await Rounds.prepare(target, order);
    await measure(rounds);
    return Object.assign(rounds, { version: target.version });
  } finally {
    await target.remove();
  }
}

interface Cost {
  ms: number;
  roundTrips: number;
  bytes: number;
}

/** Gives every metric its next rows and takes them through all transactions, again and again. */
class Rounds {
  readonly #target: Target;
  readonly #order: StoreOrder;
  readonly #epoch: number;
  readonly #metricIds: string[] = [];
  /** Rows of each metric so far. */
  #last = 0;
  #costs = noCosts();
  #rows = 0;

  private constructor(target: Target, order: StoreOrder, epoch: number) {
    this.#target = target;
    this.#order = order;
    this.#epoch = epoch;
  }

  /** Metrics that are monitored, and one round that does not count: all connections are open then, all statements known. */
  static async prepare(target: Target, order: StoreOrder): Promise<Rounds> {
    const rounds = new Rounds(target, order, await target.store.catalogue.takeLeases('bench'));
    for (let metric = 0; metric < order.shape.metrics; metric++) {
      rounds.#metricIds.push(await createMonitored(target.store, nameOf(metric)));
    }
    await rounds.run();
    rounds.#costs = noCosts();
    rounds.#rows = 0;
    return rounds;
  }

  get costs(): Readonly<Record<Transaction, Readonly<Cost>>> {
    return this.#costs;
  }

  /** How many rows went through all transactions. */
  get rows(): number {
    return this.#rows;
  }

  async run(): Promise<void> {
    const { log } = this.#target.store;
    const { shape, inFlight } = this.#order;
    const from = this.#last;
    const rowids = Int32Array.from({ length: shape.rows }, (_, row) => from + 1 + row);
    await this.#measure('T0', () => this.#append(log, rowids));
    for (const transaction of ['T1', 'T2', 'T3'] as const) {
      await this.#measure(transaction, () =>
        eachOf(this.#metricIds, inFlight, async (metricId) => {
          const fold = { metricId, generation: 1, epoch: this.#epoch, from, to: from + shape.rows };
          const { refused } = await record(log, transaction, fold, rowids);
          if (refused !== null) throw new Error(`${transaction} was refused: ${refused}`);
        }),
      );
    }
    this.#last += shape.rows;
    this.#rows += shape.rows * shape.metrics;
  }

  async #append(log: Log, rowids: Int32Array): Promise<void> {
    const timestamps = Array.from(rowids, (rowid) => FIRST_TIMESTAMP + 60 * rowid);
    const batches = this.#metricIds.map((_id, metric) => ({
      name: nameOf(metric),
      timestamps,
      values: Array.from(rowids, (rowid) => ((rowid * 37 + metric) % 1000) / 10),
    }));
    const outcomes = await log.appendSamples(batches, {});
    const last = rowids.at(-1);
    if (outcomes.some(({ lastRowid }) => lastRowid !== last)) throw new Error('rows are missing');
  }

  async #measure(transaction: Transaction, work: () => Promise<void>): Promise<void> {
    const before = this.#target.traffic();
    const started = performance.now();
    await work();
    const cost = this.#costs[transaction];
    cost.ms += performance.now() - started;
    const after = this.#target.traffic();
    cost.roundTrips += after.roundTrips - before.roundTrips;
    cost.bytes += after.bytes - before.bytes;
  }
}

function record(
  log: Log,
  transaction: 'T1' | 'T2' | 'T3',
  fold: Fold,
  rowids: Int32Array,
): Promise<FoldOutcome> {
  const scores = Float64Array.from(rowids, (rowid) => 1 / (rowid + 1));
  if (transaction === 'T1')
    return log.recordRawScores({ ...fold, rowids, rawScores: scores, commandSequence: 0, modelBuilt: true });
  if (transaction === 'T2') {
    const displayValues = Int32Array.from(rowids, () => 12);
    return log.recordAnomalyScores({
      ...fold,
      rowids,
      anomalyScores: scores,
      displayValues,
      state: STATE.slice(),
      bars: BARS.slice(),
      spans: [],
    });
  }
  return log.advanceCursor({ ...fold, consumer: 'bench' });
}

/** Works on all of them, `inFlight` at the same time. */
async function eachOf<T>(items: readonly T[], inFlight: number, work: (item: T) => Promise<void>) {
  const left = items.values();
  const workers = Array.from({ length: inFlight }, async () => {
    for (const item of left) await work(item);
  });
  await Promise.all(workers);
}

async function createMonitored(store: Store, name: string): Promise<string> {
  const { metricId } = await store.catalogue.createMetric(name);
  await store.catalogue.monitor(metricId, OPENS_AT_ONCE);
  return metricId;
}

function nameOf(metric: number): string {
  return `bench.host${String(metric).padStart(5, '0')}.cpu.user`;
}

function noCosts(): Record<Transaction, Cost> {
  const cost = () => ({ ms: 0, roundTrips: 0, bytes: 0 });
  return { T0: cost(), T1: cost(), T2: cost(), T3: cost() };
}
