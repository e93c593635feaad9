import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseTime } from '../../csv/cell-values.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** What an argument that is one metric, or several, is called: completion looks for these. */
export const METRIC_ARGUMENT = 'metric';
export const METRICS_ARGUMENT = 'metrics';
export const METRICS_HELP = "names, or patterns like 'web.*'";

/** Where the engine is, and how to answer: every command that speaks with an engine takes these. */
export function engineOptions(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'where the engine is').env('HTMENGINE_URL').default(DEFAULT_URL))
    .addOption(new Option('--token <token>', 'for an engine that asks for one').env('HTMENGINE_TOKEN'))
    .option('--json', 'answer in JSON, for programs');
}

/** Where names may be patterns. */
export function exactOption(command: Command): Command {
  return command.option('--exact', 'take * and ? in names as they are');
}

export function yesOption(command: Command): Command {
  return command.option('-y, --yes', 'do not ask, though a pattern chooses what is lost');
}

/** Epoch seconds. */
export function parseTimeOption(text: string): number {
  const time = parseTime(text);
  if (time.wrong !== undefined) throw new InvalidArgumentError(`${time.wrong}.`);
  return time.number;
}

/** Text for the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
