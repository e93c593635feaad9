import type { ConfigInput } from '../../src/config.ts';
import { EngineProcess, type MetricJson, type RowJson, temporaryDirectory, until } from './engine-process.ts';
import { acceptedRows, type Series } from './nab.ts';
import { graphiteLines, sendAll, connectTo } from './sender.ts';
import { seededRandom } from './series.ts';

/** How a set of series is put through an engine. */
export interface RunOptions {
  readonly series: readonly Series[];
  readonly settings?: ConfigInput;
  /** Each metric is monitored after its last row or before its first. */
  readonly monitor: 'afterLastRow' | 'beforeFirstRow';
  /** The range that a metric is monitored with; without it, and where it gives null, that of its rows. */
  readonly rangeOf?: (series: Series) => { readonly min: number; readonly max: number } | null;
  /** How many times the engine is killed (SIGKILL), each time while rows wait to be scored. */
  readonly kills?: number;
  readonly seed?: number;
  /** All lines of a metric in one burst, or each in a packet of its own. */
  readonly delivery?: 'burst' | 'lineByLine';
  readonly timeoutMs?: number;
}

export interface RunOutcome {
  /** Rows with their scores, by metric name. */
  readonly rows: ReadonlyMap<string, RowJson[]>;
  readonly metrics: readonly MetricJson[];
  readonly kills: readonly KillRecord[];
  /** Samples refused as duplicate or older in the last life of the engine. */
  readonly refused: number;
}

export interface KillRecord {
  /** Rows that had a score, of all. */
  readonly scored: number;
  readonly pending: number;
  /** Rows that the next life ran through models again to get from checkpoints to watermarks. */
  replayed: number;
}

const SENDERS = 4;

/** Sends, monitors, kills and restarts as asked, and resolves once every row of every series is scored. */
export async function runPipeline(options: RunOptions): Promise<RunOutcome> {
  const directory = await temporaryDirectory();
  const run = new PipelineRun(options, directory.path);
  try {
    return await run.execute();
  } finally {
    await run.close();
    await directory.remove();
  }
}

class PipelineRun {
  readonly #options: RunOptions;
  readonly #directory: string;
  readonly #totalRows: number;
  readonly #kills: KillRecord[] = [];
  #engine: Promise<EngineProcess> | undefined;
  #finished = false;

  constructor(options: RunOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.#totalRows = options.series.reduce((sum, series) => sum + acceptedRows(series).length, 0);
  }

