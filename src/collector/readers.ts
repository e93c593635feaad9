import { access, readFile, statfs } from 'node:fs/promises';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import {
  parseCpuTimes,
  parseInterfaces,
  parseMemory,
  type CpuTimes,
  type InterfaceCounters,
  type Usage,
} from './proc.ts';

/** Where the collector gets its numbers from; null where the operating system does not tell. */
export interface HostReaders {
  /** Number of processors. */
  readonly processors: () => number;
  readonly cpu: () => Promise<CpuTimes>;
  /** Average number of processes that run or want to, over one minute. */
  readonly load: (() => number) | null;
  readonly memory: () => Promise<Usage>;
  readonly disk: () => Promise<Usage>;
  /** Counters by interface. */
  readonly network: (() => Promise<ReadonlyMap<string, InterfaceCounters>>) | null;
  /** What the interfaces can move in one direction, bytes per second; null if they do not say. */
  readonly linkBytesPerSecond: () => Promise<number | null>;
}

const BYTES_PER_MEGABIT = 125_000;
const INTERFACES_DIRECTORY = '/sys/class/net';

/**
 * This machine's readers. On Linux from `/proc` and `/sys`; elsewhere from `node:os`, which knows nothing of the
 * network, counts memory that only caches as used, and on Windows has no load.
 * @param diskPath any path on the file system to watch
 */
export function systemReaders(diskPath: string, platform: NodeJS.Platform = process.platform): HostReaders {
  const everywhere = { processors: () => Math.max(1, cpus().length), disk: () => diskUsage(diskPath) };
  if (platform === 'linux') {
    return {
      ...everywhere,
      cpu: async () => parseCpuTimes(await readFile('/proc/stat', 'utf8')),
      load: oneMinuteLoad,
      memory: async () => parseMemory(await readFile('/proc/meminfo', 'utf8')),
      network: physicalInterfaces,
      linkBytesPerSecond,
    };
  }
  return {
    ...everywhere,
    cpu: () => Promise.resolve(cpuTimes()),
    load: platform === 'win32' ? null : oneMinuteLoad,
    memory: () => Promise.resolve({ used: totalmem() - freemem(), total: totalmem() }),
    network: null,
    linkBytesPerSecond: () => Promise.resolve(null),
  };
}

function oneMinuteLoad(): number {
  return loadavg()[0] ?? Number.NaN;
}

function cpuTimes(): CpuTimes {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    total += all;
    busy += all - times.idle;
  }
  return { busy, total };
}

/** As `df` counts: what is reserved for the administrator is neither used nor free. */
async function diskUsage(path: string): Promise<Usage> {
  const { blocks, bfree, bavail } = await statfs(path);
  const used = blocks - bfree;
  return { used, total: used + bavail };
}

/**
 * The interfaces that have hardware behind them, so that what passes a bridge or tunnel is not counted twice; in a
 * container, where none has, all.
 */
async function physicalInterfaces(): Promise<Map<string, InterfaceCounters>> {
  const all = parseInterfaces(await readFile('/proc/net/dev', 'utf8'));
  const physical = new Map<string, InterfaceCounters>();
  for (const [name, counters] of all) {
    const hasDevice = await access(join(INTERFACES_DIRECTORY, name, 'device')).then(
      () => true,
      () => false,
    );
    if (hasDevice) physical.set(name, counters);
  }
  return physical.size > 0 ? physical : all;
}

async function linkBytesPerSecond(): Promise<number | null> {
  let megabits = 0;
  for (const name of (await physicalInterfaces()).keys()) {
    // Interfaces without a link, and virtual ones, answer -1 or an error.
    const text = await readFile(join(INTERFACES_DIRECTORY, name, 'speed'), 'utf8').catch(() => '');
    megabits += Math.max(0, Number(text.trim()) || 0);
  }
  return megabits > 0 ? megabits * BYTES_PER_MEGABIT : null;
}
