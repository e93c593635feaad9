import { hasCode, HtmEngineError } from '../../errors.ts';
import { EngineClient } from '../../client/engine-client.ts';
import type { MonitorRequest } from '../../client/types.ts';
import { confirmed } from '../terminal/confirm.ts';
import { Output } from '../terminal/output.ts';
import { countText, printable } from '../terminal/text.ts';
import { UsageError } from '../usage-error.ts';
import { selectNames, type SelectionOptions } from './selection.ts';
import { stateText } from './state.ts';

/** Flags of every command that does something to metrics. */
export interface ActionOptions extends SelectionOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  /** Do not ask. */
  readonly yes?: boolean;
}

export type MonitorOptions = ActionOptions & MonitorRequest;
export type CloneOptions = ActionOptions & { readonly rows: boolean };

interface Action {
  /** What will be lost, said of how many metrics; only then a pattern is asked about. */
  readonly loses?: (metrics: string) => string;
  /** Does it to one metric. @returns what was done. */
  readonly run: (client: EngineClient, name: string) => Promise<string>;
}

const SHOWN_NAMES = 5;

export async function create(names: readonly string[], options: ActionOptions): Promise<void> {
  await perform(
    names,
    { ...options, exact: true },
    {
      run: async (client, name) => {
        await client.createMetric(name);
        return 'created';
      },
    },
  );
}

export async function monitor(args: readonly string[], options: MonitorOptions): Promise<void> {
  const { min, max, minResolution, enableClassifier, unit, resource } = options;
  if ((min === undefined) !== (max === undefined))
    throw new UsageError('give --min and --max together, or neither');
  const request: MonitorRequest = {
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(minResolution !== undefined && { minResolution }),
    ...(enableClassifier !== undefined && { enableClassifier }),
    ...(unit !== undefined && { unit }),
    ...(resource !== undefined && { resource }),
  };
  await perform(args, options, {
    run: async (client, name) => `monitored: ${stateText(await client.monitor(name, request))}`,
  });
}

export async function unmonitor(args: readonly string[], options: ActionOptions): Promise<void> {
  await perform(args, options, {
    loses: (metrics) => `This ends monitoring of ${metrics} and removes models and scores; rows stay.`,
    run: async (client, name) => {
      await client.unmonitor(name);
      return 'not monitored any more';
    },
  });
}

export async function remove(args: readonly string[], options: ActionOptions): Promise<void> {
  await perform(args, options, {
    loses: (metrics) => `This removes ${metrics} with rows, models and scores.`,
    run: async (client, name) => {
      await client.deleteMetric(name);
      return 'deleted';
    },
  });
}

export async function activate(args: readonly string[], options: ActionOptions): Promise<void> {
  await perform(args, options, { run: async (client, name) => stateText(await client.activate(name)) });
}

export async function clone(from: string, to: string, options: CloneOptions): Promise<void> {
  await perform(
    [from],
    { ...options, exact: true },
    {
      run: async (client) => {
        const copy = await client.clone(from, to, options.rows);
        return `cloned to ${printable(to)}: ${stateText(copy)}`;
      },
    },
  );
}

interface Outcome {
  readonly name: string;
  readonly done: boolean;
  /** What was done, or why not. */
  readonly message: string;
  readonly code?: string;
}

/** Does it to each metric, telling what became of each; what is refused for one does not stop the others but fails the command. */
export async function perform(
  args: readonly string[],
  options: ActionOptions,
  action: Action,
): Promise<void> {
  const client = new EngineClient(options.url, options);
  const { names, byPattern } = await selectNames(client, args, options);
  if (byPattern && action.loses !== undefined && options.yes !== true) {
    if (!(await confirmed(action.loses(namesText(names))))) {
      process.stderr.write('Nothing was done.\n');
      process.exitCode = 1;
      return;
    }
  }
  const output = Output.toStandardOutput();
  const outcomes: Outcome[] = [];
  for (const name of names) {
    const outcome = await attempt(name, () => action.run(client, name));
    outcomes.push(outcome);
    if (!outcome.done) process.exitCode = 1;
    const line = `${printable(name)}: ${printable(outcome.message)}\n`;
    if (options.json === true) continue;
    if (outcome.done) await output.write(line);
    else process.stderr.write(`htmengine: ${line}`);
  }
  if (options.json === true) await output.write(`${JSON.stringify(outcomes, null, 2)}\n`);
}

async function attempt(name: string, run: () => Promise<string>): Promise<Outcome> {
  try {
    return { name, done: true, message: await run() };
  } catch (error) {
    if (!(error instanceof HtmEngineError) || !hasCode(error, 'engine_refused')) throw error;
    return { name, done: false, message: error.message, code: String(error.details.code) };
  }
}

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).map(printable).join(', ');
  const more = names.length > SHOWN_NAMES ? `, and ${names.length - SHOWN_NAMES} more` : '';
  return `${countText(names.length, 'metric')} (${shown}${more})`;
}
