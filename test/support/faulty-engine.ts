import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigInput } from '../../src/config.ts';
import type { Result } from '../../src/metric.ts';
import { EngineProcess, type MetricJson, type RowJson } from './engine-process.ts';

const PROGRAM = join(import.meta.dirname, 'recording-engine.ts');

/** What an engine counted, over all its lives. */
export interface Counted {
  /** Rows that models ran through again. */
  readonly replayed: number;
  /** Checkpoints that were found damaged. */
  readonly unusable: number;
  /** Transactions that the database did not take. */
  readonly refused: number;
  /** Checkpoints that could not be read or written, and transactions of the scheduler among the above. */
  readonly failed: number;
  /** Replayed rows that gave another score: never. */
  readonly mismatches: number;
}

const COUNTERS: Readonly<Record<keyof Counted, readonly string[]>> = {
  replayed: ['htmengine_scheduler_replayed_rows_total'],
  unusable: ['htmengine_scheduler_checkpoints_unusable_total'],
  refused: ['htmengine_store_unavailable_total'],
  failed: ['htmengine_scheduler_store_faults_total', 'htmengine_scheduler_checkpoint_failures_total'],
  mismatches: ['htmengine_scheduler_determinism_mismatches_total'],
};
const NOTHING: Counted = { replayed: 0, unusable: 0, refused: 0, failed: 0, mismatches: 0 };

/** An engine in a process of its own that lives again and again on one data directory, and what a lasting consumer of it got. */
export class FaultyEngine {
  readonly dataDirectory: string;
  /** Whose rights the process has; this one's if undefined. */
  readonly uid: number | undefined;
  readonly #resultsDirectory: string;
  readonly #settings: ConfigInput;
  #engine: EngineProcess | null = null;
  #lives = 0;
  /** Of the lives before this one. */
  #counted = NOTHING;

  constructor(
    dataDirectory: string,
    resultsDirectory: string,
    settings: ConfigInput,
    uid: number | undefined,
  ) {
    this.dataDirectory = dataDirectory;
    this.uid = uid;
    this.#resultsDirectory = resultsDirectory;
    this.#settings = settings;
  }

  /** The running process. @throws Error while there is none */
  get process(): EngineProcess {
    if (this.#engine === null) throw new Error('the engine does not run');
    return this.#engine;
  }

  /** Where it takes samples; null while it does not run. */
  get port(): number | null {
    return this.#engine?.graphitePort ?? null;
  }

  async start(): Promise<void> {
    const file = join(this.#resultsDirectory, `${++this.#lives}.ndjson`);
    this.#engine = await EngineProcess.start(this.dataDirectory, this.#settings, [], {
      program: PROGRAM,
      env: { RESULTS_FILE: file },
      ...(this.uid !== undefined && { uid: this.uid }),
    });
  }

  /** Ends the process. What it has counted stays counted. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const counted = await this.counted();
    const { process } = this;
    this.#engine = null;
    this.#counted = counted;
    await process.end(signal);
  }

  /** Ends it, whatever state it is in. */
  async dispose(): Promise<void> {
    await this.#engine?.end('SIGKILL');
    this.#engine = null;
  }

  /** The metrics by name; null while nobody answers. */
  async look(): Promise<ReadonlyMap<string, MetricJson> | null> {
    try {
      return new Map((await this.process.metrics()).map((metric) => [metric.name, metric]));
    } catch {
      return null;
    }
  }

  /** Over all lives. */
  async counted(): Promise<Counted> {
    const { text } = await this.process.request('GET', '/metrics');
    const lines = text.split('\n');
    const value = (name: string) =>
      lines
        .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    const added = Object.entries(COUNTERS).map(([what, names]) => [
      what,
      names.reduce((sum, name) => sum + value(name), this.#counted[what as keyof Counted]),
    ]);
    return Object.fromEntries(added) as Counted;
  }

  /** The status of /readyz: 503 while the engine cannot keep what it is given. */
  async readiness(): Promise<number> {
    return (await this.process.request('GET', '/readyz')).status;
  }

  rows(name: string): Promise<RowJson[]> {
    return this.process.rows(name);
  }

  /** Waits until the consumer has got so many results, each of which may have come more than once. */
  async results(count: number, timeoutMs: number): Promise<RecordedResults> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = await readResults(this.#resultsDirectory);
      if (found.results.size >= count) return found;
      if (Date.now() > deadline) throw new Error(`only ${found.results.size} of ${count} results came`);
      await delay(1000);
    }
  }
}

export interface RecordedResults {
  /** By metric, generation and row; all of it but the id, which is another in each installation. */
  readonly results: ReadonlyMap<string, string>;
  /** How many came again. */
  readonly repeated: number;
}

/** @throws Error if a result came again with another content */
async function readResults(directory: string): Promise<RecordedResults> {
  const results = new Map<string, string>();
  let repeated = 0;
  for (const file of await readdir(directory)) {
    const text = await readFile(join(directory, file), 'utf8');
    // What was cut off by a kill is delivered again.
    for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
      if (line === '') continue;
      const result = JSON.parse(line) as Result;
      const key = `${result.name} ${result.generation} ${result.rowid}`;
      const content = JSON.stringify({ ...result, metricId: '' });
      const before = results.get(key);
      if (before !== undefined) repeated++;
      if (before !== undefined && before !== content)
        throw new Error(`a result came again as another: ${before} and ${content}`);
      results.set(key, content);
    }
  }
  return { results, repeated };
}
