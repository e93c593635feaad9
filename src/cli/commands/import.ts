import type { Command } from 'commander';
import type { ImportOptions } from '../import/import.ts';
import { engineOptions, examples } from './engine-options.ts';

/** `import` of rows: a command of its own, and `metrics import`. */
export function registerFileImport(parent: Command): void {
  engineOptions(parent.command('import').description('store the rows of a CSV file'))
    .argument('<file>', 'a header and rows, separated by commas; - is standard input')
    .option(
      '--timestamp <column>',
      'the time: epoch seconds or ISO 8601, UTC without an offset (default: guessed)',
    )
    .option('--value <column>', 'the values (default: guessed)')
    .option('--metric <column>', "the column that names each row's metric (default: one called metric)")
    .option('--name <name>', "the only metric's name (default: the file's, without its ending)")
    .option('--wide', 'every column but that of the time is a metric')
    .option('--prefix <text>', 'put before the name of every metric')
    .option('--skip-bad', 'leave bad rows out and count them (default: stop at the first)')
    .addHelpText(
      'after',
      `
Rows go into the engine in the order of the file; those of a metric must rise in time. Rows that are not newer than
what the engine has of their metric are skipped, so an import that was interrupted goes on when it is called again,
and a file that has grown brings only what is new. An engine that has no room, or starts anew, is waited for.
${examples(
  'htmengine import cpu.csv --name web.cpu',
  'htmengine import all.csv --metric host --value load --prefix load.',
  'htmengine import sensors.csv --wide --prefix hall. --skip-bad',
  'zcat rows.csv.gz | htmengine import -',
)}`,
    )
    .action(async (file: string, options: ImportOptions) =>
      (await import('../import/import.ts')).importFile(file, options),
    );
}
