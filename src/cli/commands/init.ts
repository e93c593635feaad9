import { Option, type Command } from 'commander';
import { EXAMPLES, type InitOptions } from '../init.ts';
import { examples } from './engine-options.ts';

export function registerInit(program: Command): void {
  program
    .command('init')
    .description(
      'lay down an application on the engine, the smallest unless told otherwise, in a directory that is empty or not there yet',
    )
    .argument('<directory>', 'where')
    .addOption(
      new Option('--example <name>', 'skeleton: the smallest one; traffic: a city, with a map')
        .choices(EXAMPLES)
        .default('skeleton'),
    )
    .option(
      '--dependency <spec>',
      'what its package.json names as htmengine; without it this program is packed into the directory',
    )
    .addHelpText(
      'after',
      examples(
        'htmengine init my-application',
        'htmengine init my-city --example traffic',
        'htmengine init my-application --dependency ^1.0.0',
      ) + '\nThen: cd my-application && npm install && npm start\n',
    )
    .action(async (directory: string, options: InitOptions) =>
      (await import('../init.ts')).init(directory, options),
    );
}
