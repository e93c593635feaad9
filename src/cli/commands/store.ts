import type { Command } from 'commander';
import { addConfigOptions, type ConfigOptions } from '../config-options.ts';
import type { CopyOptions } from '../store/copy.ts';
import type { ResetOptions } from '../store/reset.ts';
import { examples } from './engine-options.ts';

/** Commands on the database itself, while no engine runs on it. */
export function registerStore(program: Command): void {
  addConfigOptions(
    program
      .command('migrate')
      .description('bring the database up to date, which "up" does by itself when it starts'),
  )
    .addHelpText('after', examples('htmengine migrate --store mysql://htm@db.example/htm'))
    .action(async (options: ConfigOptions) => (await import('../store/migrate.ts')).migrateStore(options));

  addConfigOptions(
    program
      .command('db')
      .description('the database as a whole')
      .command('reset')
      .description('remove every metric with its rows and models, after its name has been typed')
      .option(
        '--confirm <name>',
        'the name, where nobody can be asked: of the database, or of the data directory',
      ),
  )
    .addHelpText(
      'after',
      examples('htmengine db reset --data-dir ./htmengine-data') +
        "\nStop the engine first. A database that was the original's, or somebody else's, is left alone.\n",
    )
    .action(async (options: ResetOptions) => (await import('../store/reset.ts')).resetDatabase(options));

  program
    .command('copy')
    .description('copy an installation (rows, scores, generations, saved models) into an empty database')
    .requiredOption('--from <place>', 'a data directory, or mysql://... or postgres://...')
    .requiredOption('--to <place>', 'likewise')
    .option('--from-password-file <file>', 'first line: the password for --from')
    .option('--to-password-file <file>', 'first line: the password for --to')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      examples(
        'htmengine copy --from ./htmengine-data --to postgres://htm@db.example/htm',
        'htmengine copy --from mysql://htm@db.example/htm --to ./htmengine-data',
      ) +
        '\nStop the engines on both first. When everything is copied both are read and compared, value by value. Cut short,\n' +
        'the same command goes on where it stopped; until it is done no engine starts on the target.\n',
    )
    .action(async (options: CopyOptions) => (await import('../store/copy.ts')).copy(options));
}