  async execute(): Promise<RunOutcome> {
    const { series, monitor } = this.#options;
    this.#engine = EngineProcess.start(this.#directory, this.#options.settings);
    if (monitor === 'beforeFirstRow') for (const one of series) await this.#monitor(one);
    const waiting = [...series];
    const senders = Array.from({ length: SENDERS }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await this.#deliver(next);
    });
    const killer = this.#killAtRandomMoments();
    const work = Promise.all(senders).then(() => this.#allScored());
    // Whichever fails first ends the run; the other notices by the flag.
    await Promise.all([work.finally(() => (this.#finished = true)), killer]);
    return this.#outcome();
  }

  async close(): Promise<void> {
    this.#finished = true;
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.end('SIGKILL');
  }

  /** Sends a series until its last row is stored, after each cut again from the last stored row on. */
  async #deliver(series: Series): Promise<void> {
    const last = acceptedRows(series).at(-1)?.timestamp ?? null;
    for (;;) {
      try {
        const engine = await this.#engine;
        if (engine === undefined) throw new Error('not started');
        const stored = (await engine.metric(series.name))?.lastTimestamp ?? null;
        if (stored === last) break;
        const from = stored === null ? 0 : series.timestamps.indexOf(stored) + 1;
        await this.#send(engine, graphiteLines(series, from));
      } catch (error) {
        if (this.#finished) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    if (this.#options.monitor === 'afterLastRow') await this.#monitor(series);
  }

  async #send(engine: EngineProcess, lines: readonly string[]): Promise<void> {
    if (this.#options.delivery !== 'lineByLine') return sendAll(engine.graphitePort, lines.join(''));
    const socket = await connectTo(engine.graphitePort);
    socket.resume();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => socket.destroy());
    for (const line of lines) {
      if (socket.destroyed) break;
      socket.write(line);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    await closed;
  }

  async #monitor(series: Series): Promise<void> {
    const { name } = series;
    const body = JSON.stringify(this.#options.rangeOf?.(series) ?? {});
    await until(
      `${name} to be monitored`,
      async () => {
        try {
          const engine = await this.#engine;
          const status = (await engine?.request('PUT', `/${encodeURIComponent(name)}`, body))?.status;
          return status === 201 || status === 409;
        } catch {
          return false; // the engine was killed under the request: ask its next life
        }
      },
      this.#timeoutMs,
    );
  }

  async #allScored(): Promise<void> {
    const { series } = this.#options;
    await until(
      'every row to be scored',
      async () => {
        const metrics = await this.#look();
        if (metrics === null) return false;
        const failed = metrics.find(({ state }) => state === 'ERROR');
        if (failed !== undefined) throw new Error(`${failed.name} is in ERROR: ${String(failed.message)}`);
        return metrics.length === series.length && scoredOf(metrics) === this.#totalRows;
      },
      this.#timeoutMs,
    );
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 600_000;
  }

  async #look(): Promise<MetricJson[] | null> {
    try {
      return (await (await this.#engine)?.metrics()) ?? null;
    } catch {
      return null;
    }
  }

  async #killAtRandomMoments(): Promise<void> {
    const { kills = 0, seed = 1 } = this.#options;
    const random = seededRandom(seed);
    // Spread over the run: each kill comes at a random point of its own share of the rows.
    const moments = Array.from(
      { length: kills },
      (_, i) => ((i + random()) / kills) * 0.95 * this.#totalRows,
    );
    for (const moment of moments) {
      for (;;) {
        if (this.#finished)
          throw new Error(`only ${this.#kills.length} of ${kills} kills found rows waiting`);
        const metrics = await this.#look();
        const scored = metrics === null ? -1 : scoredOf(metrics);
        const pending = metrics === null ? 0 : metrics.reduce((sum, { rows }) => sum + rows, 0) - scored;
        if (scored >= moment && pending > 0) {
          await this.#killNow(scored, pending);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  async #killNow(scored: number, pending: number): Promise<void> {
    const engine = await this.#engine;
    if (engine === undefined) return;
    await this.#noteReplayed(engine);
    this.#kills.push({ scored, pending, replayed: 0 });
    await engine.end('SIGKILL');
    this.#engine = EngineProcess.start(this.#directory, this.#options.settings);
    await this.#engine;
  }

  /** A life's replayed rows belong to the kill before it. */
  async #noteReplayed(engine: EngineProcess): Promise<void> {
    const before = this.#kills.at(-1);
    if (before !== undefined)
      before.replayed = await engine.counter('htmengine_scheduler_replayed_rows_total');
  }

  async #outcome(): Promise<RunOutcome> {
    const engine = await this.#engine;
    if (engine === undefined) throw new Error('not started');
    await this.#noteReplayed(engine);
    const rows = new Map<string, RowJson[]>();
    for (const { name } of this.#options.series) rows.set(name, await engine.rows(name));
    const refused =
      (await engine.counter('htmengine_refused_samples_total', 'reason="duplicate"')) +
      (await engine.counter('htmengine_refused_samples_total', 'reason="older"'));
    return { rows, metrics: await engine.metrics(), kills: this.#kills, refused };
  }
}

function scoredOf(metrics: readonly MetricJson[]): number {
  return metrics.reduce((sum, { scoredRows }) => sum + scoredRows, 0);
}

/** The first difference between two runs' rows and scores, compared by metric name and bit for bit, or null. */
export function firstDifference(a: RunOutcome['rows'], b: RunOutcome['rows']): string | null {
  if (a.size !== b.size) return `${a.size} and ${b.size} metrics`;
  for (const [name, rows] of a) {
    const others = b.get(name) ?? [];
    if (rows.length !== others.length) return `${name}: ${rows.length} and ${others.length} rows`;
    const index = rows.findIndex((row, i) => {
      const other = others[i];
      return (
        other === undefined ||
        row.rowid !== other.rowid ||
        row.timestamp !== other.timestamp ||
        !Object.is(row.value, other.value) ||
        !Object.is(row.rawAnomalyScore, other.rawAnomalyScore) ||
        !Object.is(row.anomalyScore, other.anomalyScore) ||
        row.displayValue !== other.displayValue
      );
    });
    if (index >= 0) return `${name}: ${JSON.stringify(rows[index])} and ${JSON.stringify(others[index])}`;
  }
  return null;
}
