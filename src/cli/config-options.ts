import { type Command, Option } from 'commander';
import { FLAGS } from '../config/flags.ts';
import type { CommandLineSettings } from '../config/resolve.ts';

/** What commander makes of the options that `addConfigOptions` adds, among others. */
export type ConfigOptions = Readonly<Record<string, unknown>>;

const OPTIONS = FLAGS.map((flag) => {
  const help = flag.default === undefined ? flag.help : `${flag.help} (default: ${flag.default})`;
  const option = new Option(flag.argument === undefined ? flag.name : `${flag.name} ${flag.argument}`, help);
  return { flag: flag.name, option };
});

/** Adds `--config` and the flags that set something; what they are given is checked with all other settings. */
export function addConfigOptions(command: Command): Command {
  command.option('--config <file>', 'settings (YAML); environment variables and flags win over them');
  for (const { option } of OPTIONS) command.addOption(option);
  return command;
}

/** What those options were given. */
export function commandLineSettings(options: ConfigOptions): CommandLineSettings {
  const flags: Record<string, string | boolean> = {};
  for (const { flag, option } of OPTIONS) {
    const value = options[option.attributeName()];
    if (typeof value === 'string' || typeof value === 'boolean') flags[flag] = value;
  }
  const { config } = options;
  return typeof config === 'string' ? { file: config, flags } : { flags };
}
