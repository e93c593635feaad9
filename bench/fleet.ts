/** `npm run bench:fleet`: many learned models in one engine, fed in real time. */
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { calibrate, describeMachine } from './calibration.ts';
import { fleetInstallation } from './fleet-installation.ts';
import { describeFleet, type FleetBench } from './fleet-report.ts';
import { runFleet } from './fleet-run.ts';
import { fsyncMilliseconds } from './proc.ts';

interface Options {
  readonly models: number;
  readonly interval: number;
  readonly budget: number;
  readonly minutes: number;
  readonly dir: string;
  readonly json?: boolean;
}

const CALIBRATION_RUNS = 3;

const program = new Command('bench:fleet')
  .description(
    'Runs an engine, the built program in a process of its own, with many metrics whose models have learned a week of\n' +
      'five-minute rows, sends them live samples over Graphite, and prints what became of those and what it cost.\n' +
      'Linux only (/proc).',
  )
  .option('--models <n>', 'how many metrics, each with its model', positiveInteger, 1000)
  .option(
    '--interval <seconds>',
    'time between two samples of a metric, 2 at the least',
    positiveInteger,
    300,
  )
  .option('--budget <bytes>', 'scheduler.memoryBudgetBytes', positiveInteger, 512 * 2 ** 20)
  .option('--minutes <n>', 'how long samples are sent', Number, 5)
  .option('--dir <dir>', 'where data directories are put, and found again by the next run', tmpdir())
  .option('--json', 'print the figures as JSON')
  .action(bench);

await program.parseAsync();

async function bench({ models, interval, budget, minutes, dir, json }: Options): Promise<void> {
  const tell = (what: string) => process.stderr.write(`${what} ...\n`);
  const installation = await fleetInstallation(dir, models, tell);
  const machine = describeMachine();
  const before = calibrate(CALIBRATION_RUNS);
  tell(`${models} models, a sample every ${interval} s, for ${minutes} min`);
  const finding = await runFleet(installation, { intervalSeconds: interval, budgetBytes: budget, minutes });
  const found: FleetBench = {
    command: `npm run bench:fleet -- ${process.argv.slice(2).join(' ')}`,
    machine,
    calibrationMs: { before, after: calibrate(CALIBRATION_RUNS) },
    fsyncMs: fsyncMilliseconds(dir),
    finding,
  };
  process.stdout.write(json === true ? `${JSON.stringify(found, null, 1)}\n` : describeFleet(found));
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}
