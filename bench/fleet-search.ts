import type { FleetInstallation } from './fleet-installation.ts';
import { type FleetFinding, type FleetLoad, runFleet } from './fleet-run.ts';

/** A load is carried if every sample was scored and 99 of 100 within so long. */
export const GOAL_P99_MS = 10_000;
/** What the whole process may take. */
const GOAL_RESIDENT_MIB = 1024;
/** The search ends when the interval is known to within so much. */
const PRECISION = 1.15;
const MAX_RUNS = 10;

export function isCarried({ sent, scored, lag }: FleetFinding): boolean {
  return scored === sent && lag.p99Ms <= GOAL_P99_MS;
}

/** What is to be reached, and whether it was. */
export function targets({
  sent,
  scored,
  lag,
  residentMaxMib,
}: FleetFinding): [target: string, isReached: boolean][] {
  return [
    ['every sample scored', scored === sent],
    [`p99 lag within ${GOAL_P99_MS / 1000} s`, lag.p99Ms <= GOAL_P99_MS],
    [`resident within ${GOAL_RESIDENT_MIB} MiB`, residentMaxMib <= GOAL_RESIDENT_MIB],
  ];
}

/**
 * Looks for the shortest interval that an installation carries: halves or doubles the given one until one is carried and
 * one is not, then tries between them. @param onRun is told of each run
 */
export async function shortestInterval(
  installation: FleetInstallation,
  load: FleetLoad,
  onRun: (finding: FleetFinding) => void,
): Promise<FleetFinding | null> {
  let carried: FleetFinding | null = null;
  let tooShort = 0;
  let interval = load.intervalSeconds;
  for (let run = 0; run < MAX_RUNS; run++) {
    const finding = await runFleet(installation, { ...load, intervalSeconds: interval });
    onRun(finding);
    if (isCarried(finding)) carried = finding;
    else tooShort = interval;
    if (carried === null) interval = 2 * tooShort;
    else if (tooShort === 0) interval = carried.intervalSeconds / 2;
    else if (carried.intervalSeconds / tooShort <= PRECISION) break;
    else interval = Math.sqrt(carried.intervalSeconds * tooShort);
    interval = Math.max(MIN_INTERVAL_SECONDS, Math.round(interval));
    if (interval === carried?.intervalSeconds || interval === tooShort) break;
  }
  return carried;
}

/** Times are whole seconds, and a metric has one row a second at the most. */
export const MIN_INTERVAL_SECONDS = 2;
