import { type Command, Option } from 'commander';
import type { ActionOptions, CloneOptions, MonitorOptions } from '../metrics/actions.ts';
import type { DoNotLearnOptions, LearningOptions, RestartOptions } from '../metrics/model-actions.ts';
import { parseNumber } from './arguments.ts';
import {
  engineOptions,
  exactOption,
  examples,
  METRIC_ARGUMENT,
  METRICS_ARGUMENT,
  METRICS_HELP,
  parseTimeOption,
  yesOption,
} from './engine-options.ts';

/** What may be done to a metric's model is the same under `metrics` and under `models`. */
export function registerModelVerbs(group: Command): void {
  const actions = () => import('../metrics/actions.ts');
  const modelActions = () => import('../metrics/model-actions.ts');
  const forMetrics = (name: string, description: string) =>
    exactOption(engineOptions(group.command(name).description(description))).argument(
      `<${METRICS_ARGUMENT}...>`,
      METRICS_HELP,
    );

  forMetrics('monitor', 'give metrics a model that learns them; a metric that is not there is created')
    .option('--min <n>', 'least value to expect; with --max it learns from the first row', parseNumber)
    .option('--max <n>', 'greatest value to expect', parseNumber)
    .option('--min-resolution <n>', "the least difference that counts, in the metric's unit", parseNumber)
    .option('--enable-classifier', 'also predict the next value')
    .option('--unit <unit>', 'kept with the metric')
    .option('--resource <name>', 'what the metric belongs to; kept with it')
    .addHelpText(
      'after',
      `
Without a range it is taken from the first 288 rows, and learning begins then.
${examples(
  `htmengine ${group.name()} monitor web.cpu --min 0 --max 100`,
  `htmengine ${group.name()} monitor 'web.*'`,
)}`,
    )
    .action(async (names: string[], options: MonitorOptions) => (await actions()).monitor(names, options));

  yesOption(forMetrics('unmonitor', 'remove models and scores; rows stay')).action(
    async (names: string[], options: ActionOptions) => (await actions()).unmonitor(names, options),
  );

  forMetrics('activate', 'let metrics that wait for rows begin with those that are there').action(
    async (names: string[], options: ActionOptions) => (await actions()).activate(names, options),
  );

  yesOption(forMetrics('restart', 'let failed models try again, or learn anew'))
    .option('--skip', 'go on without the row at which it failed; it gets no score')
    .option('--relearn', 'drop models and scores and learn anew from the first stored row')
    .option('--learn-all', 'with --relearn: also what was left out until now')
    .addHelpText(
      'after',
      examples(
        `htmengine ${group.name()} restart web.cpu             try the row again at which it failed`,
        `htmengine ${group.name()} restart web.cpu --skip      go on without that row`,
        `htmengine ${group.name()} restart web.cpu --relearn   forget everything and learn the rows once more`,
      ),
    )
    .action(async (names: string[], options: RestartOptions) =>
      (await modelActions()).restart(names, options),
    );

  forMetrics('learning', 'switch learning on or off, from the next row on')
    .addOption(new Option('--on', 'rows change the model').conflicts('off'))
    .addOption(new Option('--off', 'rows are scored by what was learned until now'))
    .action(async (names: string[], options: LearningOptions) =>
      (await modelActions()).learning(names, options),
    );

  yesOption(forMetrics('do-not-learn', 'leave an interval unlearned; its rows are scored'))
    .requiredOption('--from <time>', 'first time, epoch seconds or ISO 8601', parseTimeOption)
    .requiredOption('--to <time>', 'last time; may be to come', parseTimeOption)
    .option('--relearn', 'if rows of it are learned already: learn anew without them')
    .addHelpText(
      'after',
      examples(
        `htmengine ${group.name()} do-not-learn web.cpu --from 2026-05-01T22:00Z --to 2026-05-02T04:00Z`,
      ),
    )
    .action(async (names: string[], options: DoNotLearnOptions) =>
      (await modelActions()).doNotLearn(names, options),
    );

  forMetrics('reset', 'begin a new sequence with the next row; what was learned stays').action(
    async (names: string[], options: ActionOptions) => (await modelActions()).reset(names, options),
  );

  engineOptions(group.command('clone').description('copy a metric with its model under another name'))
    .argument(`<${METRIC_ARGUMENT}>`, 'the name of the metric to copy')
    .argument('<to>', 'the name of the copy')
    .option('--no-rows', 'copy only the parameters: the copy learns from its own rows')
    .action(async (from: string, to: string, options: CloneOptions) =>
      (await actions()).clone(from, to, options),
    );
}
