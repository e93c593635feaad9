/** Parsers of the files in which Linux tells about itself (proc(5)). Pure. */

/** Time that processors spent since the machine started, in any one unit. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** Used and total amount of something, in any one unit. */
export interface Usage {
  readonly used: number;
  readonly total: number;
}

/** Bytes that a network interface moved since it came up. */
export interface InterfaceCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** user, nice, system, idle, iowait, irq, softirq, steal; the guest times that follow are in user and nice already. */
const CPU_FIELDS = 8;
const IDLE = 3;
const IO_WAIT = 4;

/** The times of all processors together from `/proc/stat`. @throws Error if they are not there */
export function parseCpuTimes(stat: string): CpuTimes {
  const line = /^cpu +(.*)$/m.exec(stat)?.[1] ?? '';
  const times = line.trim().split(/ +/, CPU_FIELDS).map(Number);
  const idle = times[IDLE];
  if (idle === undefined || times.some(Number.isNaN))
    throw new Error('no line of processor times in /proc/stat');
  const total = times.reduce((sum, time) => sum + time, 0);
  return { busy: total - idle - (times[IO_WAIT] ?? 0), total };
}

/** Memory that programs use, from `/proc/meminfo`; caches that can be given up count as free. @throws Error if it is not there */
export function parseMemory(meminfo: string): Usage {
  const kilobytes = (field: string) => {
    const text = new RegExp(`^${field}: *(\\d+) kB$`, 'm').exec(meminfo)?.[1];
    if (text === undefined) throw new Error(`no ${field} in /proc/meminfo`);
    return Number(text);
  };
  const total = kilobytes('MemTotal');
  return { used: total - kilobytes('MemAvailable'), total };
}

/** Counters of every interface but the loopback, from `/proc/net/dev`, in its order. */
export function parseInterfaces(netDev: string): Map<string, InterfaceCounters> {
  const interfaces = new Map<string, InterfaceCounters>();
  for (const line of netDev.split('\n')) {
    const [, name, rest] = /^ *([^ :|]+): *(.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined || name === 'lo') continue;
    const fields = rest.trim().split(/ +/).map(Number);
    const [receivedBytes, sentBytes] = [fields[0], fields[8]];
    if (receivedBytes !== undefined && sentBytes !== undefined)
      interfaces.set(name, { receivedBytes, sentBytes });
  }
  return interfaces;
}
