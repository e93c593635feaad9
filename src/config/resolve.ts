import { type Config, type ConfigInput, configSchema } from '../config.ts';
import { HtmEngineError } from '../errors.ts';
import { CONFIG_FILE_VARIABLE, environmentLayer } from './environment.ts';
import type { Environment } from './expand.ts';
import { fileLayer } from './file.ts';
import {
  fromText,
  type GivenValue,
  type Layer,
  layerOf,
  type Origin,
  originText,
  type Problem,
  shownValue,
} from './layers.ts';
import { ORIGINAL_CONFIG_VARIABLE, originalLayer } from './original/layer.ts';
import { findSetting, ruleOf, type Setting, SETTINGS } from './settings.ts';

/** All settings with where each comes from, and everything that is wrong with them. */
export interface Resolution {
  readonly settings: readonly GivenValue[];
  readonly problems: readonly Problem[];
  /** What was given and has no effect, which is nothing wrong. */
  readonly notes: readonly Problem[];
  /** null if there are problems. */
  readonly config: Config | null;
  /** The configuration file, or null. */
  readonly file: string | null;
}

/** What the command line gives: the file's name, and text (or true) by flag, `--port` for instance. */
export interface CommandLineSettings {
  readonly file?: string;
  readonly flags?: Readonly<Record<string, string | boolean>>;
  /** By path, for a command that has other defaults than the schema. */
  readonly defaults?: Readonly<Record<string, unknown>>;
}

const DEFAULT: Origin = { kind: 'default', name: '' };

/**
 * The settings of this process: flags win over environment variables, those over the file, that over a configuration of
 * the original's, that over defaults.
 */
export function resolveSettings(
  { file: fileFlag, flags = {}, defaults = {} }: CommandLineSettings,
  environment: Environment = process.env,
): Resolution {
  const fromVariable = environment[CONFIG_FILE_VARIABLE];
  const file = fileFlag ?? (fromVariable === '' ? undefined : fromVariable) ?? null;
  const directory = environment[ORIGINAL_CONFIG_VARIABLE] ?? '';
  const original = directory === '' ? null : originalLayer(directory, environment);
  const layers = [
    defaultLayer(defaults),
    ...(original === null ? [] : [original]),
    ...(file === null ? [] : [fileLayer(file, environment)]),
    environmentLayer(environment),
    flagLayer(flags),
  ];
  return { ...resolveLayers(layers), notes: original?.notes ?? [], file };
}

/**
 * The settings of this process: from a file if one is given or `HTMENGINE_CONFIG` names one, environment variables over
 * those, flags over both.
 * @throws HtmEngineError `config_invalid` naming every problem: source, path, value and rule
 */
export function loadConfig(given: CommandLineSettings, environment?: Environment): Config {
  return configOf(resolveSettings(given, environment));
}

/**
 * Settings that a program gives, with defaults filled in.
 * @throws HtmEngineError `config_invalid` naming every problem: path, value and rule
 */
export function parseConfig(settings: ConfigInput): Config {
  return configOf(resolveLayers([layerOf(settings, () => ({ kind: 'program', name: 'settings' }))]));
}

/** One line for a problem. */
export function problemText({ origin, message }: Problem): string {
  return `${originText(origin)}: ${message}`;
}

function configOf({ config, problems }: Pick<Resolution, 'config' | 'problems'>): Config {
  if (config !== null) return config;
  const lines = problems.map(problemText);
  const text =
    lines.length === 1 ? lines.join() : `${lines.length} settings are wrong:\n  ${lines.join('\n  ')}`;
  throw new HtmEngineError('config_invalid', text);
}

function defaultLayer(defaults: Readonly<Record<string, unknown>>): Layer {
  const given = Object.entries(defaults).map(([path, value]): GivenValue => {
    const setting = findSetting(path);
    if (setting === null) throw new Error(`${path} has a default and is no setting`);
    return { setting, value, origin: DEFAULT };
  });
  return { given, problems: [] };
}

function flagLayer(flags: NonNullable<CommandLineSettings['flags']>): Layer {
  const given = SETTINGS.flatMap((setting): GivenValue[] => {
    const { flag } = setting;
    const value = flag === null ? undefined : flags[flag];
    if (flag === null || value === undefined) return [];
    const origin = { kind: 'flag', name: flag } as const;
    return [{ setting, value: typeof value === 'string' ? fromText(setting, value) : value, origin }];
  });
  return { given, problems: [] };
}

/** Lays one layer over the other; the last wins. */
function resolveLayers(layers: readonly Layer[]): Omit<Resolution, 'file' | 'notes'> {
  const given = new Map<string, GivenValue>();
  for (const layer of layers) for (const one of layer.given) given.set(one.setting.path, one);
  const result = configSchema.safeParse(treeOf([...given.values()]));
  const settings = SETTINGS.map((setting) => {
    const one = given.get(setting.path) ?? { setting, value: setting.default, origin: DEFAULT };
    return result.success ? { ...one, value: valueAt(result.data, setting.path) } : one;
  });
  const problems = layers.flatMap((layer) => layer.problems);
  if (result.success) return { settings, problems, config: problems.length === 0 ? result.data : null };
  return { settings, problems: [...problems, ...refusals(result.error.issues, given)], config: null };
}

function valueAt(config: Config, path: string): unknown {
  return path.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], config);
}

function treeOf(given: readonly GivenValue[]): object {
  const tree: Record<string, unknown> = {};
  for (const { setting, value } of given) {
    const names = setting.path.split('.');
    const last = names.pop() ?? '';
    let node = tree;
    for (const name of names) node = (node[name] ??= {}) as Record<string, unknown>;
    node[last] = value;
  }
  return tree;
}

/** What the schema refuses, once for each setting. */
function refusals(
  issues: readonly {
    readonly code: string;
    readonly path: readonly PropertyKey[];
    readonly message: string;
  }[],
  given: ReadonlyMap<string, GivenValue>,
): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { code, path, message } of issues) {
    const setting = settingAt(path);
    if (setting === null) throw new Error(`the schema refuses what no setting is: ${message}`);
    if (problems.has(setting.path)) continue;
    const { origin, value } = given.get(setting.path) ?? { origin: DEFAULT, value: undefined };
    const rule = code === 'custom' ? null : ruleOf(setting);
    problems.set(setting.path, {
      origin,
      path: setting.path,
      message: `${setting.path} is ${shownValue(setting, value)}: ${rule === null ? message : `it must be ${rule}`}`,
    });
  }
  return [...problems.values()];
}

/** The setting that a path of the schema lies in. */
function settingAt(path: readonly PropertyKey[]): Setting | null {
  for (let length = path.length; length > 0; length--) {
    const setting = findSetting(path.slice(0, length).join('.'));
    if (setting !== null) return setting;
  }
  return null;
}
