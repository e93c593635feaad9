import type { Machine } from './calibration.ts';
import type { IngestFinding } from './ingest-run.ts';
import { round, table } from './table.ts';

/** All that `bench:ingest` finds out; with `--json` it is printed as it is. */
export interface IngestBench {
  readonly machine: Machine;
  /** Milliseconds of the calibration kernel before and after the measurements. */
  readonly calibrationMs: { readonly before: number; readonly after: number };
  /** The median of writing and syncing one page where the databases were put. */
  readonly fsyncMs: number;
  readonly findings: readonly IngestFinding[];
}

/** The findings as a table for a reader. */
export function describeIngest({ machine, calibrationMs, fsyncMs, findings }: IngestBench): string {
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib.toFixed(1)} GiB, load ${machine.load.toFixed(1)}; ` +
      `Node ${machine.node}, V8 ${machine.v8}`,
    `Calibration kernel: ${round(calibrationMs.before)} ms before, ${round(calibrationMs.after)} ms after. ` +
      `Writing and syncing 4 KiB: ${round(fsyncMs)} ms.`,
    '',
    'Samples stored durably over Graphite TCP (T0 committed, synchronous=FULL), not monitored. CPU in cores; per CPU s:',
    'for each second of CPU of the whole engine; durable: from sending to durable, for single samples over connections',
    'of their own meanwhile.',
    table(
      [
        'metrics',
        'connections',
        'samples/s',
        'per CPU s',
        'commits/s',
        'bytes/sample',
        'durable p50',
        'p99',
        'CPU main',
        'sqlite',
        'other',
        'senders',
        'RSS',
      ],
      findings.map((finding) => [
        String(finding.metrics),
        String(finding.connections),
        finding.samplesPerSecond.toFixed(0),
        finding.samplesPerCpuSecond.toFixed(0),
        finding.commitsPerSecond.toFixed(1),
        finding.bytesPerSample.toFixed(0),
        `${finding.durableP50Ms.toFixed(0)} ms`,
        `${finding.durableP99Ms.toFixed(0)} ms`,
        finding.cpu.main.toFixed(2),
        finding.cpu.sqlite.toFixed(2),
        finding.cpu.otherThreads.toFixed(2),
        finding.cpu.senders.toFixed(2),
        `${finding.residentMib.toFixed(0)} MiB`,
      ]),
    ),
    'A metric belongs to one connection: where there are fewer metrics than connections each connection has one of its own.',
    '',
  ].join('\n');
}
