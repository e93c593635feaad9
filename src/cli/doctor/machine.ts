import { totalmem } from 'node:os';
import { type Finding, ok, problem, sizeText, warning } from './finding.ts';

/** What the machine, or the container we are in, gives this process. */
export interface Machine {
  readonly nodeVersion: string;
  readonly platform: string;
  /** The memory of the machine, or the limit of the control group if that is lower. */
  readonly memoryBytes: number;
  readonly memoryIsLimited: boolean;
  /** What is free now, or can be made so. */
  readonly availableBytes: number;
  /** null where the system does not tell. */
  readonly maxOpenFiles: number | null;
}

const OLDEST_NODE = 24;
const MIB = 2 ** 20;
/** What the engine takes besides warm models: an idle one had 190 MiB resident. */
const ENGINE_BYTES = 256 * MIB;
/** The database, logs, worker threads and what Node itself holds. */
const OTHER_FILES = 100;
/** This program did not exist before: a clock that says so is wrong. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
const LATEST_MS = Date.UTC(2100, 0, 1);

export function readMachine(): Machine {
  const limitBytes = process.constrainedMemory();
  const memoryIsLimited = limitBytes > 0 && limitBytes < totalmem();
  return {
    nodeVersion: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    memoryBytes: memoryIsLimited ? limitBytes : totalmem(),
    memoryIsLimited,
    availableBytes: process.availableMemory(),
    maxOpenFiles: readMaxOpenFiles(),
  };
}

export function nodeFinding({ nodeVersion, platform }: Pick<Machine, 'nodeVersion' | 'platform'>): Finding {
  const found = `${nodeVersion} on ${platform}`;
  return Number.parseInt(nodeVersion, 10) >= OLDEST_NODE
    ? ok('Node.js', found)
    : problem('Node.js', found, `install Node.js ${OLDEST_NODE} or newer`);
}

export function clockFinding(nowMs: number): Finding {
  const found = `${new Date(nowMs).toISOString().slice(0, -5)}Z`;
  if (nowMs >= EARLIEST_MS && nowMs < LATEST_MS) return ok('clock', found);
  return problem(
    'clock',
    `${found}, which cannot be`,
    'set it, and keep it right with NTP: samples without a time get this one, and others are refused when they lie 24 hours ahead of it',
  );
}

/** @param held an engine runs already: what it holds is not available any more */
export function memoryFinding(
  { memoryBytes, memoryIsLimited, availableBytes }: Machine,
  budgetBytes: number,
  held: boolean,
): Finding {
  const whole = `${sizeText(memoryBytes)}${memoryIsLimited ? ' (limit of the control group)' : ''}`;
  const found = `models may take ${sizeText(budgetBytes)} of ${whole}; ${sizeText(availableBytes)} available`;
  const fix = `lower scheduler.memoryBudgetBytes to ${Math.max(1, Math.floor(memoryBytes / 2 / MIB)) * MIB} or less, or give more memory`;
  if (budgetBytes + ENGINE_BYTES > memoryBytes) return problem('memory', found, fix);
  if (!held && budgetBytes + ENGINE_BYTES > availableBytes)
    return warning('memory', found, 'end other programs, or lower scheduler.memoryBudgetBytes');
  return ok('memory', found);
}

/** @param connections that may be open at the same time */
export function filesFinding({ maxOpenFiles }: Pick<Machine, 'maxOpenFiles'>, connections: number): Finding {
  if (maxOpenFiles === null) return ok('open files', 'this system does not tell its limit');
  const needed = connections + OTHER_FILES;
  const found = `${maxOpenFiles} may be open, ${needed} are needed if all connections are made`;
  return maxOpenFiles >= needed
    ? ok('open files', found)
    : warning(
        'open files',
        found,
        `raise the limit (ulimit -n ${needed}, LimitNOFILE= in systemd), or lower listener.graphite.maxConnections and api.maxConnections`,
      );
}

function readMaxOpenFiles(): number | null {
  // Without the addresses of the network, which are slow to find and nobody's business.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } };
  };
  const soft = report.userLimits?.open_files?.soft;
  if (soft === 'unlimited') return Number.MAX_SAFE_INTEGER;
  return soft ?? null;
}
