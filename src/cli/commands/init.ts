import type { Command } from 'commander';
import type { InitOptions } from '../init.ts';
import { examples } from './engine-options.ts';

export function registerInit(program: Command): void {
  program
    .command('init')
    .description('lay down an application on the engine, in a directory that is empty or not there yet')
    .argument('<directory>', 'where')
    .option(
      '--dependency <spec>',
      'what its package.json names as htmengine; without it this program is packed into the directory',
    )
    .option(
      '--example <name>',
      'which: skeleton (the smallest there is) or traffic (New York traffic, simulated, with a page of its own)',
      'skeleton',
    )
    .addHelpText(
      'after',
      examples(
        'htmengine init my-application',
        'htmengine init --example traffic my-traffic',
        'htmengine init my-application --dependency ^1.0.0',
      ) + '\nThen: cd my-application && npm install && npm start\n',
    )
    .action(async (directory: string, options: InitOptions) =>
      (await import('../init.ts')).init(directory, options),
    );
}
