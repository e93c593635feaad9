import type { Machine } from './calibration.ts';
import type { CpuSeconds, IngestFinding, OutageFinding, SchedulersFinding } from './spread-run.ts';
import { round, table } from './table.ts';

/** All that `bench:spread` finds out; with `--json` it is printed as it is. */
export interface SpreadBench {
  readonly command: string;
  readonly machine: Machine;
  readonly calibrationMs: { readonly before: number; readonly after: number };
  readonly database: string;
  readonly schedulers: readonly SchedulersFinding[];
  readonly ingest: readonly IngestFinding[];
  readonly outage: OutageFinding | null;
}

/** The findings for a reader. */
export function describeSpread(bench: SpreadBench): string {
  const { command, machine, calibrationMs, database } = bench;
  return [
    `$ ${command}`,
    `${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}; Node ${machine.node}; ${database} and RabbitMQ on the same machine`,
    `Calibration kernel: ${round(calibrationMs.before)} ms before, ${round(calibrationMs.after)} ms after.`,
    ...schedulers(bench.schedulers),
    ...ingest(bench.ingest),
    ...outage(bench.outage),
    '',
  ].join('\n');
}

function schedulers(findings: readonly SchedulersFinding[]): string[] {
  const [first] = findings;
  if (first === undefined) return [];
  return [
    '',
    `${first.metrics} metrics, ${first.rows} rows that wait; then one live sample a metric every ${first.intervalSeconds} s`,
    table(
      ['schedulers', 'rows/s', 'live: sent', 'unscored', 'lag p50', 'p99', 'max'],
      findings.map(({ schedulers: count, rowsPerSecond, sent, unscored, lagMs }) => [
        String(count),
        round(rowsPerSecond),
        String(sent),
        String(unscored),
        `${lagMs.p50} ms`,
        `${lagMs.p99} ms`,
        `${lagMs.max} ms`,
      ]),
    ),
    ...findings.map(
      ({ schedulers: count, cpuSeconds, rows, liveCpuSeconds, sent }) =>
        `CPU a row with ${count}: ${cpu(cpuSeconds, rows)}\nCPU a live sample with ${count}: ${cpu(liveCpuSeconds, sent)}`,
    ),
    ...findings.map(
      ({ schedulers: count, operationsPerRow }) =>
        `Operations on the database a row with ${count}: ${Object.entries(operationsPerRow)
          .map(([stage, operations]) => `${stage} ${round(operations)}`)
          .join(', ')}`,
    ),
  ];
}

function ingest(findings: readonly IngestFinding[]): string[] {
  if (findings.length === 0) return [];
  return [
    '',
    'Samples of metrics without models, over Graphite connections and the broker into the database',
    table(
      ['storers', 'metrics', 'samples', 'samples/s', 'broker ops/sample', 'T0/sample'],
      findings.map((finding) => [
        String(finding.storers),
        String(finding.metrics),
        String(finding.samples),
        round(finding.samplesPerSecond),
        finding.brokerOperationsPerSample.toPrecision(2),
        finding.transactionsPerSample.toPrecision(2),
      ]),
    ),
    ...findings.map(
      ({ storers, cpuSeconds, samples }) => `CPU a sample with ${storers}: ${cpu(cpuSeconds, samples)}`,
    ),
  ];
}

function outage(finding: OutageFinding | null): string[] {
  if (finding === null) return [];
  const { outageSeconds, sent, lost, lagBeforeMs, longestLagMs, caughtUpSeconds } = finding;
  return [
    '',
    `The broker stopped for ${outageSeconds} s: ${sent} samples sent, ${lost} lost; lag before: p50 ${lagBeforeMs.p50} ms, p99 ${lagBeforeMs.p99} ms; ` +
      `the longest lag ${round(longestLagMs / 1000)} s; all scored ${round(caughtUpSeconds)} s after it was back`,
  ];
}

function cpu(seconds: CpuSeconds, samples: number): string {
  return Object.entries(seconds)
    .map(([who, used]) => `${who} ${round((1e6 * used) / samples)} us`)
    .join(', ');
}
