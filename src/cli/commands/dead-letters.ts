import type { Command } from 'commander';
import { addConfigOptions } from '../config-options.ts';
import type { DeadLetterOptions } from '../dead-letters/dead-letters.ts';
import { examples } from './engine-options.ts';

const load = () => import('../dead-letters/dead-letters.ts');

/** Commands on the messages that could not be read, on the broker that the settings name. */
export function registerDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description('messages on the broker that could not be read (see bus.url)');
  addConfigOptions(group.command('list').description('what there is, oldest first'))
    .option('--json', 'as JSON')
    .action(async (options: DeadLetterOptions) => (await load()).listDeadLetters(options));
  addConfigOptions(group.command('show <id>').description('the message as it came'))
    .option('--json', 'as JSON, the message in base64')
    .action(async (id: string, options: DeadLetterOptions) => (await load()).showDeadLetter(id, options));
  addConfigOptions(
    group
      .command('replay [ids...]')
      .description('put messages back into their queue, behind everything that was sent meanwhile'),
  )
    .option('--all', 'all that there are')
    .option('--json', 'as JSON')
    .addHelpText('after', examples('htmengine dead-letters replay --all --config htmengine.yaml'))
    .action(async (ids: string[], options: DeadLetterOptions) =>
      (await load()).replayDeadLetters(ids, options),
    );
  addConfigOptions(group.command('drop [ids...]').description('throw messages away'))
    .option('--all', 'all that there are')
    .option('--json', 'as JSON')
    .action(async (ids: string[], options: DeadLetterOptions) =>
      (await load()).dropDeadLetters(ids, options),
    );
}
