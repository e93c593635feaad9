import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, expand } from '../expand.ts';
import type { GivenValue, Layer, Origin, Problem } from '../layers.ts';
import { findSetting } from '../settings.ts';
import { type IniFile, parseIni } from './ini.ts';
import { ORIGINAL_FILES, ORIGINAL_KEYS, type OriginalFile, REQUIRED_FILES, type Values } from './keys.ts';

/** The original's variable: the directory its configuration lies in. */
export const ORIGINAL_CONFIG_VARIABLE = 'APPLICATION_CONFIG_PATH';
const OVERRIDE_PREFIX = '_NTA_UTILS_CONFIG__';
const MAX_FILE_BYTES = 2 ** 20;

/** An option with its value in force. */
interface GivenOption {
  readonly file: OriginalFile;
  /** `section.name` */
  readonly key: string;
  readonly value: string;
  readonly origin: Origin;
}

/** What a configuration of the original's sets here, and what it says that has no effect. */
export interface OriginalLayer extends Layer {
  readonly notes: readonly Problem[];
}

/**
 * Reads a directory of the original's: each file, over it the file of the same name in `overrides/`, over that the
 * variables `_NTA_UTILS_CONFIG__FILE__SECTION__OPTION` of options that a file has. What is unknown there belongs to an
 * application, perhaps: it is told, not refused.
 */
export function originalLayer(directory: string, environment: Environment): OriginalLayer {
  const problems: Problem[] = [];
  const notes: Problem[] = [];
  const given: GivenValue[] = [];
  const overrides = new Set<string>();
  for (const file of ORIGINAL_FILES) {
    const options = readOptions(directory, file, environment, problems);
    if (options === null) continue;
    notes.push(...notesOn(options));
    for (const { key } of options) overrides.add(overrideName(file, key));
    given.push(...settingsOf(file, options, problems));
  }
  notes.push(...unusedOverrides(environment, overrides));
  return { given, problems, notes };
}

function readOptions(
  directory: string,
  file: OriginalFile,
  environment: Environment,
  problems: Problem[],
): GivenOption[] | null {
  const baseline = join(directory, `${file}.conf`);
  if (!existsSync(baseline)) {
    if (REQUIRED_FILES.has(file)) {
      const message = `there is no such file: ${ORIGINAL_CONFIG_VARIABLE} must name a directory with ${[...REQUIRED_FILES].map((name) => `${name}.conf`).join(', ')}`;
      problems.push({ origin: { kind: 'file', name: baseline }, path: null, message });
      return null;
    }
    return [];
  }
  const options = new Map<string, GivenOption>();
  for (const path of [baseline, join(directory, 'overrides', `${file}.conf`)]) {
    for (const option of readFile(path, file, environment, problems)) options.set(option.key, option);
  }
  for (const option of options.values()) {
    const name = overrideName(file, option.key);
    const value = environment[name];
    if (value !== undefined)
      options.set(option.key, { ...option, value, origin: { kind: 'environment', name } });
  }
  return [...options.values()];
}

function readFile(
  path: string,
  file: OriginalFile,
  environment: Environment,
  problems: Problem[],
): GivenOption[] {
  const origin: Origin = { kind: 'file', name: path };
  let ini: IniFile;
  try {
    if (!existsSync(path)) return [];
    if (statSync(path).size > MAX_FILE_BYTES)
      throw new Error(`it may have ${MAX_FILE_BYTES} bytes at the most`);
    ini = parseIni(readFileSync(path, 'utf8'));
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    problems.push({ origin, path: null, message });
    return [];
  }
  for (const { line, message } of ini.problems)
    problems.push({ origin: { ...origin, line }, path: null, message });
  return ini.options.map(({ section, name, value, line }) => {
    const key = `${section}.${name}`;
    const expansion = expand(value, environment);
    if (!('problem' in expansion)) return { file, key, value: expansion.text, origin: { ...origin, line } };
    problems.push({ origin: { ...origin, line }, path: null, message: `${key} ${expansion.problem}` });
    return { file, key, value, origin: { ...origin, line } };
  });
}

/** Options without effect, each once. */
function notesOn(options: readonly GivenOption[]): Problem[] {
  return options.flatMap(({ file, key, origin }) => {
    const known = ORIGINAL_KEYS.find((one) => one.file === file && one.key === key);
    if (known === undefined)
      return [{ origin, path: null, message: `${key} is no option of the engine's: passed over` }];
    if (Object.keys(known.settings).length > 0) return [];
    return [
      {
        origin,
        path: null,
        message: `${key} has no effect here: ${known.means.replace(/^nothing[:,] /, '')}`,
      },
    ];
  });
}

function settingsOf(file: OriginalFile, options: readonly GivenOption[], problems: Problem[]): GivenValue[] {
  const values: Values = Object.fromEntries(options.map(({ key, value }) => [key, value]));
  const given = new Map<string, GivenValue>();
  const refused = new Set<string>();
  for (const known of ORIGINAL_KEYS.filter((one) => one.file === file)) {
    const option = options.find(({ key }) => key === known.key);
    for (const [path, effectOf] of Object.entries(known.settings)) {
      if (option === undefined && known.default !== null && known.always !== true) continue;
      const setting = findSetting(path);
      if (setting === null) throw new Error(`${known.key} has an effect on ${path}, which is no setting`);
      const origin = option?.origin ?? { kind: 'environment', name: ORIGINAL_CONFIG_VARIABLE };
      const effect = effectOf(values);
      if (effect === null) continue;
      if ('value' in effect)
        given.set(path, strongest(given.get(path), { setting, value: effect.value, origin }));
      else if (!refused.has(path)) {
        refused.add(path);
        problems.push({ origin, path, message: effect.problem });
      }
    }
  }
  return [...given.values()];
}

/** Of several options that make one setting, a variable's origin tells more than a file's. */
function strongest(before: GivenValue | undefined, now: GivenValue): GivenValue {
  return before?.origin.kind === 'environment' ? { ...now, origin: before.origin } : now;
}

function overrideName(file: OriginalFile, key: string): string {
  const [section = '', name = ''] = key.split('.');
  return OVERRIDE_PREFIX + [file.replaceAll('-', '_'), section, name].join('__').toUpperCase();
}

/** Variables that name no option which a file has: the original passes them over, too, but says nothing. */
function unusedOverrides(environment: Environment, used: ReadonlySet<string>): Problem[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(OVERRIDE_PREFIX) && !used.has(name))
    .map((name) => ({
      origin: { kind: 'environment', name },
      path: null,
      message: 'no file has this option: passed over',
    }));
}
