import { unknownVariables } from '../config/environment.ts';
import { originText, shownValue } from '../config/layers.ts';
import { problemText, type Resolution, resolveSettings } from '../config/resolve.ts';
import { jsonSchema } from '../config/settings.ts';
import { commandLineSettings, type ConfigOptions } from './config-options.ts';
import { tableText } from './terminal/table.ts';
import { countText } from './terminal/text.ts';

export type CheckConfigOptions = ConfigOptions & { readonly json?: true; readonly schema?: true };

const COLUMNS = [{ title: 'SETTING' }, { title: 'VALUE' }, { title: 'FROM' }];

/** Prints the settings in force with their origins, and what is wrong; sets the exit code. */
export function checkConfig(options: CheckConfigOptions): void {
  if (options.schema) {
    process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    return;
  }
  const resolution = resolveSettings(commandLineSettings(options));
  const ignored = unknownVariables(process.env);
  if (options.json) process.stdout.write(`${JSON.stringify(asJson(resolution, ignored), null, 2)}\n`);
  else print(resolution, ignored);
  if (resolution.config === null) process.exitCode = 1;
}

function asJson({ config, file, settings, problems, notes }: Resolution, ignored: readonly string[]): object {
  return {
    valid: config !== null,
    file,
    settings: settings.map(({ setting, value, origin }) => ({
      path: setting.path,
      value: setting.secret && value !== undefined ? '(hidden)' : (value ?? null),
      origin,
    })),
    problems,
    notes,
    ignoredVariables: ignored,
  };
}

function print({ settings, problems, notes: remarks }: Resolution, ignored: readonly string[]): void {
  const rows = settings.map(({ setting, value, origin }) => ({
    cells: [setting.path, shownValue(setting, value), originText(origin)],
    tone: origin.kind === 'default' ? ('dim' as const) : undefined,
  }));
  process.stdout.write(tableText(COLUMNS, rows, process.stdout));
  const notes = [
    ...remarks.map((remark) => `${problemText(remark)}\n`),
    ...ignored.map((name) => `Passed over, as it is no setting: ${name}\n`),
  ];
  const verdict =
    problems.length === 0
      ? 'All is well.\n'
      : `${countText(problems.length, 'problem')}:\n${problems.map((problem) => `  ${problemText(problem)}\n`).join('')}`;
  process.stderr.write(`\n${notes.join('')}${verdict}`);
}
