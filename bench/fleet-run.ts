import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../src/config.ts';
import { EngineProcess } from '../test/support/engine-process.ts';
import { cpuByPart, type Observation, observe, pidOf, type PartSeconds } from './fleet-cost.ts';
import { importHistory } from './fleet-import.ts';
import type { FleetInstallation } from './fleet-installation.ts';
import { FleetTraffic } from './fleet-traffic.ts';
import { residentBytes } from './proc.ts';

export interface FleetLoad {
  readonly intervalSeconds: number;
  readonly budgetBytes: number;
  readonly minutes: number;
  /** New metrics whose week of history is imported and learned meanwhile; samples are sent until it is. */
  readonly importedMetrics: number;
  /** How long a sample may wait for others of its metric while memory is short. */
  readonly gatherMs: number;
}

/** What one run found. */
export interface FleetFinding extends FleetLoad {
  readonly models: number;
  readonly medianCheckpointBytes: number;
  readonly seconds: number;
  readonly sent: number;
  /** Without what is imported. */
  readonly stored: number;
  readonly scored: number;
  /** Rows of imported metrics that were scored. */
  readonly importedRows: number;
  /** Of every sample that was sent and scored, until that was heard here: from outside. */
  readonly lag: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  /** Of the whole process, every ten seconds, and the most of all seconds. */
  readonly residentMib: readonly number[];
  readonly residentMaxMib: number;
  readonly cpuSeconds: PartSeconds;
  readonly swapIns: number;
  readonly replayedRows: number;
  readonly checkpointWrites: number;
  readonly diskReadBytes: number;
  readonly diskWrittenBytes: number;
}

/** What is still not scored so long after the last sample counts as not scored. */
const DRAIN_SECONDS = 60;

/** Lets an engine run an installation under a load. */
export async function runFleet(installation: FleetInstallation, load: FleetLoad): Promise<FleetFinding> {
  const settings: ConfigInput = {
    log: { level: 'warn' },
    scheduler: { memoryBudgetBytes: load.budgetBytes, maxGatherMs: load.gatherMs },
    monitoring: { auto: load.importedMetrics > 0 },
  };
  const engine = await EngineProcess.start(installation.directory, settings);
  try {
    return await measure(engine, installation, load);
  } finally {
    await engine.end('SIGTERM');
    if (engine.output.includes('"level":')) process.stderr.write(engine.output.slice(-4000));
  }
}

async function measure(
  engine: EngineProcess,
  { metrics, medianCheckpointBytes }: FleetInstallation,
  load: FleetLoad,
): Promise<FleetFinding> {
  const traffic = new FleetTraffic(metrics, load.intervalSeconds, engine);
  await traffic.open();
  const resident = new ResidentWatch(pidOf(engine));
  const started = performance.now();
  const before = await observe(engine);
  const importing = new Importing(engine, load.importedMetrics);
  await traffic.send((seconds) => seconds >= 60 * load.minutes && importing.isOver);
  const importedRows = await importing.end();
  await traffic.drain(DRAIN_SECONDS);
  const after = await observe(engine);
  const seconds = (performance.now() - started) / 1000;
  await resident.end();
  await traffic.close();
  const lag = traffic.lagMs.toSorted((a, b) => a - b);
  return {
    ...load,
    models: metrics.length,
    medianCheckpointBytes,
    seconds,
    sent: traffic.sent,
    importedRows,
    lag: { p50Ms: quantile(lag, 0.5), p99Ms: quantile(lag, 0.99), maxMs: quantile(lag, 1) },
    residentMib: resident.everyTenSeconds,
    residentMaxMib: resident.max,
    ...costs(before, after, importedRows),
  };
}

function costs(before: Observation, after: Observation, importedRows: number) {
  const rise = (name: string) => (after.counters.get(name) ?? 0) - (before.counters.get(name) ?? 0);
  return {
    stored: rise('htmengine_storer_samples_total') - importedRows,
    scored: rise('htmengine_anomaly_rows_total') - importedRows,
    cpuSeconds: cpuByPart(before, after),
    swapIns: rise('htmengine_scheduler_swap_ins_total'),
    replayedRows: rise('htmengine_scheduler_replayed_rows_total'),
    checkpointWrites: rise('htmengine_scheduler_checkpoint_writes_total'),
    diskReadBytes: after.io.read - before.io.read,
    diskWrittenBytes: after.io.written - before.io.written,
  };
}

/** An import beside the live samples, if there is one. */
class Importing {
  isOver = false;
  readonly #rows: Promise<number>;

  constructor(engine: EngineProcess, metrics: number) {
    this.#rows = importHistory(engine, metrics).finally(() => (this.isOver = true));
    // Whoever waits for the end is told.
    this.#rows.catch(() => undefined);
  }

  /** @returns the rows that were scored */
  end(): Promise<number> {
    return this.#rows;
  }
}

/** Looks at the resident memory of a process every second. */
class ResidentWatch {
  readonly everyTenSeconds: number[] = [];
  max = 0;
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>;

  constructor(pid: number) {
    this.#watching = this.#watch(pid);
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
  }

  async #watch(pid: number): Promise<void> {
    for (let second = 0; !this.#ending.signal.aborted; second++) {
      const mib = Math.round(residentBytes(pid) / 2 ** 20);
      this.max = Math.max(this.max, mib);
      if (second % 10 === 0) this.everyTenSeconds.push(mib);
      await sleep(1000, undefined, { signal: this.#ending.signal }).catch(() => undefined);
    }
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.ceil(share * (sorted.length - 1))] ?? NaN);
}
