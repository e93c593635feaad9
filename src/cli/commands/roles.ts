import type { Command } from 'commander';
import type { Role } from '../../roles.ts';
import { addConfigOptions, type ConfigOptions } from '../config-options.ts';

/** What a process of one role does, for help. The command `retention` is that of the role and of its settings, and registered apart. */
const DESCRIPTIONS: Readonly<Record<Exclude<Role, 'retention'>, string>> = {
  'metric-listener': 'take samples in and hand them to the broker',
  'metric-storer': 'store the samples that the broker has',
  'model-scheduler': 'run models',
  'anomaly-service': 'turn what the models say into anomaly scores',
  publisher: 'deliver results to the broker',
  api: 'serve HTTP and the dashboard',
};

/** One command a role, for processes that share the work on a database server and a broker. */
export function registerRoles(program: Command): void {
  for (const [role, description] of Object.entries(DESCRIPTIONS) as [Role, string][]) {
    addConfigOptions(
      program.command(role).description(`${description} (one of several processes that share the work)`),
    ).action(async (options: ConfigOptions) => (await import('../up.ts')).up(options, new Set([role])));
  }
}
