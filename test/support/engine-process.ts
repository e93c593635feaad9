import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
/** It starts in two seconds, and on a machine that many want in minutes. */
const START_TIMEOUT_MS = 180_000;

/** A fresh directory under the system's temporary one, and its removal. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'htmengine-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** How an engine's process is run, if not as everybody does. */
export interface ProcessOptions {
  /** What is run with the arguments of `htmengine up`. */
  readonly program?: string;
  /** Whose rights it has; root's are never missing. */
  readonly uid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** `htmengine up` as a process of its own, the built program as a user runs it, on free ports. */
export class EngineProcess {
  readonly child: ChildProcess;
  readonly httpPort: number;
  readonly graphitePort: number;
  readonly #output: { text: string };

  private constructor(child: ChildProcess, output: { text: string }, httpPort: number, graphitePort: number) {
    this.child = child;
    this.#output = output;
    this.httpPort = httpPort;
    this.graphitePort = graphitePort;
  }

  /** Starts on `dataDirectory` and resolves once it says that it is running. */
  static async start(
    dataDirectory: string,
    settings: ConfigInput = {},
    flags: string[] = [],
    { program = MAIN, uid, env }: ProcessOptions = {},
  ): Promise<EngineProcess> {
    const config = join(dataDirectory, 'test-settings.yaml');
    await writeFile(config, stringify(settings));
    const args = ['up', '--config', config, '--data-dir', dataDirectory, '--http-port', '0', '--port', '0'];
    const child = spawn(process.execPath, [program, ...args, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
      ...(env !== undefined && { env: { ...process.env, ...env } }),
    });
    const output = { text: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.text += chunk.toString()));
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const http = /HTTP +http:\/\/127\.0\.0\.1:(\d+)/.exec(output.text);
      const graphite = /Graphite +127\.0\.0\.1:(\d+)/.exec(output.text);
      if (http !== null && graphite !== null && output.text.includes('Try:')) {
        return new EngineProcess(child, output, Number(http[1]), Number(graphite[1]));
      }
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`the engine did not start:\n${output.text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Everything it has printed so far. */
  get output(): string {
    return this.#output.text;
  }

  /** Sends `signal` and waits for the process to end. @returns its exit code, null when the signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit') as Promise<[number | null]>;
    this.child.kill(signal);
    const [code] = await ended;
    return code;
  }

  async request(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.httpPort}${path}`, {
      method,
      ...(body !== undefined && { body }),
    });
    return { status: response.status, text: await response.text() };
  }

  /** The JSON of a GET that must succeed. */
  async json<T>(path: string): Promise<T> {
    const { status, text } = await this.request('GET', path);
    if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** The value of a Prometheus metric, summed over its labels; 0 if it is not there. */
  async counter(name: string, label = ''): Promise<number> {
    const { text } = await this.request('GET', '/metrics');
    return text
      .split('\n')
      .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async metrics(): Promise<MetricJson[]> {
    return (await this.json<{ metrics: MetricJson[] }>('/api/v1/metrics')).metrics;
  }

  async metric(name: string): Promise<MetricJson | null> {
    const { status, text } = await this.request('GET', `/api/v1/metrics/${encodeURIComponent(name)}`);
    return status === 200 ? (JSON.parse(text) as MetricJson) : null;
  }

  /** All rows of a metric. */
  async rows(name: string): Promise<RowJson[]> {
    const path = `/api/v1/metrics/${encodeURIComponent(name)}/data?limit=100000`;
    return (await this.json<{ rows: RowJson[] }>(path)).rows;
  }

  /** Resident memory in bytes (Linux). */
  async residentBytes(): Promise<number> {
    const { readFile } = await import('node:fs/promises');
    const status = await readFile(`/proc/${String(this.child.pid)}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }
}

export interface MetricJson {
  name: string;
  uid: string;
  state: string;
  message: string | null;
  rows: number;
  scoredRows: number;
  lastTimestamp: number | null;
  lastScore: number | null;
}

export interface RowJson {
  rowid: number;
  timestamp: number;
  value: number;
  rawAnomalyScore: number | null;
  anomalyScore: number | null;
  displayValue: number | null;
}

/** Asks `condition` until it holds. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
