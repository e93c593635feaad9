import type { Command } from 'commander';
import { addConfigOptions, type ConfigOptions } from '../config-options.ts';

export function registerUp(program: Command): void {
  addConfigOptions(program.command('up').description('run all services in this process, on SQLite'))
    .option(
      '--roles <names>',
      'run only these, separated by commas; the commands below are those of one role each',
    )
    .action(async (options: ConfigOptions) => (await import('../up.ts')).up(options));
}
