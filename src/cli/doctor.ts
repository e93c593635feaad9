import type { Config } from '../config.ts';
import { unknownVariables } from '../config/environment.ts';
import { problemText, type Resolution, resolveSettings } from '../config/resolve.ts';
import { commandLineSettings, type ConfigOptions } from './config-options.ts';
import { dataFindings } from './doctor/data.ts';
import { type Finding, ok, problem, warning } from './doctor/finding.ts';
import { clockFinding, filesFinding, memoryFinding, nodeFinding, readMachine } from './doctor/machine.ts';
import { networkFindings } from './doctor/network.ts';
import { tinted } from './terminal/table.ts';
import { countText } from './terminal/text.ts';

export type DoctorOptions = ConfigOptions & { readonly json?: true };

const TONES = { ok: 'green', warning: 'yellow', problem: 'red' } as const;
const VERDICT_WIDTH = 9;
const NAME_WIDTH = 16;

/** Looks at everything an engine needs, tells each finding with what to do, and sets the exit code. */
export async function doctor(options: DoctorOptions): Promise<void> {
  const resolution = resolveSettings(commandLineSettings(options));
  const findings = [settingsFinding(resolution)];
  if (resolution.config !== null) findings.push(...(await examine(resolution.config)));
  const healthy = !findings.some(({ verdict }) => verdict === 'problem');
  if (options.json) process.stdout.write(`${JSON.stringify({ healthy, findings }, null, 2)}\n`);
  else print(findings);
  if (!healthy) process.exitCode = 1;
}

async function examine(config: Config): Promise<Finding[]> {
  const machine = readMachine();
  const { findings: data, held } = await dataFindings(config.dataDirectory);
  return [
    nodeFinding(machine),
    ...data,
    ...(await networkFindings(config, held)),
    clockFinding(Date.now()),
    memoryFinding(machine, config.scheduler.memoryBudgetBytes, held),
    filesFinding(machine, config.listener.graphite.maxConnections + config.api.maxConnections),
  ];
}

function settingsFinding({ problems, file }: Resolution): Finding {
  if (problems.length > 0)
    return problem(
      'settings',
      problems.map(problemText).join('; '),
      'correct them; the other checks need settings that are right',
    );
  const ignored = unknownVariables(process.env);
  if (ignored.length > 0)
    return warning(
      'settings',
      `no settings, so passed over: ${ignored.join(', ')}`,
      'unset them if they are not meant for something else',
    );
  return ok('settings', file === null ? 'right, without a file' : `right, with the file ${file}`);
}

function print(findings: readonly Finding[]): void {
  for (const { verdict, name, found, fix } of findings) {
    const label = tinted(TONES[verdict], verdict.padEnd(VERDICT_WIDTH), process.stdout);
    process.stdout.write(`${label}${name.padEnd(NAME_WIDTH)}${found}\n`);
    if (fix !== null) process.stdout.write(`${' '.repeat(VERDICT_WIDTH + NAME_WIDTH)}-> ${fix}\n`);
  }
  const count = (wanted: Finding['verdict']) => findings.filter(({ verdict }) => verdict === wanted).length;
  process.stdout.write(
    `\n${countText(count('problem'), 'problem')}, ${countText(count('warning'), 'warning')}.\n`,
  );
}
