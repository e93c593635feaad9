import { Worker } from 'node:worker_threads';
import { HtmEngineError } from '../../errors.ts';
import type { CheckpointStore } from '../../checkpoints/checkpoint-store.ts';
import { workerFile } from '../../worker-file.ts';
import type { Catalogue } from '../catalogue.ts';
import type { Incidents } from '../incidents.ts';
import type { Leases } from '../leases.ts';
import type { Log } from '../log.ts';
import type { Outbox } from '../outbox.ts';
import type { Queries } from '../queries.ts';
import type { Retention } from '../retention.ts';
import type { Store } from '../store.ts';
import type { Transfer } from '../transfer.ts';
import type { SqliteOptions } from './database.ts';
import { buffersOf, OPENED, receiveError, type Area, type Reply, type Request } from './protocol.ts';

export interface SqliteStoreOptions {
  /** The database file; it is created if need be, its directory is not. */
  readonly path: string;
  /** How long a statement waits for a database that another program has locked. */
  readonly busyTimeoutMs: number;
  /** Memory for pages of the database. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Told once if the store's thread dies; every call fails from then on. */
  readonly onFailure?: (error: HtmEngineError) => void;
}

const DEFAULT_CACHE_BYTES = 64 * 2 ** 20;
/** Calls that may wait for the thread. Each caller has a bound of its own; this one ends a runaway. */
const MAX_PENDING_CALLS = 10_000;

/**
 * Opens the SQLite database at `path`, in a thread of its own.
 * @throws HtmEngineError `store_locked`, `store_newer`, `data_directory_unwritable`, `store_unavailable`
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, busyTimeoutMs, cacheBytes = DEFAULT_CACHE_BYTES, onFailure } = options;
  const workerData: SqliteOptions = { path, busyTimeoutMs, cacheBytes };
  const thread = new StoreThread(
    new Worker(workerFile(import.meta.url, 'sqlite-thread'), { workerData, name: 'sqlite' }),
    onFailure,
  );
  await thread.open();
  return {
    log: remote<Log>(thread, 'log', {
      appendSamples: true,
      readRows: true,
      modelTask: true,
      recordRawScores: true,
      failModel: true,
      modelsWithWork: true,
      anomalyTask: true,
      recordAnomalyScores: true,
      metricsToScore: true,
      cursor: true,
      readScoredRows: true,
      advanceCursor: true,
      metricsToPublish: true,
    }),
    catalogue: remote<Catalogue>(thread, 'catalogue', {
      partitions: true,
      repartition: true,
      createMetric: true,
      getMetric: true,
      findMetric: true,
      renameMetric: true,
      monitor: true,
      activate: true,
      metricsToActivate: true,
      unmonitor: true,
      retry: true,
      skipRow: true,
      changeModel: true,
      relearn: true,
      beginCopy: true,
      copyRows: true,
      finishCopy: true,
      abandonCopies: true,
      clearResults: true,
      metricsToClear: true,
      discardMetric: true,
      removeDiscarded: true,
      takeLeases: true,
    }),
    leases: remote<Leases>(thread, 'leases', {
      checkServable: true,
      look: true,
      renew: true,
      acquire: true,
      release: true,
      leave: true,
    }),
    queries: remote<Queries>(thread, 'queries', {
      listMetrics: true,
      describeMetric: true,
      describeModel: true,
      recentScores: true,
      readData: true,
      readBuckets: true,
      anomalyBars: true,
      totals: true,
    }),
    incidents: remote<Incidents>(thread, 'incidents', {
      spans: true,
      span: true,
      acknowledge: true,
      addMute: true,
      mutes: true,
      removeMute: true,
      addUsual: true,
      usualPatterns: true,
      removeUsual: true,
    }),
    checkpoints: remote<CheckpointStore>(thread, 'checkpoints', {
      put: true,
      list: true,
      get: true,
      delete: true,
      deleteAll: true,
      size: true,
      metricIds: true,
    }),
    outbox: remote<Outbox>(thread, 'outbox', {
      startKeeping: true,
      stopKeeping: true,
      read: true,
      remove: true,
    }),
    transfer: remote<Transfer>(thread, 'transfer', {
      describe: true,
      metrics: true,
      rows: true,
      begin: true,
      addMetric: true,
      addRows: true,
      finish: true,
    }),
    retention: remote<Retention>(thread, 'retention', {
      listRetained: true,
      purgeRows: true,
      deleteRows: true,
      setMaxAge: true,
      maxAge: true,
    }),
    ping: async () => {
      await thread.call({ area: 'store', method: 'ping', args: [] });
    },
    close: () => thread.close(),
  };
}

/** An object whose methods are calls to the thread. The record makes the compiler ask for every one of them. */
function remote<T extends object>(
  thread: StoreThread,
  area: Area,
  methods: Record<keyof T & string, true>,
): T {
  const calls = Object.keys(methods).map((method) => [
    method,
    (...args: readonly unknown[]) => thread.call({ area, method, args }),
  ]);
  return Object.fromEntries(calls) as T;
}

