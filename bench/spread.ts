/** `npm run bench:spread`: what several processes on a broker and a database server do, and what a sample costs each of them. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { SERVER_KINDS, type ServerKind } from '../test/support/database-servers.ts';
import { calibrate, describeMachine } from './calibration.ts';
import { describeSpread, type SpreadBench as Found } from './spread-report.ts';
import { SpreadBench, type IngestFinding, type OutageFinding, type SchedulersFinding } from './spread-run.ts';

interface Options {
  readonly database: ServerKind;
  readonly schedulers: readonly number[];
  readonly storers: readonly number[];
  readonly metrics: number;
  readonly rows: number;
  readonly interval: number;
  readonly seconds: number;
  readonly ingestMetrics: number;
  readonly samples: number;
  readonly outage: number;
  readonly json?: boolean;
}

const CALIBRATION_RUNS = 5;

const program = new Command('bench:spread')
  .description(
    'Starts a database server, a broker and the processes of each role for itself, on this machine, and measures: rows a second\n' +
      'and lag with so many schedulers, ingest with so many storers, and what the broker’s being away costs. Linux only (/proc).',
  )
  .addOption(new Option('--database <kind>', 'the database').choices(SERVER_KINDS).default('postgres'))
  .option('--schedulers <list>', 'how many, separated by commas; 0 for not at all', counts, [1, 2, 3])
  .option('--storers <list>', 'how many, separated by commas; 0 for not at all', counts, [1, 2])
  .option('--metrics <n>', 'with models', positiveInteger, 200)
  .option('--rows <n>', 'of each metric that wait to be scored', positiveInteger, 500)
  .option('--interval <s>', 'between live samples of a metric', positiveInteger, 10)
  .option('--seconds <s>', 'of live samples', positiveInteger, 30)
  .option('--ingest-metrics <n>', 'without models', positiveInteger, 1000)
  .option('--samples <n>', 'of the metrics without models', positiveInteger, 200_000)
  .option('--outage <s>', 'how long the broker is stopped; 0 for not at all', wholeNumber, 60)
  .option('--json', 'print the figures as JSON')
  .action(bench);

await program.parseAsync();

async function bench(options: Options): Promise<void> {
  const { database, metrics, rows, interval: intervalSeconds, seconds } = options;
  const traffic = { metrics, rows, intervalSeconds, seconds };
  const before = calibrate(CALIBRATION_RUNS);
  const spread = await SpreadBench.open(database);
  const schedulers: SchedulersFinding[] = [];
  const ingest: IngestFinding[] = [];
  let outage: OutageFinding | null = null;
  try {
    for (const count of options.schedulers) schedulers.push(await spread.schedulers(count, traffic));
    for (const count of options.storers)
      ingest.push(await spread.ingest(count, options.ingestMetrics, options.samples));
    if (options.outage > 0) outage = await spread.outage(options.outage, traffic);
  } finally {
    await spread.close();
  }
  const found: Found = {
    command: `npm run bench:spread -- ${process.argv.slice(2).join(' ')}`.trim(),
    machine: describeMachine(),
    calibrationMs: { before, after: calibrate(CALIBRATION_RUNS) },
    database,
    schedulers,
    ingest,
    outage,
  };
  process.stdout.write(options.json === true ? `${JSON.stringify(found, null, 1)}\n` : describeSpread(found));
}

function counts(text: string): readonly number[] {
  return text
    .split(',')
    .map(wholeNumber)
    .filter((count) => count > 0);
}

function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return value;
}
