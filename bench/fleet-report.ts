import type { Machine } from './calibration.ts';
import { allSeconds, PARTS } from './fleet-cost.ts';
import type { FleetFinding } from './fleet-run.ts';
import { isCarried, targets } from './fleet-search.ts';
import { round, table } from './table.ts';

/** All that `bench:fleet` finds out; with `--json` it is printed as it is. */
export interface FleetBench {
  readonly command: string;
  readonly machine: Machine;
  readonly calibrationMs: { readonly before: number; readonly after: number };
  readonly fsyncMs: number;
  readonly findings: readonly FleetFinding[];
}

/** The findings for a reader. */
export function describeFleet({ command, machine, calibrationMs, fsyncMs, findings }: FleetBench): string {
  return [
    `$ ${command}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib.toFixed(1)} GiB, load ${machine.load.toFixed(1)}; ` +
      `Node ${machine.node}, V8 ${machine.v8}`,
    `Calibration kernel: ${round(calibrationMs.before)} ms before, ${round(calibrationMs.after)} ms after. ` +
      `Writing and syncing 4 KiB: ${round(fsyncMs)} ms.`,
    ...findings.map(describeFinding),
    ...(findings.length > 1 ? ['', ...summary(findings)] : []),
    '',
  ].join('\n');
}

function describeFinding(finding: FleetFinding): string {
  const { lag, cpuSeconds, scored, seconds } = finding;
  const parts = PARTS.map((part) => [part, cpuSeconds[part]] as const);
  return [
    '',
    `${finding.models} models (median checkpoint ${round(finding.medianCheckpointBytes / 1000)} kB), one sample per ` +
      `${finding.intervalSeconds} s each, budget ${mib(finding.budgetBytes)}, ${round(seconds)} s`,
    `samples: ${finding.sent} sent, ${finding.stored} stored, ${scored} scored` +
      (finding.importedMetrics > 0
        ? `; beside them ${finding.importedRows} rows of ${finding.importedMetrics} new metrics imported and scored`
        : ''),
    `lag from sending to the scored result: p50 ${lag.p50Ms} ms, p99 ${lag.p99Ms} ms, max ${lag.maxMs} ms: ` +
      (isCarried(finding) ? 'carried' : 'NOT carried'),
    `resident memory: ${finding.residentMaxMib} MiB at the most; every 10 s: ${finding.residentMib.join(' ')}`,
    `swap-ins: ${finding.swapIns}, ${(finding.swapIns / scored).toFixed(2)} a sample (gathering ${finding.gatherMs} ms at the most); rows replayed: ${finding.replayedRows}; checkpoints written: ${finding.checkpointWrites}`,
    `disk: ${mib(finding.diskReadBytes)} read, ${mib(finding.diskWrittenBytes)} written`,
    `targets: ${targets(finding)
      .map(([target, isReached]) => `${target} ${isReached ? 'reached' : 'MISSED'}`)
      .join(', ')}`,
    table(
      ['CPU', 'cores', 'per sample'],
      [...parts, ['all', allSeconds(cpuSeconds)] as const].map(([part, partSeconds]) => [
        part,
        (partSeconds / seconds).toFixed(3),
        `${round((1000 * partSeconds) / scored)} ms`,
      ]),
    ),
  ].join('\n');
}

function summary(findings: readonly FleetFinding[]): string[] {
  return [
    table(
      ['models', 'interval', 'p99', 'resident', 'swap-ins/sample', 'CPU/sample', 'carried'],
      findings.map((finding) => [
        String(finding.models),
        `${finding.intervalSeconds} s`,
        `${finding.lag.p99Ms} ms`,
        `${finding.residentMaxMib} MiB`,
        (finding.swapIns / finding.scored).toFixed(2),
        `${round((1000 * allSeconds(finding.cpuSeconds)) / finding.scored)} ms`,
        isCarried(finding) ? 'yes' : 'no',
      ]),
    ),
  ];
}

function mib(bytes: number): string {
  return `${round(bytes / 2 ** 20)} MiB`;
}
