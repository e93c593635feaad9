import { execFileSync, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnomalyModel, scalarAnomalyParameters } from '../src/htm/index.ts';
import type { Ceiling } from '../src/htm/index.ts';
import type { FleetReport, FleetRequest } from './model-fleet-child.ts';
import type { Series } from './nab-corpus.ts';
import { resolutionOf } from './nab-detector.ts';
import type { Variant } from './nab-detector.ts';

/** What many trained models take in one process, as the operating system sees it. */
export interface FleetMemory {
  readonly variant: Variant;
  readonly ceiling: Ceiling | null;
  readonly models: number;
  readonly series: readonly string[];
  /** Resident bytes of the process with one model of each series, what all share included; and with all models. */
  readonly residentBefore: number;
  readonly residentAfter: number;
  /** The growth, by the models it is due to. */
  readonly residentPerModel: number;
  /** The mean of what the same models say they take. */
  readonly claimedPerModel: number;
}

/**
 * Trains a model on each series, then loads them in turn, `models` altogether, into a process of their own and lets each
 * go on for some rows. Resident memory is read from outside: from /proc, or else as `ps` has it.
 */
export async function measureFleet(
  series: readonly Series[],
  variant: Variant,
  ceiling: Ceiling | null,
  models: number,
  onTrained: (name: string) => void,
): Promise<FleetMemory> {
  const directory = mkdtempSync(join(tmpdir(), 'htmengine-fleet-'));
  const child = fork(join(import.meta.dirname, 'model-fleet-child.ts'), { execArgv: ['--expose-gc'] });
  try {
    const states = series.map((one, i) => {
      const file = join(directory, `${i}.state`);
      writeFileSync(file, trainedState(one, variant, ceiling));
      onTrained(one.name);
      return { file, seconds: Array.from(one.seconds), values: Array.from(one.values) };
    });
    const first = Math.min(models, states.length);
    await ask(child, { states, models: first });
    const residentBefore = residentBytes(child);
    const { claimedBytes } = await ask(child, { states: [], models: models - first });
    const residentAfter = residentBytes(child);
    return {
      variant,
      ceiling,
      models,
      series: series.map(({ name }) => name),
      residentBefore,
      residentAfter,
      residentPerModel: (residentAfter - residentBefore) / Math.max(1, models - first),
      claimedPerModel: claimedBytes / Math.max(1, models - first),
    };
  } finally {
    child.kill();
    rmSync(directory, { recursive: true });
  }
}

function trainedState(series: Series, variant: Variant, ceiling: Ceiling | null): Uint8Array {
  const resolution = resolutionOf(series, 'full');
  const model = AnomalyModel.create(scalarAnomalyParameters({ resolution, variant, ceiling }));
  for (const [row, value] of series.values.entries()) model.run(series.seconds[row] ?? NaN, value);
  return model.bytes();
}

async function ask(child: ChildProcess, request: FleetRequest): Promise<FleetReport> {
  const answer = once(child, 'message');
  const exit = once(child, 'exit').then(([code]) => {
    throw new Error(
      `the process with the models has ended with ${String(code)}; is there memory for so many?`,
    );
  });
  child.send(request);
  const [report] = (await Promise.race([answer, exit])) as [FleetReport];
  return report;
}

function residentBytes({ pid = 0 }: ChildProcess): number {
  const status = `/proc/${pid}/status`;
  const kibibytes = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  return 1024 * Number(kibibytes);
}
