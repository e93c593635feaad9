import { type Command, InvalidArgumentError } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import type { PlanOptions } from '../plan/plan.ts';
import { parseNumber } from './arguments.ts';
import { examples } from './engine-options.ts';

const MAX_METRICS = 10_000_000;
const MAX_SECONDS = 86_400;

function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = parseNumber(text);
    if (value < least || value > most) throw new InvalidArgumentError(`it must be from ${least} to ${most}.`);
    return value;
  };
}

export function registerPlan(program: Command): void {
  addConfigOptions(
    program
      .command('plan')
      .description('what so many metrics would take on this machine: memory, disk, CPU, lag')
      .requiredOption('--metrics <n>', 'metrics, each with a model', between(1, MAX_METRICS))
      .requiredOption('--interval <seconds>', 'between two samples of a metric', between(1, MAX_SECONDS))
      .option('--seconds <n>', 'how long to train models for the measurement', between(1, 600), 10)
      .option('--json', 'print costs and estimate as JSON'),
  )
    .addHelpText(
      'after',
      examples(
        'htmengine plan --metrics 2000 --interval 60',
        'htmengine plan --metrics 10000 --interval 300 --seconds 30 --json',
        'htmengine plan --metrics 2000 --interval 60 --store postgres://me@db.example/htmengine_plan',
      ) +
        `
Trains a few models for some seconds, saves, loads and stores, in a temporary directory (TMPDIR; put it on the disk
that the engine will use), and computes from what that cost here and now. Takes the settings that "up" takes. An engine on the
same machine makes it slower, as it would make another engine. With --store URL the database server is measured: give an
empty database on it, which is left empty; one that has metrics is refused.
Exit codes: 0 this machine can carry it, 1 it cannot.
`,
    )
    .action(async (options: PlanOptions) => (await import('../plan/plan.ts')).plan(options));
}
