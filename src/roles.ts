import type { Config } from './config.ts';
import { HtmEngineError } from './errors.ts';
import { MEMORY } from './open-bus.ts';
import { SQLITE } from './open-store.ts';

/** What a process may do of the engine's work, in the order of a sample's path; a process has any of them. */
export const ROLES = [
  'metric-listener',
  'metric-storer',
  'model-scheduler',
  'anomaly-service',
  'publisher',
  'api',
  'retention',
] as const;
export type Role = (typeof ROLES)[number];

/** Everything in one process. */
export const ALL_ROLES: ReadonlySet<Role> = new Set(ROLES);

/**
 * Where a process of one role serves health and metrics unless it is told otherwise: one of each may run on a machine. The
 * role `api` has them beside HTTP.
 */
const HEALTH_PORTS: Readonly<Record<Exclude<Role, 'api'>, number>> = {
  'metric-listener': 8081,
  'metric-storer': 8082,
  'model-scheduler': 8083,
  'anomaly-service': 8084,
  publisher: 8085,
  retention: 8086,
};

/** The settings whose default is another for a process of one role, by path. */
export function roleDefaults(role: Role): Readonly<Record<string, unknown>> {
  return role === 'api' ? {} : { 'health.port': HEALTH_PORTS[role] };
}

/** Whether these are all roles there are: one process does everything. */
export function isComplete(roles: ReadonlySet<Role>): boolean {
  return roles.size === ROLES.length;
}

/** Roles as they are given on the command line: separated by commas. @throws HtmEngineError `config_invalid` */
export function parseRoles(text: string): ReadonlySet<Role> {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isRole(name));
  if (unknown !== undefined) {
    throw new HtmEngineError(
      'config_invalid',
      `${JSON.stringify(unknown)} is no role: give some of ${ROLES.join(', ')}, separated by commas`,
    );
  }
  return new Set(names.filter(isRole));
}

function isRole(name: string): name is Role {
  return (ROLES as readonly string[]).includes(name);
}

/**
 * Refuses what cannot work: several processes on SQLite, and, without a broker, one that takes samples in and does not
 * store them, stores what nobody brings, or publishes to nobody.
 * @throws HtmEngineError `config_invalid`
 */
export function checkRoles(roles: ReadonlySet<Role>, { store, bus }: Config): void {
  if (isComplete(roles)) return;
  if (store.url === SQLITE) {
    throw new HtmEngineError(
      'config_invalid',
      'SQLite serves one process with all roles: name a database server with --store to share them out',
    );
  }
  if (bus.url !== MEMORY) return;
  const takesIn = roles.has('metric-listener') || roles.has('api');
  if (takesIn !== roles.has('metric-storer') || roles.has('publisher')) {
    throw new HtmEngineError(
      'config_invalid',
      `the roles ${[...roles].join(', ')} need a broker to reach the other processes: name one with --bus`,
    );
  }
}
