import type { ModelJson } from '../../client/types.ts';
import { utcText } from '../terminal/text.ts';
import { UsageError } from '../usage-error.ts';
import { type ActionOptions, perform } from './actions.ts';
import { stateText } from './state.ts';

export type RestartOptions = ActionOptions & {
  readonly relearn?: boolean;
  readonly skip?: boolean;
  readonly learnAll?: boolean;
};
export type LearningOptions = ActionOptions & { readonly on?: boolean; readonly off?: boolean };
export type DoNotLearnOptions = ActionOptions & IntervalOptions;
export type DeleteRowsOptions = ActionOptions & IntervalOptions;

interface IntervalOptions {
  /** Epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly relearn?: boolean;
}

export async function restart(args: readonly string[], options: RestartOptions): Promise<void> {
  const { relearn = false, skip = false, learnAll = false } = options;
  if (relearn && skip) throw new UsageError('give --skip or --relearn, not both');
  if (learnAll && !relearn) throw new UsageError('--learn-all goes with --relearn');
  if (!relearn) {
    await perform(args, options, {
      run: async (client, name) => stateText(await client.restart(name, skip ? 'skip' : 'retry')),
    });
    return;
  }
  await perform(args, options, {
    loses: (metrics) =>
      `This drops models and scores of ${metrics} and learns anew from the first stored row.`,
    run: async (client, name) => {
      const metric = await client.restart(name, 'relearn', learnAll ? { without: [] } : {});
      return `learns anew: ${stateText(metric)}`;
    },
  });
}

export async function learning(args: readonly string[], options: LearningOptions): Promise<void> {
  const on = options.on === true;
  if (on === (options.off === true)) throw new UsageError('give --on or --off');
  await perform(args, options, {
    run: async (client, name) => learningText(await client.setLearning(name, on)),
  });
}

export async function doNotLearn(args: readonly string[], options: DoNotLearnOptions): Promise<void> {
  const { relearn = false } = options;
  const interval = intervalOf(options);
  await perform(args, options, {
    ...(relearn && { loses: (metrics) => `This may drop models and scores of ${metrics} and learn anew.` }),
    run: async (client, name) => {
      const model = await client.doNotLearn(name, { ...interval, relearn });
      return `not learned: ${model.leftOut.map(({ from, to }) => `${utcText(from)} to ${utcText(to)}`).join(', ')}`;
    },
  });
}

export async function reset(args: readonly string[], options: ActionOptions): Promise<void> {
  await perform(args, options, {
    run: async (client, name) => {
      await client.resetModel(name);
      return 'the next row begins a new sequence';
    },
  });
}

export async function deleteRows(args: readonly string[], options: DeleteRowsOptions): Promise<void> {
  const { relearn = false } = options;
  const interval = intervalOf(options);
  await perform(args, options, {
    loses: (metrics) =>
      `This deletes rows of ${metrics}${relearn ? ', drops models and scores and learns anew' : ''}.`,
    run: async (client, name) => {
      const rows = await client.deleteRows(name, interval, relearn);
      return `${rows.toLocaleString('en')} rows deleted`;
    },
  });
}

/** In whole seconds, as rows are. */
function intervalOf({ from, to }: IntervalOptions): { from: number; to: number } {
  if (from > to) throw new UsageError('--from must not come after --to');
  return { from: Math.ceil(from), to: Math.floor(to) };
}

function learningText({ learns }: ModelJson): string {
  return learns ? 'learns' : 'does not learn';
}
