import type { Command } from 'commander';
import type { CheckConfigOptions } from '../check-config.ts';
import { addConfigOptions } from '../config-options.ts';
import { examples } from './engine-options.ts';

export function registerCheckConfig(program: Command): void {
  addConfigOptions(
    program
      .command('check-config')
      .description('tell which settings are in force, where each comes from, and what is wrong with them')
      .option('--json', 'answer in JSON, for programs')
      .option('--schema', 'print the JSON Schema of the file, for editors, and nothing else'),
  )
    .addHelpText(
      'after',
      examples(
        'htmengine check-config --config htmengine.yaml',
        'HTMENGINE_API_PORT=8081 htmengine check-config --json',
        'htmengine check-config --schema > htmengine.schema.json',
      ) + '\nStarts nothing. Exit codes: 0 all is well, 1 something is wrong.\n',
    )
    .action(async (options: CheckConfigOptions) => (await import('../check-config.ts')).checkConfig(options));
}
