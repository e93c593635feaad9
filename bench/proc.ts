import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What Linux knows of a process, from /proc. */

/** Clock ticks a second in /proc/PID/stat, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds so far of each thread, summed over those of one name. */
export function threadCpuSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const { name, cpuSeconds } = parseThreadStat(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
    seconds.set(name, (seconds.get(name) ?? 0) + cpuSeconds);
  }
  return seconds;
}

/** Name and CPU time of a line of /proc/PID/task/TID/stat. The name may hold spaces and brackets. */
export function parseThreadStat(stat: string): { name: string; cpuSeconds: number } {
  const nameEnd = stat.lastIndexOf(')');
  const name = stat.slice(stat.indexOf('(') + 1, nameEnd);
  // What follows the name begins with field 3; utime and stime are fields 14 and 15.
  const fields = stat.slice(nameEnd + 2).split(' ');
  return { name, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND };
}

/** CPU seconds so far of a process and all it started, those that have ended included. */
export function treeCpuSeconds(pid: number): number {
  const children = new Map<number, number[]>();
  const seconds = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(Number(entry));
    if (stat === null) continue;
    seconds.set(Number(entry), stat.cpuSeconds);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(entry)]);
  }
  const sum = (process: number): number =>
    (seconds.get(process) ?? 0) +
    (children.get(process) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(pid);
}

/** Of a process that may have ended meanwhile. */
function statOf(pid: number): { parent: number; cpuSeconds: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Fields 14 to 17: its own, and of children that have ended.
    const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
    return { parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND };
  } catch {
    return null;
  }
}

/** Bytes that a process has had read from and written to storage so far; what the page cache had is not read. */
export function ioBytes(pid: number): { read: number; written: number } {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1]);
  return { read: field('read_bytes'), written: field('write_bytes') };
}

/** Resident memory of a process. */
export function residentBytes(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** The median milliseconds of writing 4 KiB and having the disk under `directory` confirm them. */
export function fsyncMilliseconds(directory: string, times = 51): number {
  const path = join(directory, 'fsync-probe');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4096, 1);
  const taken = Array.from({ length: times }, () => {
    const started = performance.now();
    writeSync(file, page);
    fsyncSync(file);
    return performance.now() - started;
  });
  closeSync(file);
  rmSync(path);
  return taken.sort((a, b) => a - b)[times >> 1] ?? NaN;
}
