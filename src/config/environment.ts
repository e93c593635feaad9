import type { Environment } from './expand.ts';
import { fromText, type GivenValue, type Layer, type Problem } from './layers.ts';
import { nearest } from './nearest.ts';
import { SETTINGS } from './settings.ts';

/** The variable that names the configuration file where no flag does. */
export const CONFIG_FILE_VARIABLE = 'HTMENGINE_CONFIG';
const PREFIX = 'HTMENGINE_';
/** Ours, but no settings of the engine. */
const OTHERS: ReadonlySet<string> = new Set([CONFIG_FILE_VARIABLE, 'HTMENGINE_URL', 'HTMENGINE_TOKEN']);

const settingsByVariable = new Map(SETTINGS.map((setting) => [setting.variable, setting]));

/** What environment variables set; an empty one counts as not set. */
export function environmentLayer(environment: Environment): Layer {
  const given: GivenValue[] = [];
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === '') continue;
    const origin = { kind: 'environment', name } as const;
    const setting = settingsByVariable.get(name);
    if (setting !== undefined) {
      given.push({ setting, value: fromText(setting, text), origin });
      continue;
    }
    const near = OTHERS.has(name) ? null : nearestVariable(name);
    if (near !== null)
      problems.push({ origin, path: null, message: `this is not a setting; did you mean ${near}?` });
  }
  return { given, problems };
}

/** Variables that look like settings and are near none: another program's perhaps, so they are passed over. */
export function unknownVariables(environment: Environment): string[] {
  return Object.keys(environment).filter(
    (name) =>
      name.startsWith(PREFIX) &&
      !OTHERS.has(name) &&
      !settingsByVariable.has(name) &&
      nearestVariable(name) === null,
  );
}

function nearestVariable(name: string): string | null {
  const names = [...settingsByVariable.keys()].map((variable) => variable.slice(PREFIX.length));
  const near = nearest(name.slice(PREFIX.length), names);
  return near === null ? null : PREFIX + near;
}
