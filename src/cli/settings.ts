import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Config, type ConfigInput, parseConfig } from '../config.ts';
import { HtmEngineError } from '../errors.ts';

/**
 * The settings of a configuration file (YAML) with `flags` laid over them; either may be absent.
 * @throws HtmEngineError `config_invalid` naming file, path, value and rule
 */
export function loadConfig(file: string | undefined, flags: ConfigInput): Config {
  const fromFile = file === undefined ? {} : readFile(file);
  return parseConfig(merge(fromFile, flags), file ?? 'settings');
}

function readFile(file: string): unknown {
  try {
    return (parse(readFileSync(file, 'utf8')) as unknown) ?? {};
  } catch (error) {
    throw new HtmEngineError(
      'config_invalid',
      `${file}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** `over` laid over `under`, object by object. */
function merge(under: unknown, over: unknown): unknown {
  if (!isObject(under) || !isObject(over)) return over === undefined ? under : over;
  const keys = new Set([...Object.keys(under), ...Object.keys(over)]);
  return Object.fromEntries([...keys].map((key) => [key, merge(under[key], over[key])]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
