import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Gauge } from 'prom-client';
import type { Telemetry } from './telemetry.ts';

/** What an engine keeps on this machine's disk, in bytes. */
export interface DiskUsage {
  /** The database with its log; 0 where it is on a server. */
  readonly databaseBytes: number;
  /** Saved models that are files; 0 where they are rows. */
  readonly checkpointBytes: number;
  /** What this user may still write on that file system. */
  readonly freeBytes: number;
}

export interface DiskWatchOptions {
  readonly dataDirectory: string;
  /** What database and saved models may take together; 0 for no budget. */
  readonly budgetBytes: number;
  readonly intervalMs: number;
  /** Files of saved models below the data directory. */
  readonly checkpointFiles: () => Promise<readonly { readonly path: string }[]>;
  readonly databaseFile: string;
  readonly telemetry: Telemetry;
}

/** SQLite's files beside the database: its log and that log's index. */
const DATABASE_FILES = ['', '-wal', '-shm'];

/**
 * Looks now and then at what the engine takes on the disk, and says when that is more than its budget. Nothing is thrown
 * away for it: what was accepted is kept, and only whoever set the budget can say what may go (`retention`).
 */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #usage: DiskUsage | null = null;
  #watching: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
    const { log, registry } = options.telemetry;
    this.#log = log.child({ stage: 'disk' });
    const usage = () => this.#usage;
    new Gauge({
      registers: [registry],
      name: 'htmengine_disk_bytes',
      help: 'What the engine takes on the disk, when it was last looked at: the database with its log, and saved models that are files',
      labelNames: ['kind'],
      collect() {
        const measured = usage();
        if (measured === null) return;
        this.set({ kind: 'database' }, measured.databaseBytes);
        this.set({ kind: 'checkpoints' }, measured.checkpointBytes);
      },
    });
    new Gauge({
      registers: [registry],
      name: 'htmengine_disk_free_bytes',
      help: 'What may still be written where the data directory is, when it was last looked at',
      collect() {
        const measured = usage();
        if (measured !== null) this.set(measured.freeBytes);
      },
    });
    new Gauge({
      registers: [registry],
      name: 'htmengine_disk_budget_bytes',
      help: 'What the engine may take on the disk by its settings; 0 for no budget',
    }).set(options.budgetBytes);
  }

  start(): void {
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  /** As it was when last looked at; null before the first time. */
  get usage(): DiskUsage | null {
    return this.#usage;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        this.#usage = await measure(this.#options, signal);
        this.#tell(this.#usage);
      } catch (error) {
        if (!isAbort(error))
          this.#log.warn({ event: 'disk.unreadable', err: error }, 'what is on the disk cannot be measured');
      }
      await delay(this.#options.intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Once when the budget is passed, once when it is kept again. */
  #tell(usage: DiskUsage): void {
    const { budgetBytes } = this.#options;
    const isOver = budgetBytes > 0 && usage.databaseBytes + usage.checkpointBytes > budgetBytes;
    if (isOver === this.#isOver) return;
    this.#isOver = isOver;
    if (isOver)
      this.#log.warn(
        { event: 'disk.budget_exceeded', ...usage, budgetBytes },
        'the engine takes more of the disk than its budget; nothing is thrown away for that',
      );
    else this.#log.info({ event: 'disk.budget_kept', ...usage, budgetBytes }, 'within the disk budget again');
  }
}

async function measure(options: DiskWatchOptions, signal: AbortSignal): Promise<DiskUsage> {
  const { dataDirectory, databaseFile } = options;
  let databaseBytes = 0;
  for (const suffix of DATABASE_FILES) databaseBytes += await sizeOf(databaseFile + suffix);
  let checkpointBytes = 0;
  for (const { path } of await options.checkpointFiles()) {
    signal.throwIfAborted();
    checkpointBytes += await sizeOf(join(dataDirectory, path));
  }
  const { bavail, bsize } = await statfs(dataDirectory);
  return { databaseBytes, checkpointBytes, freeBytes: bavail * bsize };
}

/** 0 for a file that is not there, or not any more. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