type Call = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** The caller's end of the thread: numbers calls, matches replies, and knows when no more will come. */
class StoreThread {
  readonly #worker: Worker;
  readonly #onFailure: ((error: HtmEngineError) => void) | undefined;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited: Promise<void>;
  readonly #opened: Promise<unknown>;
  #state: 'opening' | 'open' | 'closing' = 'opening';
  #lastId = OPENED;
  #failure: HtmEngineError | undefined;
  #closing: Promise<void> | undefined;

  constructor(worker: Worker, onFailure: ((error: HtmEngineError) => void) | undefined) {
    this.#worker = worker;
    this.#onFailure = onFailure;
    this.#opened = this.#expectReply(OPENED);
    worker.on('message', (reply: Reply) => this.#receive(reply));
    worker.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error)));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.#fail(`its thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /** Resolves when the database is open. */
  async open(): Promise<void> {
    await this.#opened;
    this.#state = 'open';
  }

  call(call: Call): Promise<unknown> {
    if (this.#state === 'closing') {
      return Promise.reject(new HtmEngineError('stopped', 'the store is closed'));
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#pending.size >= MAX_PENDING_CALLS) {
      return Promise.reject(
        new HtmEngineError('store_unavailable', `${MAX_PENDING_CALLS} calls wait for the database already`),
      );
    }
    return this.#send(call);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    if (this.#failure === undefined) await this.#send({ area: 'store', method: 'close', args: [] });
    await this.#exited;
  }

  #send({ area, method, args }: Call): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    // A typed array is copied here and the copy moved: it may be a window into a larger buffer, or shared memory.
    const copies = args.map(copyArrays);
    this.#worker.postMessage({ id, area, method, args: copies }, copies.flatMap(buffersOf));
    return this.#expectReply(id);
  }

  #expectReply(id: number): Promise<unknown> {
    const pending = Promise.withResolvers<unknown>();
    this.#pending.set(id, pending);
    return pending.promise;
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.error === undefined) pending?.resolve(reply.value);
    else pending?.reject(receiveError(reply.error));
  }

  #fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new HtmEngineError(
      'store_unavailable',
      `the store has failed (${reason}): the engine must be started again`,
    );
    if (this.#state === 'open') this.#onFailure?.(this.#failure);
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}

function copyArrays(argument: unknown): unknown {
  if (isTypedArray(argument)) return copyOf(argument);
  if (typeof argument !== 'object' || argument === null || Array.isArray(argument)) return argument;
  return Object.fromEntries(
    Object.entries(argument).map(([key, field]) => [key, isTypedArray(field) ? copyOf(field) : field]),
  );
}

/** The `slice` of a Buffer would not copy. */
function copyOf(array: Int32Array | Float64Array | Uint8Array): Int32Array | Float64Array | Uint8Array {
  return array instanceof Uint8Array ? new Uint8Array(array) : array.slice();
}

function isTypedArray(value: unknown): value is Int32Array | Float64Array | Uint8Array {
  return value instanceof Int32Array || value instanceof Float64Array || value instanceof Uint8Array;
}
