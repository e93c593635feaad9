import { setTimeout as sleep } from 'node:timers/promises';
import { EngineProcess } from '../test/support/engine-process.ts';
import type { FleetInstallation } from './fleet-installation.ts';
import { FleetTraffic } from './fleet-traffic.ts';
import { ioBytes, residentBytes, threadCpuSeconds } from './proc.ts';

export interface FleetLoad {
  readonly intervalSeconds: number;
  readonly budgetBytes: number;
  readonly minutes: number;
}

/** What one run found. CPU in seconds of CPU time; of the parts of the model workers by the engine's own account. */
export interface FleetFinding extends FleetLoad {
  readonly models: number;
  readonly medianCheckpointBytes: number;
  readonly seconds: number;
  readonly sent: number;
  readonly stored: number;
  readonly scored: number;
  /** Of every sample that was sent, until it was scored: from outside. */
  readonly lag: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  /** Of the whole process, every ten seconds, and the most of every second. */
  readonly residentMib: readonly number[];
  readonly residentMaxMib: number;
  readonly cpu: Readonly<Record<string, number>>;
  readonly swapIns: number;
  readonly replayedRows: number;
  readonly checkpointWrites: number;
  readonly diskReadBytes: number;
  readonly diskWrittenBytes: number;
}

/** What is still not scored so long after the last sample counts as not scored. */
const DRAIN_SECONDS = 60;
const PARTS = ['load', 'replay', 'compute', 'save'] as const;

export async function runFleet(
  installation: FleetInstallation,
  load: FleetLoad,
  settings: Parameters<typeof EngineProcess.start>[1] = {},
): Promise<FleetFinding> {
  const engine = await EngineProcess.start(installation.directory, {
    log: { level: 'warn' },
    ...settings,
    scheduler: { memoryBudgetBytes: load.budgetBytes, ...settings.scheduler },
  });
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
  const resident = new ResidentWatch(engine);
  const started = performance.now();
  const before = await observe(engine);
  await traffic.send(60 * load.minutes);
  await traffic.drain(DRAIN_SECONDS);
  const after = await observe(engine);
  const seconds = (performance.now() - started) / 1000;
  await resident.end();
  await traffic.close();
  const difference = (name: string) => (after.counters.get(name) ?? 0) - (before.counters.get(name) ?? 0);
  const lag = traffic.lagMs.toSorted((a, b) => a - b);
  return {
    ...load,
    models: metrics.length,
    medianCheckpointBytes,
    seconds,
    sent: traffic.sent,
    stored: difference('htmengine_storer_samples_total'),
    scored: difference('htmengine_anomaly_rows_total'),
    lag: { p50Ms: quantile(lag, 0.5), p99Ms: quantile(lag, 0.99), maxMs: quantile(lag, 1) },
    residentMib: resident.everyTenSeconds,
    residentMaxMib: resident.max,
    cpu: cpuByPart(before, after, difference),
    swapIns: difference('htmengine_scheduler_swap_ins_total'),
    replayedRows: difference('htmengine_scheduler_replayed_rows_total'),
    checkpointWrites: difference('htmengine_scheduler_checkpoint_writes_total'),
    diskReadBytes: after.io.read - before.io.read,
    diskWrittenBytes: after.io.written - before.io.written,
  };
}

function cpuByPart(before: Observation, after: Observation, difference: (name: string) => number) {
  const thread = (name: string) => (after.threads.get(name) ?? 0) - (before.threads.get(name) ?? 0);
  const parts = PARTS.map((part) => [
    part,
    difference(`htmengine_scheduler_model_cpu_seconds_total{part="${part}"}`),
  ]);
  const all = [...after.threads.keys()].reduce((sum, name) => sum + thread(name), 0);
  const known = ['MainThread', 'sqlite', WORKERS];
  return {
    ...(Object.fromEntries(parts) as Record<string, number>),
    workers: thread(WORKERS),
    store: thread('sqlite'),
    main: thread('MainThread'),
    others: all - known.reduce((sum, name) => sum + thread(name), 0),
    all,
  };
}

/** The name of the threads that run models, as far as Linux keeps it. */
const WORKERS = 'htmengine-model';

interface Observation {
  readonly counters: ReadonlyMap<string, number>;
  readonly threads: ReadonlyMap<string, number>;
  readonly io: { readonly read: number; readonly written: number };
}

async function observe(engine: EngineProcess): Promise<Observation> {
  const { text } = await engine.request('GET', '/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith('htmengine_'));
  return {
    counters: new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    ),
    threads: threadCpuSeconds(pidOf(engine)),
    io: ioBytes(pidOf(engine)),
  };
}

function pidOf({ child: { pid } }: EngineProcess): number {
  if (pid === undefined) throw new Error('the engine has no process id');
  return pid;
}

/** Looks at the resident memory of an engine every second. */
class ResidentWatch {
  readonly everyTenSeconds: number[] = [];
  max = 0;
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>;

  constructor(engine: EngineProcess) {
    this.#watching = this.#watch(pidOf(engine));
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#watching;
  }

  async #watch(pid: number): Promise<void> {
    for (let second = 0; !this.#ending.signal.aborted; second++) {
      const mib = residentBytes(pid) / 2 ** 20;
      this.max = Math.max(this.max, Math.round(mib));
      if (second % 10 === 0) this.everyTenSeconds.push(Math.round(mib));
      await sleep(1000, undefined, { signal: this.#ending.signal }).catch(() => undefined);
    }
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.ceil(share * (sorted.length - 1))] ?? NaN);
}
