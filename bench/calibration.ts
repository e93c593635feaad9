import { cpus, loadavg, totalmem } from 'node:os';
import { Random } from '../src/htm/random.ts';

/**
 * Milliseconds that a fixed piece of work takes on this machine, the best of `runs`: float additions over 64 MiB
 * (arithmetic and bandwidth) and 300,000 steps of a pointer chase through 16 MiB (latency). Times given as multiples
 * of it can be compared between machines, and between hours on a machine that others share.
 */
export function calibrate(runs: number): number {
  const floats = new Float32Array(2 ** 24).fill(0.5);
  const cycle = randomCycle(2 ** 22);
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    const result = sum(floats) + chase(cycle, 300_000);
    best = Math.min(best, performance.now() - started);
    if (!Number.isFinite(result)) throw new Error('the calibration kernel went wrong');
  }
  return best;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  /** Processes that want to run, the mean over the last minute. */
  readonly load: number;
  readonly node: string;
  readonly v8: string;
}

/** What the measurements were taken on. */
export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGib: totalmem() / 2 ** 30,
    load: loadavg()[0] ?? NaN,
    node: process.version,
    v8: process.versions.v8,
  };
}

function sum(floats: Float32Array): number {
  let total = 0;
  for (let i = 0; i < floats.length; i++) total += floats[i] ?? 0;
  return total;
}

function chase(cycle: Uint32Array, steps: number): number {
  let at = 0;
  for (let step = 0; step < steps; step++) at = cycle[at] ?? 0;
  return at;
}

/** A permutation of 0 .. n - 1 that is a single cycle. */
function randomCycle(n: number): Uint32Array {
  const random = Random.seeded(1);
  const cycle = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i);
    const kept = cycle[i] ?? 0;
    cycle[i] = cycle[j] ?? 0;
    cycle[j] = kept;
  }
  return cycle;
}
