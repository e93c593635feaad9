import type { Machine } from './calibration.ts';
import type { FleetFinding } from './fleet-run.ts';
import { round, table } from './table.ts';

/** All that `bench:fleet` finds out; with `--json` it is printed as it is. */
export interface FleetBench {
  readonly command: string;
  readonly machine: Machine;
  readonly calibrationMs: { readonly before: number; readonly after: number };
  readonly fsyncMs: number;
  readonly finding: FleetFinding;
}

/** The findings for a reader. */
export function describeFleet({ command, machine, calibrationMs, fsyncMs, finding }: FleetBench): string {
  const { lag, cpu } = finding;
  const perSample = (seconds: number) => `${round((1000 * seconds) / finding.scored)} ms`;
  return [
    `$ ${command}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib.toFixed(1)} GiB, load ${machine.load.toFixed(1)}; ` +
      `Node ${machine.node}, V8 ${machine.v8}`,
    `Calibration kernel: ${round(calibrationMs.before)} ms before, ${round(calibrationMs.after)} ms after. ` +
      `Writing and syncing 4 KiB: ${round(fsyncMs)} ms.`,
    '',
    `${finding.models} models (median checkpoint ${round(finding.medianCheckpointBytes / 1000)} kB), one sample per ` +
      `${finding.intervalSeconds} s each, budget ${round(finding.budgetBytes / 2 ** 20)} MiB, ${round(finding.seconds)} s`,
    `samples: ${finding.sent} sent, ${finding.stored} stored, ${finding.scored} scored`,
    `lag from sending to the scored result: p50 ${lag.p50Ms} ms, p99 ${lag.p99Ms} ms, max ${lag.maxMs} ms`,
    `resident memory: ${finding.residentMaxMib} MiB at the most; every 10 s: ${finding.residentMib.join(' ')}`,
    `swap-ins: ${finding.swapIns}; rows replayed: ${finding.replayedRows}; checkpoints written: ${finding.checkpointWrites}`,
    `disk: ${mib(finding.diskReadBytes)} read, ${mib(finding.diskWrittenBytes)} written`,
    '',
    table(
      ['CPU', 'cores', 'per sample'],
      Object.entries(cpu).map(([part, seconds]) => [
        part,
        (seconds / finding.seconds).toFixed(3),
        perSample(seconds),
      ]),
    ),
    '',
  ].join('\n');
}

function mib(bytes: number): string {
  return `${round(bytes / 2 ** 20)} MiB`;
}
