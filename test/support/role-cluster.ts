import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigInput } from '../../src/config.ts';
import type { Role } from '../../src/roles.ts';
import type { MetricJson, RowJson } from './engine-process.ts';
import type { OtherHost } from './other-host.ts';
import { RoleProcess } from './role-process.ts';

/** What processes counted, over all their lives. */
export interface Counted {
  /** Partitions that somebody took, of all stages. */
  taken: number;
  /** Samples that were stored already when they came. */
  redelivered: number;
  /** Writes that were refused because the partition is another's by now. */
  fenced: number;
  /** Rows that models ran through again. */
  replayed: number;
  /** Replayed rows that gave another score: never. */
  mismatches: number;
}

const COUNTERS: readonly (readonly [what: keyof Counted, name: string, label?: string])[] = [
  ['taken', 'htmengine_ownership_changes_total', 'change="taken"'],
  ['redelivered', 'htmengine_storer_redelivered_samples_total'],
  ['fenced', 'htmengine_scheduler_refused_total', 'reason="epoch"'],
  ['fenced', 'htmengine_anomaly_refused_total', 'reason="epoch"'],
  ['fenced', 'htmengine_publishing_refused_total', 'reason="epoch"'],
  ['replayed', 'htmengine_scheduler_replayed_rows_total'],
  ['mismatches', 'htmengine_scheduler_determinism_mismatches_total'],
];
const ANSWER_TIMEOUT_MS = 10_000;

/** Processes that share the work on one database and one broker: several of some roles, one of the others. */
export class RoleCluster {
  /** Of those that ended. */
  readonly #counted: Counted = { taken: 0, redelivered: 0, fenced: 0, replayed: 0, mismatches: 0 };
  readonly #directory: string;
  readonly #settings: ConfigInput;
  readonly #processes = new Map<Role, RoleProcess[]>();

  /** @param directory where each process gets one of its own. */
  constructor(directory: string, settings: ConfigInput) {
    this.#directory = directory;
    this.#settings = settings;
  }

  of(role: Role): readonly RoleProcess[] {
    return this.#processes.get(role) ?? [];
  }

  /** Starts one more of a role, on `host` if given with the settings that hold there. */
  async start(role: Role, host?: OtherHost, settings: ConfigInput = {}): Promise<RoleProcess> {
    const directory = await mkdtemp(join(this.#directory, `${role}-`));
    const all = { ...this.#settings, ...settings };
    const process = await RoleProcess.start([role], directory, all, host?.prefix);
    this.#processes.set(role, [...this.of(role), process]);
    return process;
  }

  /** Ends one by a signal. What it had counted stays counted. */
  async end(role: Role, process: RoleProcess, signal: NodeJS.Signals): Promise<void> {
    await addCounted(this.#counted, process);
    await process.end(signal);
    const others = this.of(role).filter((other) => other !== process);
    this.#processes.set(role, others);
  }

  async counted(): Promise<Counted> {
    const sum = { ...this.#counted };
    for (const process of [...this.#processes.values()].flat()) await addCounted(sum, process);
    return sum;
  }

  async dispose(): Promise<void> {
    for (const process of [...this.#processes.values()].flat()) await process.end('SIGKILL');
  }

  /** Metrics with how far they are; null while the API does not answer. */
  async metrics(): Promise<MetricJson[] | null> {
    try {
      return (await this.#get<{ metrics: MetricJson[] }>('/api/v1/metrics')).metrics;
    } catch {
      return null;
    }
  }

  async rows(name: string): Promise<RowJson[]> {
    const path = `/api/v1/metrics/${encodeURIComponent(name)}/data?limit=100000`;
    return (await this.#get<{ rows: RowJson[] }>(path)).rows;
  }

  /** Monitors a metric without a range, however often it takes. */
  async monitor(name: string): Promise<void> {
    for (;;) {
      const path = `/api/v1/metrics/${encodeURIComponent(name)}/model`;
      const answer = await this.#request(path, { method: 'PUT', body: '{}' }).catch(() => null);
      if (answer?.status === 201 || answer?.status === 409) return;
      await delay(200);
    }
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await this.#request(path);
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}`);
    return (await answer.json()) as T;
  }

  #request(path: string, init: RequestInit = {}): Promise<Response> {
    const port = this.of('api')[0]?.httpPort ?? 0;
    return fetch(`http://127.0.0.1:${port}${path}`, {
      ...init,
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
  }
}

/** Adds what a process has counted; one that does not answer has counted nothing. */
async function addCounted(sum: Counted, process: RoleProcess): Promise<void> {
  for (const [what, name, label] of COUNTERS) sum[what] += await process.counter(name, label).catch(() => 0);
}
