/** `npm run bench:fleet`: many learned models in one engine, fed in real time. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { calibrate, describeMachine } from './calibration.ts';
import { type FleetInstallation, fleetInstallation } from './fleet-installation.ts';
import { describeFleet, type FleetBench } from './fleet-report.ts';
import { type FleetFinding, type FleetLoad, runFleet } from './fleet-run.ts';
import { MIN_INTERVAL_SECONDS, shortestInterval } from './fleet-search.ts';
import { fsyncMilliseconds } from './proc.ts';

interface Options {
  readonly models: readonly number[];
  readonly interval: number;
  readonly rate?: number;
  readonly budget: number;
  readonly minutes: number;
  readonly search?: boolean;
  readonly import: number;
  readonly gather: number;
  readonly dir: string;
  readonly json?: boolean;
}

const CALIBRATION_RUNS = 3;
const MODELS: readonly number[] = [1000];

const program = new Command('bench:fleet')
  .description(
    'Runs an engine, the built program in a process of its own, with many metrics whose models have learned a week of\n' +
      'five-minute rows, sends them live samples over Graphite, and prints what became of those and what it cost.\n' +
      'The installations are kept for the next run; 10,000 models take about 6 GB. Linux only (/proc).',
  )
  .option(
    '--models <n...>',
    'how many metrics, each with its model; several are run after each other',
    integers,
    MODELS,
  )
  .option('--interval <seconds>', 'time between two samples of a metric', interval, 300)
  .option('--rate <n>', 'samples a second of all metrics together, in place of --interval', positive)
  .option('--budget <bytes>', 'scheduler.memoryBudgetBytes', positiveInteger, 512 * 2 ** 20)
  .option('--minutes <n>', 'how long samples are sent', positive, 5)
  .option('--search', 'look for the shortest interval that is carried: all scored, p99 lag within 10 s')
  .option(
    '--import <n>',
    'import and learn a week of history of so many new metrics meanwhile',
    positiveInteger,
    0,
  )
  .option('--gather <ms>', 'scheduler.maxGatherMs', wholeNumber, 3_000)
  .option('--dir <dir>', 'where data directories are put, and found again by the next run', tmpdir())
  .option('--json', 'print the figures as JSON')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench:fleet -- --models 10000 --interval 300 --minutes 10\n' +
      '  npm run bench:fleet -- --models 2000 --interval 60 --minutes 2 --search\n' +
      '  npm run bench:fleet -- --models 100 1000 10000 --rate 30 --json | node bench/fleet-plot.ts > fleet.svg\n' +
      '  npm run bench:fleet -- --models 500 --interval 60 --import 1000\n' +
      '  npm run bench:fleet -- --models 500 --interval 2 --budget 67108864 --gather 0   # and with --gather 3000',
  )
  .action(bench);

await program.parseAsync();

async function bench(options: Options): Promise<void> {
  const { dir, json, search, minutes, budget } = options;
  const machine = describeMachine();
  const before = calibrate(CALIBRATION_RUNS);
  const findings: FleetFinding[] = [];
  for (const models of options.models) {
    const load: FleetLoad = {
      intervalSeconds:
        options.rate === undefined
          ? options.interval
          : Math.max(MIN_INTERVAL_SECONDS, Math.round(models / options.rate)),
      budgetBytes: budget,
      minutes,
      importedMetrics: options.import,
      gatherMs: options.gather,
    };
    const installation = await fleetInstallation(dir, models, tell);
    const add = (finding: FleetFinding) => {
      findings.push(finding);
      tell(`${models} models, every ${finding.intervalSeconds} s: p99 ${finding.lag.p99Ms} ms`);
    };
    tell(`${models} models, a sample every ${load.intervalSeconds} s, for ${minutes} min`);
    if (search === true) await shortestInterval(installation, load, add);
    else if (options.import > 0) add(await runOnCopy(installation, load));
    else add(await runFleet(installation, load));
  }
  const found: FleetBench = {
    command: `npm run bench:fleet -- ${process.argv.slice(2).join(' ')}`,
    machine,
    calibrationMs: { before, after: calibrate(CALIBRATION_RUNS) },
    fsyncMs: fsyncMilliseconds(dir),
    findings,
  };
  process.stdout.write(json === true ? `${JSON.stringify(found, null, 1)}\n` : describeFleet(found));
}

/** What is imported must not be there the next time. */
async function runOnCopy(installation: FleetInstallation, load: FleetLoad): Promise<FleetFinding> {
  const directory = await mkdtemp(join(installation.directory, '../htmengine-fleet-copy-'));
  try {
    await cp(installation.directory, directory, { recursive: true });
    return await runFleet({ ...installation, directory }, load);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}

/** One more number of a list. Its first takes the place of the default, which is given as `previous` then. */
function integers(text: string, previous: readonly number[]): readonly number[] {
  return [...(previous === MODELS ? [] : previous), positiveInteger(text)];
}

function interval(text: string): number {
  const seconds = positiveInteger(text);
  if (seconds < MIN_INTERVAL_SECONDS)
    throw new InvalidArgumentError(`It must be ${MIN_INTERVAL_SECONDS} at the least.`);
  return seconds;
}

function wholeNumber(text: string): number {
  return text === '0' ? 0 : positiveInteger(text);
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}
