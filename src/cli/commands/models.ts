import type { Command } from 'commander';
import type { ActionOptions } from '../metrics/actions.ts';
import type { SpecOptions } from '../metrics/export.ts';
import {
  engineOptions,
  exactOption,
  examples,
  METRICS_ARGUMENT,
  METRICS_HELP,
  yesOption,
} from './engine-options.ts';
import { registerList, registerShow } from './metrics.ts';
import { registerModelVerbs } from './model-verbs.ts';

export function registerModels(program: Command): void {
  const group = program.command('models').description('list, show, change, export and import models');
  registerList(group, true);
  registerShow(group);
  registerModelVerbs(group);

  yesOption(
    exactOption(engineOptions(group.command('delete').description('the same as unmonitor: rows stay'))),
  )
    .argument(`<${METRICS_ARGUMENT}...>`, METRICS_HELP)
    .action(async (names: string[], options: ActionOptions) =>
      (await import('../metrics/actions.ts')).unmonitor(names, options),
    );

  exactOption(engineOptions(group.command('export').description('write the specs of models as JSON')))
    .argument(`[${METRICS_ARGUMENT}...]`, `${METRICS_HELP}; all without any`)
    .option('--data', 'also their rows of the last 14 days')
    .option('--out <file>', 'where to write (default: standard output)')
    .addHelpText(
      'after',
      `
A spec says how a metric is monitored (range, unit, ...), not what its model has learned; with the rows it learns again.
${examples('htmengine models export --out models.json', 'htmengine models import models.json --url http://other:8080')}`,
    )
    .action(async (names: string[], options: SpecOptions) =>
      (await import('../metrics/export.ts')).exportModels(names, options),
    );

  engineOptions(
    group.command('import').description('monitor what specs say; what is monitored already stays as it is'),
  )
    .argument('<file>', 'as "models export" writes it, or an array of specs; - is standard input')
    .action(async (file: string, options: SpecOptions) =>
      (await import('../metrics/export.ts')).importModels(file, options),
    );
}
