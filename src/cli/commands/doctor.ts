import type { Command } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import type { DoctorOptions } from '../doctor.ts';
import { examples } from './engine-options.ts';

export function registerDoctor(program: Command): void {
  addConfigOptions(
    program
      .command('doctor')
      .description('look for what keeps an engine from working on this machine, and say what to do')
      .option('--json', 'answer in JSON, for programs'),
  )
    .addHelpText(
      'after',
      examples('htmengine doctor', 'htmengine doctor --config htmengine.yaml --json') +
        '\nTakes the settings that "up" takes: give it the same. Exit codes: 0 no problem, 1 a problem.\n',
    )
    .action(async (options: DoctorOptions) => (await import('../doctor.ts')).doctor(options));
}
