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
  /** Messages with samples that the broker brought again. */
  redelivered: number;
  /** Samples in them that were stored already. */
  storedAlready: number;
  /** Writes that were refused because the partition is another's by now. */
  fenced: number;
  /** Rows that models ran through again. */
  replayed: number;
  /** Replayed rows that gave another score: never. */
  mismatches: number;
}

const COUNTERS: readonly (readonly [what: keyof Counted, name: string, label?: string])[] = [
  ['taken', 'htmengine_ownership_changes_total', 'change="taken"'],
  ['redelivered', 'htmengine_broker_operations_total', 'operation="redeliver"'],
  ['storedAlready', 'htmengine_storer_redelivered_samples_total'],
  ['fenced', 'htmengine_scheduler_refused_total', 'reason="epoch"'],
  ['fenced', 'htmengine_anomaly_refused_total', 'reason="epoch"'],
  ['fenced', 'htmengine_publishing_refused_total', 'reason="epoch"'],
  ['replayed', 'htmengine_scheduler_replayed_rows_total'],
  ['mismatches', 'htmengine_scheduler_determinism_mismatches_total'],
];
const ANSWER_TIMEOUT_MS = 10_000;
const nothing = (): Counted => ({
  taken: 0,
  redelivered: 0,
  storedAlready: 0,
  fenced: 0,
  replayed: 0,
  mismatches: 0,
});

/** What was counted since `before`. */
export function without(counted: Counted, before: Counted): Counted {
  const since = { ...counted };
  for (const [what] of COUNTERS) since[what] = counted[what] - before[what];
  return since;
}

/** Processes that share the work on one database and one broker: several of some roles, one of the others. */
export class RoleCluster {
  /** Of those that ended. */
  readonly #counted = nothing();
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

  /** All that run. */
  processes(): { readonly role: Role; readonly pid: number }[] {
    return [...this.#processes].flatMap(([role, processes]) =>
      processes.map(({ child }) => ({ role, pid: child.pid ?? 0 })),
    );
  }

  /** A Prometheus metric, summed over all that run. */
  async sum(name: string, label = ''): Promise<number> {
    const all = [...this.#processes.values()].flat();
    const values = await Promise.all(all.map((process) => process.counter(name, label).catch(() => 0)));
    return values.reduce((total, value) => total + value, 0);
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

  /** Monitors a metric, however often it takes. @param range null for that of its rows. */
  async monitor(name: string, range: { readonly min: number; readonly max: number } | null): Promise<void> {
    const path = `/api/v1/metrics/${encodeURIComponent(name)}/model`;
    const body = JSON.stringify(range ?? {});
    for (;;) {
      const answer = await this.#request(path, { method: 'PUT', body }).catch(() => null);
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
