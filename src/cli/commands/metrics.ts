import { type Command, Option } from 'commander';
import type { ActionOptions } from '../metrics/actions.ts';
import type { ExportRowsOptions } from '../metrics/export.ts';
import type { DeleteRowsOptions } from '../metrics/model-actions.ts';
import type { ListOptions } from '../metrics/list.ts';
import type { ShowOptions } from '../metrics/show.ts';
import { parseCount } from './arguments.ts';
import {
  engineOptions,
  exactOption,
  examples,
  METRICS_ARGUMENT,
  METRICS_HELP,
  parseTimeOption,
  yesOption,
} from './engine-options.ts';
import { registerFileImport } from './import.ts';
import { registerModelVerbs } from './model-verbs.ts';

export function registerMetrics(program: Command): void {
  const group = program.command('metrics').description('list, show, change, export and delete metrics');
  registerList(group, false);
  registerShow(group);

  engineOptions(group.command('create').description('make metrics without rows, not monitored'))
    .argument('<names...>', 'their names')
    .action(async (names: string[], options: ActionOptions) =>
      (await import('../metrics/actions.ts')).create(names, options),
    );

  registerModelVerbs(group);

  yesOption(
    exactOption(
      engineOptions(group.command('delete').description('remove metrics with rows, models and scores')),
    ),
  )
    .argument(`<${METRICS_ARGUMENT}...>`, METRICS_HELP)
    .addHelpText(
      'after',
      examples(
        'htmengine metrics delete web.cpu',
        "htmengine metrics delete 'old.*'         asks first; --yes does not",
      ),
    )
    .action(async (names: string[], options: ActionOptions) =>
      (await import('../metrics/actions.ts')).remove(names, options),
    );

  yesOption(
    exactOption(engineOptions(group.command('delete-rows').description('remove rows of an interval'))),
  )
    .argument(`<${METRICS_ARGUMENT}...>`, METRICS_HELP)
    .requiredOption('--from <time>', 'first time, epoch seconds or ISO 8601', parseTimeOption)
    .requiredOption('--to <time>', 'last time', parseTimeOption)
    .option('--relearn', 'also rows that the model needs: it learns anew from those that are left')
    .addHelpText(
      'after',
      examples('htmengine metrics delete-rows web.cpu --from 2026-05-01 --to 2026-05-02 --relearn'),
    )
    .action(async (names: string[], options: DeleteRowsOptions) =>
      (await import('../metrics/model-actions.ts')).deleteRows(names, options),
    );

  exactOption(engineOptions(group.command('export').description('write rows with their scores as CSV')))
    .argument(`[${METRICS_ARGUMENT}...]`, `${METRICS_HELP}; all without any`)
    .option('--from <time>', 'first time, epoch seconds or ISO 8601', parseTimeOption)
    .option('--to <time>', 'last time', parseTimeOption)
    .option('--out <file>', 'where to write (default: standard output)')
    .addHelpText(
      'after',
      `
With --json a JSON object a line. "htmengine import" reads the CSV.
${examples(
  "htmengine metrics export 'web.*' --out web.csv",
  'htmengine metrics export web.cpu --from 2026-01-31 | gzip > cpu.csv.gz',
)}`,
    )
    .action(async (names: string[], options: ExportRowsOptions) =>
      (await import('../metrics/export.ts')).exportRows(names, options),
    );

  registerFileImport(group);
}

/** `list`, of all metrics or of those with a model. */
export function registerList(group: Command, onlyMonitored: boolean): void {
  const what = onlyMonitored ? 'metrics that have a model' : 'metrics';
  exactOption(
    engineOptions(group.command('list').description(`show ${what} with state, last value and score`)),
  )
    .argument(`[${METRICS_ARGUMENT}...]`, `${METRICS_HELP}; all without any`)
    .addOption(
      new Option('--sort <by>', 'the highest score or the newest row first')
        .choices(['name', 'score', 'time'])
        .default('name'),
    )
    .option('-n, --limit <n>', 'show only so many', parseCount)
    .addHelpText(
      'after',
      `
Scores are log-likelihoods: 0 is usual, from 0.5 on a row is an anomaly. Elsewhere than on a terminal: one line a
metric, tabs between its parts.
${examples(
  `htmengine ${group.name()} list --sort score -n 10     what is unusual now`,
  `htmengine ${group.name()} list 'web.*' --json`,
)}`,
    )
    .action(async (names: string[], options: ListOptions) =>
      (await import('../metrics/list.ts')).list(names, options, onlyMonitored),
    );
}

export function registerShow(group: Command): void {
  exactOption(
    engineOptions(group.command('show').description('tell everything about metrics and their models')),
  )
    .argument(`<${METRICS_ARGUMENT}...>`, METRICS_HELP)
    .action(async (names: string[], options: ShowOptions) =>
      (await import('../metrics/show.ts')).show(names, options),
    );
}
