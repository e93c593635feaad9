import type { Argument, Command, Option } from 'commander';

/** What may stand at the end of a command line that is being typed. */
export type Candidates =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  /** Names of metrics, which the engine knows. `url` is where the line says it is. */
  | { readonly kind: 'metrics'; readonly url: string | undefined }
  | { readonly kind: 'files' };

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** How arguments and options that hold names of metrics are written in the help. */
const METRIC_PLACEHOLDER = /^metrics?$/;
/** `import --metric` names a column instead. */
const METRIC_OPTION_OF = new Set(['send']);

/**
 * What may follow on a command line, read from the commands as they are registered.
 * @param words what is typed after the program's name; the last one, perhaps empty, is to be completed.
 */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const typed = words.at(-1) ?? '';
  const state = readWords(program, words.slice(0, -1));
  const { command, pending } = state;
  if (pending !== null) return valuesOf(command, pending, typed, state.url);
  if (typed.startsWith('-') && !state.onlyArguments)
    return { kind: 'words', words: optionWords(command, typed) };
  if (command.commands.length > 0) return { kind: 'words', words: commandWords(command, typed) };
  const argument = argumentAt(command, state.argumentsTyped);
  if (argument === undefined) return { kind: 'words', words: [] };
  if (METRIC_PLACEHOLDER.test(argument.name())) return { kind: 'metrics', url: state.url };
  return argument.argChoices === undefined
    ? { kind: 'files' }
    : { kind: 'words', words: choices(argument.argChoices, typed) };
}

interface LineState {
  command: Command;
  /** The option whose value is being typed. */
  pending: Option | null;
  argumentsTyped: number;
  onlyArguments: boolean;
  url: string | undefined;
}

function readWords(program: Command, words: readonly string[]): LineState {
  const state: LineState = {
    command: program,
    pending: null,
    argumentsTyped: 0,
    onlyArguments: false,
    url: undefined,
  };
  for (const word of words) {
    if (state.pending !== null) {
      if (state.pending.long === '--url') state.url = word;
      state.pending = null;
    } else if (word === '--') {
      state.onlyArguments = true;
    } else if (word.startsWith('-') && !state.onlyArguments) {
      const [flag = '', value] = word.split('=', 2);
      const option = state.command.options.find(({ long, short }) => long === flag || short === flag);
      if (flag === '--url') state.url = value;
      state.pending = option?.required === true && value === undefined ? option : null;
    } else {
      const subcommand = state.command.commands.find((command) => command.name() === word);
      if (subcommand === undefined) state.argumentsTyped++;
      else state.command = subcommand;
    }
  }
  return state;
}

function valuesOf(command: Command, option: Option, typed: string, url: string | undefined): Candidates {
  if (option.argChoices !== undefined) return { kind: 'words', words: choices(option.argChoices, typed) };
  if (option.long === '--metric' && METRIC_OPTION_OF.has(command.name())) return { kind: 'metrics', url };
  return { kind: 'files' };
}

function optionWords(command: Command, typed: string): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) =>
      long?.startsWith(typed) === true ? [{ word: long, description }] : [],
    );
}

function commandWords(command: Command, typed: string): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((sub) => ({ word: sub.name(), description: sub.description() }))
    .filter(({ word }) => word.startsWith(typed));
}

function choices(words: readonly string[], typed: string): Candidate[] {
  return words.filter((word) => word.startsWith(typed)).map((word) => ({ word, description: '' }));
}

/** The argument that the next word is; the last one of some commands takes any number. */
function argumentAt(command: Command, position: number): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
}
