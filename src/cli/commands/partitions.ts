import { type Command, InvalidArgumentError } from 'commander';
import { addConfigOptions, type ConfigOptions } from '../config-options.ts';
import { parseNumber } from './arguments.ts';
import { examples } from './engine-options.ts';

const MAX_PARTITIONS = 1_024;
const load = () => import('../partitions/partitions.ts');

function parseCount(text: string): number {
  const count = parseNumber(text);
  if (!Number.isInteger(count) || count < 1 || count > MAX_PARTITIONS)
    throw new InvalidArgumentError(`it must be a whole number from 1 to ${MAX_PARTITIONS}.`);
  return count;
}

/** Commands on how the work of several processes is divided. */
export function registerPartitions(program: Command): void {
  const group = program
    .command('partitions')
    .description('into how many parts the work of several processes is divided (see docs/operating.md)');
  addConfigOptions(group.command('show').description('how many there are')).action(
    async (options: ConfigOptions) => (await load()).showPartitions(options),
  );
  addConfigOptions(group.command('set').description('share all metrics out anew, while no process runs'))
    .argument('<count>', `1 to ${MAX_PARTITIONS}`, parseCount)
    .addHelpText(
      'after',
      `
Stop what takes samples in first, then, when the storers have emptied the queues, everything else. Samples that wait on
the broker, or a process that still works, are found, and nothing is changed then; a listener that still runs is not
found.
${examples('htmengine partitions set 64 --config htmengine.yaml')}`,
    )
    .action(async (count: number, options: ConfigOptions) => (await load()).setPartitions(count, options));
}
