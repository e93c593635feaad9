import type { Command } from 'commander';
import type { BackupOptions } from '../backup.ts';
import { addConfigOptions } from '../config-options.ts';
import { examples } from './engine-options.ts';

export function registerBackup(program: Command): void {
  addConfigOptions(
    program
      .command('backup')
      .description('back up rows, scores and saved models, while the engine runs or not')
      .argument(
        '<target>',
        'where to: a directory, or a file named *.tar, *.tar.gz or *.tgz; new, or an empty directory',
      )
      .option('--json', 'print the outcome as JSON'),
  )
    .addHelpText(
      'after',
      examples(
        'htmengine backup /backups/2026-11-25 --data-dir ./htmengine-data',
        'htmengine backup /backups/2026-11-25.tar.gz --data-dir ./htmengine-data',
      ) +
        `
Takes the settings that "up" takes, to find the data directory, which it reads itself: run it on the engine's machine,
as a user that may read its files. The engine is not held up. What is backed up is one moment's state of the database;
what is lost after it is what came later. A backup without its backup.json was not finished and is refused. A file is
packed from a directory beside it, so it needs the space of both for a while.

With a database server (--store) use the server's own tool, mariadb-dump --single-transaction or pg_dump: saved models
are rows there too, of the same moment. Or stop the engine and copy everything into files: htmengine copy --from URL --to DIRECTORY.
`,
    )
    .action(async (target: string, options: BackupOptions) =>
      (await import('../backup.ts')).backup(target, options),
    );

  addConfigOptions(
    program
      .command('restore')
      .description('make a data directory of a backup')
      .argument('<backup>', 'as "htmengine backup" made it')
      .option('--json', 'print the outcome as JSON'),
  )
    .addHelpText(
      'after',
      examples(
        'htmengine restore /backups/2026-11-25 --data-dir ./restored',
        'htmengine restore /backups/2026-11-25.tar.gz --data-dir ./restored',
        'htmengine up --data-dir ./restored',
      ) +
        `
Every file is compared with its checksum first; the directory is there when all of it is, or not at all. The engine
goes on from the moment of the backup: send again what came later, the rest is told from it as duplicates.
`,
    )
    .action(async (directory: string, options: BackupOptions) =>
      (await import('../backup.ts')).restoreBackup(directory, options),
    );
}
