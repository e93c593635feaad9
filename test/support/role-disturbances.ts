import { setTimeout as delay } from 'node:timers/promises';
import { ROLES, type Role } from '../../src/roles.ts';
import type { OtherHost } from './other-host.ts';
import type { OwnBroker } from './own-broker.ts';
import type { OwnServer } from './own-server.ts';
import type { RoleCluster } from './role-cluster.ts';
import type { RoleProcess } from './role-process.ts';

/** Something that is done to the processes and what they stand on, while there is work. */
export interface Disturbance {
  readonly name: string;
  /** How many times as many samples as for others come meanwhile. */
  readonly share: number;
  readonly run: () => Promise<void>;
}

/** Of the stages that have leases: much must be under way in them at any moment. */
const LARGE_SHARE = 3;
const LEASED: readonly Role[] = ['model-scheduler', 'anomaly-service'];
/** So long that work piles up, and too short for a lease to be lost. */
const PILE_UP_MS = 2_500;
/** Longer than it takes the others to replace one that does not answer. */
const AWAY_MS = 9_000;
/** How long a process is waited for to be in the middle of work. */
const BUSY_WITHIN_MS = 10_000;
const LOOK_MS = 20;

/** What rises while a process of a role works. */
const WORK: Partial<Record<Role, string>> = {
  'metric-listener': 'htmengine_broker_samples_total',
  'metric-storer': 'htmengine_storer_samples_total',
  'model-scheduler': 'htmengine_scheduler_rows_total',
  'anomaly-service': 'htmengine_anomaly_rows_total',
  publisher: 'htmengine_publishing_results_total',
};

/**
 * Every kind of process stopped for a while and killed in turn, each in the middle of its work; one cut off; the broker
 * stopped, the database killed; one more scheduler that goes again.
 */
export function disturbances(
  cluster: RoleCluster,
  server: OwnServer,
  broker: OwnBroker,
  host: OtherHost,
): Disturbance[] {
  const first = (role: Role): RoleProcess => {
    const [process] = cluster.of(role);
    if (process === undefined) throw new Error(`there is no ${role}`);
    return process;
  };
  const shareOf = (role: Role) => (LEASED.includes(role) ? LARGE_SHARE : 1);
  /** Lets work of a leased stage pile up; resolves when this process is in the middle of it. */
  const untilInTheMiddle = async (role: Role, process: RoleProcess) => {
    await untilBusy(role, process);
    if (!LEASED.includes(role)) return;
    const all = cluster.of(role);
    for (const { child } of all) child.kill('SIGSTOP');
    await delay(PILE_UP_MS);
    for (const { child } of all) child.kill('SIGCONT');
    await untilBusy(role, process);
  };
  const kill = (role: Role): Disturbance => ({
    name: `${role}: SIGKILL`,
    share: shareOf(role),
    run: async () => {
      const process = first(role);
      await untilInTheMiddle(role, process);
      await cluster.end(role, process, 'SIGKILL');
      await delay(role === 'model-scheduler' ? AWAY_MS : 1_000);
      await cluster.start(role);
    },
  });
  const suspend = (role: Role): Disturbance => ({
    name: `${role}: SIGSTOP`,
    share: shareOf(role),
    run: async () => {
      const process = first(role);
      await untilInTheMiddle(role, process);
      process.child.kill('SIGSTOP');
      await delay(AWAY_MS);
      process.child.kill('SIGCONT');
    },
  });
  return [
    ...ROLES.flatMap((role) => [suspend(role), kill(role)]),
    {
      name: 'network: one scheduler cut off',
      share: LARGE_SHARE,
      run: async () => {
        const remote = cluster.of('model-scheduler').find(({ host: at }) => at === host.address);
        if (remote === undefined) throw new Error('no scheduler is on the other host');
        await untilInTheMiddle('model-scheduler', remote);
        await host.pullCable();
        await delay(AWAY_MS);
        await host.plugIn();
      },
    },
    {
      name: 'broker: stopped and started',
      share: 1,
      run: async () => {
        await untilBusy('metric-listener', first('metric-listener'));
        await broker.stopApplication();
        await delay(2_000);
        await broker.startApplication();
      },
    },
    {
      name: 'database: killed and started',
      share: 1,
      run: async () => {
        await untilBusy('metric-storer', first('metric-storer'));
        await server.kill();
        await delay(1_000);
        await server.start();
      },
    },
    {
      name: 'scheduler: one more, and gone again',
      share: LARGE_SHARE,
      run: async () => {
        const added = await cluster.start('model-scheduler');
        await delay(AWAY_MS);
        await cluster.end('model-scheduler', added, 'SIGTERM');
      },
    },
  ];
}

/** Waits until a process is seen to work. One that has nothing to do is disturbed all the same. */
async function untilBusy(role: Role, process: RoleProcess): Promise<void> {
  const counter = WORK[role];
  if (counter === undefined) return;
  const until = performance.now() + BUSY_WITHIN_MS;
  const done = () => process.counter(counter).catch(() => Infinity);
  for (const before = await done(); performance.now() < until;) {
    if ((await done()) > before) return;
    await delay(LOOK_MS);
  }
}
