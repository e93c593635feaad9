import { readFile } from 'node:fs/promises';

const FILES = ['/proc/net/udp', '/proc/net/udp6'];
/** Columns of proc_net_udp(5): where the socket is bound (hexadecimal address:port), and the last one. */
const LOCAL_ADDRESS = 1;
const HEADER_LINES = 1;

/** Datagrams that the kernel has dropped for sockets on `port` since they were bound; 0 where it does not tell (Linux alone does). */
export async function kernelDrops(port: number): Promise<number> {
  const texts = await Promise.all(FILES.map((file) => readFile(file, 'utf8').catch(() => '')));
  return texts.reduce((sum, text) => sum + parseUdpDrops(text, port), 0);
}

/** The drops of `/proc/net/udp` or `/proc/net/udp6` for sockets on `port`. */
export function parseUdpDrops(text: string, port: number): number {
  let sum = 0;
  for (const line of text.split('\n').slice(HEADER_LINES)) {
    const columns = line.trim().split(/\s+/);
    const bound = columns[LOCAL_ADDRESS]?.split(':').at(-1) ?? '';
    const drops = Number(columns.at(-1));
    if (Number.parseInt(bound, 16) === port && Number.isFinite(drops)) sum += drops;
  }
  return sum;
}
