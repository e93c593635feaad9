/** `npm run bench:store`: what rows cost on each of the stores, side by side. */
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Progress } from '../src/cli/terminal/progress.ts';
import { calibrate, describeMachine } from './calibration.ts';
import { fsyncMilliseconds } from './proc.ts';
import { describeStores, type StoreBench } from './store-report.ts';
import { measureStore, type StoreFinding } from './store-run.ts';
import { STORE_KINDS, type StoreKind } from './store-targets.ts';

interface Options {
  readonly stores: readonly StoreKind[];
  readonly metrics: number;
  readonly rows: number;
  readonly inFlight: number;
  readonly seconds: number;
  readonly dir: string;
  readonly json?: boolean;
}

const CALIBRATION_RUNS = 5;
/** Metrics of the shape that has many rows of each. */
const FEW_METRICS = 5;

const program = new Command('bench:store')
  .description(
    'Stores, scores and publishes rows (T0 to T3, without models) in an empty store of each kind: many metrics with one row\n' +
      `each, and ${FEW_METRICS} metrics with many rows each. Prints rows per second, round trips and bytes per row, with the machine.\n` +
      'The servers are those of the tests (docs/stores.md). Linux only (/proc).',
  )
  .addOption(new Option('--stores <kind...>', 'which stores').choices(STORE_KINDS).default(STORE_KINDS))
  .option('--metrics <n>', 'how many metrics with one row each', positiveInteger, 500)
  .option('--rows <n>', `how many rows of each of ${FEW_METRICS} metrics`, positiveInteger, 200)
  .option('--in-flight <n>', 'how many transactions at the same time, T1 to T3', positiveInteger, 4)
  .option('--seconds <n>', 'for how long each shape is repeated on each store', positiveInteger, 5)
  .option('--dir <dir>', 'where SQLite’s databases are put', tmpdir())
  .option('--json', 'print the figures as JSON')
  .action(bench);

await program.parseAsync();

async function bench(options: Options): Promise<void> {
  const { stores, inFlight, seconds, dir: directory } = options;
  const shapes = [
    { metrics: options.metrics, rows: 1 },
    { metrics: FEW_METRICS, rows: options.rows },
  ];
  const progress = new Progress(process.stderr, stores.length * shapes.length);
  const before = calibrate(CALIBRATION_RUNS);
  const fsyncMs = fsyncMilliseconds(directory);
  const findings: StoreFinding[] = [];
  for (const shape of shapes) {
    for (const store of stores) {
      findings.push(...(await measureStore(store, { shape, inFlight, seconds, directory })));
      progress.advance(1);
      progress.finished(`${store}, ${shape.metrics} metrics with ${shape.rows} rows`);
    }
  }
  progress.end();
  const found: StoreBench = {
    machine: describeMachine(),
    command: ['npm run bench:store --', ...process.argv.slice(2)].join(' '),
    calibrationMs: { before, after: calibrate(CALIBRATION_RUNS) },
    fsyncMs,
    inFlight,
    findings,
  };
  process.stdout.write(options.json === true ? `${JSON.stringify(found, null, 1)}\n` : describeStores(found));
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}
