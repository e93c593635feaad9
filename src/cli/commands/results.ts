import type { Command } from 'commander';
import type { ResultsOptions } from '../results/results.ts';
import { parseCount, parseShare } from './arguments.ts';
import { engineOptions, exactOption, examples, METRICS_ARGUMENT, METRICS_HELP } from './engine-options.ts';

export function registerResults(program: Command): void {
  exactOption(
    engineOptions(
      program.command('results').description('show scored rows, the newest ones or as they come'),
    ),
  )
    .argument(`[${METRICS_ARGUMENT}...]`, `${METRICS_HELP}; all without any`)
    .option('-f, --follow', 'go on with every result as it is scored')
    .option('--min-likelihood <n>', 'only results at or above it, 0 to 1; 0.5 is an anomaly', parseShare)
    .option(
      '-n, --last <n>',
      'so many rows of each metric (default: 10 of one, 1 of each of several)',
      parseCount,
    )
    .addHelpText(
      'after',
      `
With --json an object a line. A connection that breaks is made again; of a single metric nothing is missed then.
${examples(
  'htmengine results --follow --min-likelihood 0.5       anomalies as they happen',
  'htmengine results web.cpu -n 50',
  "htmengine results --follow 'web.*' --json | jq .value",
)}`,
    )
    .action(async (names: string[], options: ResultsOptions & { follow?: boolean }) =>
      options.follow === true
        ? (await import('../results/follow.ts')).followResults(names, options)
        : (await import('../results/results.ts')).results(names, options),
    );
}
