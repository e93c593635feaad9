import type { ValueRange } from '../generation.ts';
import type { CpuTimes, InterfaceCounters, Usage } from './proc.ts';
import type { HostReaders } from './readers.ts';

/** A metric that is collected, and the values it may be expected to take. */
export interface HostMetric {
  readonly name: string;
  readonly range: ValueRange;
}

/** One value of a metric. */
export interface Reading {
  readonly name: string;
  readonly value: number;
}

/** Something that is measured again and again. */
export interface HostGauge {
  /** For the log. */
  readonly label: string;
  readonly metrics: () => Promise<HostMetric[]>;
  /** The present values; none where there is nothing to compare with yet. */
  readonly read: () => Promise<Reading[]>;
}

const PERCENT: ValueRange = { min: 0, max: 100 };
/** A load of twice the processors is a busy machine; more than that is worth learning as unusual. */
const LOAD_PER_PROCESSOR = 2;
/** 1 Gbit/s, where the machine does not say how fast its network is. */
const DEFAULT_LINK_BYTES_PER_SECOND = 125_000_000;

/** Everything there is to measure on a machine with these readers. `monotonicSeconds` is a clock that is never set. */
export function hostGauges(readers: HostReaders, monotonicSeconds: () => number): HostGauge[] {
  const { load, network } = readers;
  return [
    cpuGauge(readers),
    ...(load === null ? [] : [loadGauge(load, readers.processors)]),
    usageGauge('memory', 'host.memory.used_percent', readers.memory),
    usageGauge('disk', 'host.disk.used_percent', readers.disk),
    ...(network === null ? [] : [networkGauge(network, readers.linkBytesPerSecond, monotonicSeconds)]),
  ];
}

/** The share of processor time that was used since the last reading. */
function cpuGauge({ cpu }: HostReaders): HostGauge {
  const name = 'host.cpu.percent';
  let before: CpuTimes | null = null;
  return {
    label: 'cpu',
    metrics: () => Promise.resolve([{ name, range: PERCENT }]),
    read: async () => {
      const now = await cpu();
      const total = before === null ? 0 : now.total - before.total;
      const busy = before === null ? 0 : now.busy - before.busy;
      before = now;
      // The kernel's times do not rise strictly, so a share may come out a little outside.
      return total > 0 ? [{ name, value: Math.min(100, Math.max(0, (100 * busy) / total)) }] : [];
    },
  };
}

function loadGauge(load: () => number, processors: () => number): HostGauge {
  const name = 'host.load.1m';
  return {
    label: 'load',
    metrics: () => Promise.resolve([{ name, range: { min: 0, max: LOAD_PER_PROCESSOR * processors() } }]),
    read: () => Promise.resolve([{ name, value: load() }]),
  };
}

function usageGauge(label: string, name: string, usage: () => Promise<Usage>): HostGauge {
  return {
    label,
    metrics: () => Promise.resolve([{ name, range: PERCENT }]),
    read: async () => {
      const { used, total } = await usage();
      if (total <= 0) throw new Error(`the total is ${total}`);
      return [{ name, value: (100 * used) / total }];
    },
  };
}

/** Bytes per second since the last reading, over the interfaces that were there at both and did not start anew. */
function networkGauge(
  network: () => Promise<ReadonlyMap<string, InterfaceCounters>>,
  linkBytesPerSecond: () => Promise<number | null>,
  monotonicSeconds: () => number,
): HostGauge {
  const received = 'host.network.received_bytes_per_second';
  const sent = 'host.network.sent_bytes_per_second';
  let before: { counters: ReadonlyMap<string, InterfaceCounters>; seconds: number } | null = null;
  return {
    label: 'network',
    metrics: async () => {
      const range = { min: 0, max: (await linkBytesPerSecond()) ?? DEFAULT_LINK_BYTES_PER_SECOND };
      return [
        { name: received, range },
        { name: sent, range },
      ];
    },
    read: async () => {
      const now = { counters: await network(), seconds: monotonicSeconds() };
      const last = before;
      before = now;
      if (last === null || now.seconds <= last.seconds) return [];
      const moved = movedBytes(last.counters, now.counters);
      if (moved === null) return [];
      const elapsedSeconds = now.seconds - last.seconds;
      return [
        { name: received, value: moved.receivedBytes / elapsedSeconds },
        { name: sent, value: moved.sentBytes / elapsedSeconds },
      ];
    },
  };
}

/** What was moved between two readings, or null if no interface was there at both. */
function movedBytes(
  before: ReadonlyMap<string, InterfaceCounters>,
  now: ReadonlyMap<string, InterfaceCounters>,
): InterfaceCounters | null {
  const moved = { receivedBytes: 0, sentBytes: 0 };
  let compared = false;
  for (const [name, counters] of now) {
    const earlier = before.get(name);
    if (earlier === undefined) continue;
    const receivedBytes = counters.receivedBytes - earlier.receivedBytes;
    const sentBytes = counters.sentBytes - earlier.sentBytes;
    if (receivedBytes < 0 || sentBytes < 0) continue;
    moved.receivedBytes += receivedBytes;
    moved.sentBytes += sentBytes;
    compared = true;
  }
  return compared ? moved : null;
}
