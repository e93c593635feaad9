import type { EngineProcess } from '../test/support/engine-process.ts';
import { ioBytes, threadCpuSeconds } from './proc.ts';

/** An engine's counters and what Linux says of its process, at one moment. */
export interface Observation {
  /** Samples of the Prometheus metrics, by name and labels. */
  readonly counters: ReadonlyMap<string, number>;
  readonly threads: ReadonlyMap<string, number>;
  readonly io: { readonly read: number; readonly written: number };
}

/**
 * CPU seconds: of the model workers by what they did, by the engine's own account, and the rest of their threads (mostly
 * garbage collection); of the thread of the database, of the main one (sockets, scheduling, likelihood, publication), and
 * of all others (file system, compiler, garbage collector).
 */
export type PartSeconds = Readonly<Record<(typeof PARTS)[number], number>>;

export const PARTS = [
  'load',
  'replay',
  'compute',
  'save',
  'workersBesides',
  'store',
  'main',
  'others',
] as const;

/** The names of threads as far as Linux keeps them. */
const WORKERS = 'htmengine-model';
const STORE = 'sqlite';
const MAIN = 'MainThread';

export async function observe(engine: EngineProcess): Promise<Observation> {
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

export function cpuByPart(before: Observation, after: Observation): PartSeconds {
  const thread = (name: string) => (after.threads.get(name) ?? 0) - (before.threads.get(name) ?? 0);
  const part = (name: string) => {
    const counter = `htmengine_scheduler_model_cpu_seconds_total{part="${name}"}`;
    return (after.counters.get(counter) ?? 0) - (before.counters.get(counter) ?? 0);
  };
  const parts = { load: part('load'), replay: part('replay'), compute: part('compute'), save: part('save') };
  const all = [...after.threads.keys()].reduce((sum, name) => sum + thread(name), 0);
  return {
    ...parts,
    workersBesides: thread(WORKERS) - parts.load - parts.replay - parts.compute - parts.save,
    store: thread(STORE),
    main: thread(MAIN),
    others: all - thread(WORKERS) - thread(STORE) - thread(MAIN),
  };
}

export function pidOf({ child: { pid } }: EngineProcess): number {
  if (pid === undefined) throw new Error('the engine has no process id');
  return pid;
}

/** Of all parts together. */
export function allSeconds(cpuSeconds: PartSeconds): number {
  return PARTS.reduce((sum, part) => sum + cpuSeconds[part], 0);
}
