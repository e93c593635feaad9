import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineProcess } from '../test/support/engine-process.ts';
import { ROWS_BEFORE, type SendOrder, type SendReport } from './ingest-sender.ts';
import { ioBytes, threadCpuSeconds } from './proc.ts';

/** How many metrics send over how many connections. */
export interface IngestCell {
  readonly metrics: number;
  readonly connections: number;
}

/** What came of one cell. CPU is in seconds of CPU time a second, that is, in cores. */
export interface IngestFinding extends IngestCell {
  readonly samples: number;
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** Per CPU second of the whole engine: what it could store had it one core to itself and a disk that keeps up. */
  readonly samplesPerCpuSecond: number;
  /** T0s, each of which is one commit here, and so one fsync of the log. */
  readonly commitsPerSecond: number;
  readonly bytesPerSample: number;
  /** Of probes, samples over connections of their own meanwhile: from sending until durable. */
  readonly durableP50Ms: number;
  readonly durableP99Ms: number;
  readonly cpu: {
    readonly main: number;
    readonly sqlite: number;
    readonly otherThreads: number;
    readonly senders: number;
  };
  readonly residentMib: number;
}

const SENDER = new URL('./ingest-sender.ts', import.meta.url);

/**
 * Floods a new engine with samples and looks what becomes of them.
 * @param directory where its database is put, and removed again
 * @throws Error if a sample that was sent is not stored
 */
export async function measureIngest(
  directory: string,
  cell: IngestCell,
  seconds: number,
): Promise<IngestFinding> {
  const data = await mkdtemp(join(directory, 'htmengine-ingest-'));
  try {
    const engine = await EngineProcess.start(data, { log: { level: 'warn' } });
    try {
      return await flood(engine, cell, seconds);
    } finally {
      await engine.end('SIGTERM');
    }
  } finally {
    await rm(data, { recursive: true });
  }
}

async function flood(engine: EngineProcess, cell: IngestCell, seconds: number): Promise<IngestFinding> {
  const { pid } = engine.child;
  if (pid === undefined) throw new Error('the engine has no process id');
  // A metric's samples need one order, so each connection has metrics of its own, one at least.
  const metrics = Math.max(cell.metrics, cell.connections);
  const order: SendOrder = { port: engine.graphitePort, metrics, connections: cell.connections, seconds };
  const sender = new Sender(order);
  try {
    await sender.sendFirstRows();
    const before = await observe(engine, pid, sender.pid);
    const report = await sender.flood();
    const after = await observe(engine, pid, sender.pid);
    const sent = metrics * ROWS_BEFORE + report.samples;
    if (after.stored !== sent) {
      throw new Error(`${sent} samples were sent, ${after.stored} are stored\n${engine.output}`);
    }
    return {
      ...cell,
      ...summary(report, before, after),
      residentMib: (await engine.residentBytes()) / 2 ** 20,
    };
  } finally {
    sender.end();
  }
}

/** Counters of the engine and the sender as they stand. */
interface Observation {
  readonly engineCpu: ReadonlyMap<string, number>;
  readonly senderCpuSeconds: number;
  readonly writtenBytes: number;
  readonly stored: number;
  readonly commits: number;
}

async function observe(engine: EngineProcess, pid: number, senderPid: number): Promise<Observation> {
  return {
    engineCpu: threadCpuSeconds(pid),
    senderCpuSeconds: total(threadCpuSeconds(senderPid).values()),
    writtenBytes: ioBytes(pid).written,
    stored: await engine.counter('htmengine_storer_samples_total'),
    commits: await engine.counter('htmengine_storer_batches_total'),
  };
}

function summary(report: SendReport, before: Observation, after: Observation) {
  const { samples, seconds } = report;
  const cores = (name: string) =>
    ((after.engineCpu.get(name) ?? 0) - (before.engineCpu.get(name) ?? 0)) / seconds;
  const main = cores('MainThread');
  const sqlite = cores('sqlite');
  const all = total([...after.engineCpu.keys()].map(cores));
  const probes = report.probeMs.toSorted((a, b) => a - b);
  return {
    samples,
    seconds,
    samplesPerSecond: samples / seconds,
    samplesPerCpuSecond: samples / (all * seconds),
    commitsPerSecond: (after.commits - before.commits) / seconds,
    bytesPerSample: (after.writtenBytes - before.writtenBytes) / samples,
    durableP50Ms: quantile(probes, 0.5),
    durableP99Ms: quantile(probes, 0.99),
    cpu: {
      main,
      sqlite,
      otherThreads: all - main - sqlite,
      senders: (after.senderCpuSeconds - before.senderCpuSeconds) / seconds,
    },
  };
}

/** The process that sends. */
class Sender {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  constructor(order: SendOrder) {
    this.#child = fork(SENDER);
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the sender ended with code ${String(code)}`);
    });
    // Who waits for an answer is told; otherwise its end is no failure.
    this.#ended.catch(() => undefined);
    this.#child.send(order);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the sender has no process id');
    return this.#child.pid;
  }

  async sendFirstRows(): Promise<void> {
    await this.#answer();
  }

  async flood(): Promise<SendReport> {
    this.#child.send('start');
    return (await this.#answer()) as SendReport;
  }

  end(): void {
    this.#child.kill();
  }

  async #answer(): Promise<unknown> {
    const [answer] = await Promise.race([once(this.#child, 'message') as Promise<[unknown]>, this.#ended]);
    return answer;
  }
}

function total(numbers: Iterable<number>): number {
  return [...numbers].reduce((sum, number) => sum + number, 0);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
}
