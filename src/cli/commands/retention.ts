import { type Command, InvalidArgumentError } from 'commander';
import type { AgeOptions, RetentionOptions } from '../retention/retention.ts';
import { addConfigOptions, type ConfigOptions } from '../config-options.ts';
import { parseNumber } from './arguments.ts';
import { engineOptions, exactOption, examples, METRICS_ARGUMENT, METRICS_HELP } from './engine-options.ts';

const MAX_DAYS = 24_000;

function parseDays(text: string): number {
  const days = parseNumber(text);
  if (days <= 0 || days > MAX_DAYS) {
    throw new InvalidArgumentError(`it must be more than 0 and at most ${MAX_DAYS}.`);
  }
  return days;
}

export function registerRetention(program: Command): void {
  const group = addConfigOptions(
    program
      .command('retention')
      .description(
        'how long rows are kept: "retention status", "run" and "set" ask a running engine; alone it is itself a service, the one of several processes that purges',
      )
      .addHelpText(
        'after',
        `
Two things have this name. With one of the commands it asks a running engine and ends. Without one it is a service as
metric-storer and the others are, takes the options above, and needs a database server.
${examples('htmengine retention status', 'htmengine retention --config /etc/htmengine.yaml')}`,
      ),
  ).action(async (options: ConfigOptions) => (await import('../up.ts')).up(options, new Set(['retention'])));
  const commands = () => import('../retention/retention.ts');

  engineOptions(group.command('status').description('the age at which rows go, and what the last pass did'))
    .addHelpText('after', examples('htmengine retention status', 'htmengine retention status --json'))
    .action(async (options: RetentionOptions) => (await commands()).status(options));

  engineOptions(group.command('run').description('purge now what is too old, and wait until it is done'))
    .addHelpText(
      'after',
      `
Purges what the engine purges by itself every retention.intervalSeconds, in small batches beside live traffic. A row
that anything may still need stays, however old it is; "status" says how many metrics that concerns, and why.
${examples('htmengine retention run')}`,
    )
    .action(async (options: RetentionOptions) => (await commands()).run(options));

  exactOption(engineOptions(group.command('set').description('give metrics an age of their own')))
    .argument(`<${METRICS_ARGUMENT}...>`, METRICS_HELP)
    .option('--days <n>', 'rows older than this are purged', parseDays)
    .option('--keep', 'rows are never purged')
    .option('--default', "back to the engine's setting, retention.maxAgeDays")
    .addHelpText(
      'after',
      examples(
        "htmengine retention set 'web.*' --days 90",
        'htmengine retention set sales.daily --keep',
        "htmengine retention set 'web.*' --default",
      ),
    )
    .action(async (names: string[], options: AgeOptions) => (await commands()).setAge(names, options));
}
