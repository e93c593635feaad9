/** `npm run bench:ingest`: how many samples a second an engine stores durably. */
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { calibrate, describeMachine } from './calibration.ts';
import { describeIngest, type IngestBench } from './ingest-report.ts';
import { measureIngest, type IngestFinding } from './ingest-run.ts';
import { fsyncMilliseconds } from './proc.ts';
import { Progress } from '../src/cli/terminal/progress.ts';

interface Options {
  readonly metrics: readonly number[];
  readonly connections: readonly number[];
  readonly seconds: number;
  readonly runs: number;
  readonly dir: string;
  readonly json?: boolean;
}

const CALIBRATION_RUNS = 5;
const METRICS: readonly number[] = [1, 100, 10_000];
const CONNECTIONS: readonly number[] = [1, 10, 50];

const program = new Command('bench:ingest')
  .description(
    'Floods an engine, the built program in a process of its own, over Graphite TCP connections from another process,\n' +
      'and prints how many samples a second it stored durably, with the machine. Linux only (/proc).',
  )
  .option(
    '--metrics <n...>',
    'how many metrics, each of these with each number of connections',
    numbers,
    METRICS,
  )
  .option('--connections <n...>', 'how many connections', numbers, CONNECTIONS)
  .option('--seconds <n>', 'how long each combination is flooded', positiveInteger, 8)
  .option('--runs <n>', 'how often everything is run; the fastest counts', positiveInteger, 1)
  .option('--dir <dir>', 'where the databases are put: what its disk takes for a sync counts', tmpdir())
  .option('--json', 'print the figures as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:ingest\n  npm run bench:ingest -- --metrics 10000 --connections 1 50 --seconds 20 --dir /var/tmp',
  )
  .action(bench);

await program.parseAsync();

async function bench(options: Options): Promise<void> {
  const cells = options.metrics.flatMap((metrics) =>
    options.connections.map((connections) => ({ metrics, connections })),
  );
  const progress = new Progress(process.stderr, cells.length * options.runs);
  const before = calibrate(CALIBRATION_RUNS);
  const fsyncMs = fsyncMilliseconds(options.dir);
  const findings: IngestFinding[] = [];
  for (const cell of cells) {
    let best: IngestFinding | undefined;
    for (let run = 0; run < options.runs; run++) {
      const finding = await measureIngest(options.dir, cell, options.seconds);
      if (best === undefined || finding.samplesPerSecond > best.samplesPerSecond) best = finding;
      progress.advance(1);
    }
    if (best !== undefined) findings.push(best);
    progress.finished(`${cell.metrics} metrics, ${cell.connections} connections`);
  }
  progress.end();
  const found: IngestBench = {
    machine: describeMachine(),
    calibrationMs: { before, after: calibrate(CALIBRATION_RUNS) },
    fsyncMs,
    findings,
  };
  process.stdout.write(options.json === true ? `${JSON.stringify(found, null, 1)}\n` : describeIngest(found));
}

/** One more number of a list. Its first takes the place of the default, which is given as `previous` then. */
function numbers(text: string, previous: readonly number[]): readonly number[] {
  const isDefault = previous === METRICS || previous === CONNECTIONS;
  return [...(isDefault ? [] : previous), positiveInteger(text)];
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}
