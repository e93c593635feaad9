/**
 * The senders of `bench:ingest`, in a process of their own so that they do not share a core with the engine's threads
 * more than any client on the same machine would. Told what to send by a message, it answers with what it did.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

/** What to send: every metric belongs to one connection, so that its samples stay in their order. */
export interface SendOrder {
  readonly port: number;
  readonly metrics: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface SendReport {
  readonly samples: number;
  /** From the first byte until the engine had closed every connection: all that was sent is durable then. */
  readonly seconds: number;
  /** Of probes during that time: one sample over a connection of its own, from its sending until it was durable. */
  readonly probeMs: readonly number[];
}

/** So that the rows of no two metrics share a page of the database, as after a day of any real use. */
export const ROWS_BEFORE = 100;
const FIRST_TIMESTAMP = 1_600_000_000;
const CHUNK_LINES = 200;
const PROBE_PAUSE_MS = 20;

process.once('message', (order: SendOrder) => {
  const shares = shareOut(order);
  void sendFirstRows(order, shares).then(() => process.send?.('ready'));
  process.once('message', () => void flood(order, shares).then((report) => process.send?.(report)));
});

/** The names of the metrics of each connection. */
function shareOut({ metrics, connections }: SendOrder): string[][] {
  const names = Array.from({ length: metrics }, (_, i) => `bench.host${String(i).padStart(5, '0')}.cpu.user`);
  return Array.from({ length: connections }, (_, c) => names.filter((_name, i) => i % connections === c));
}

async function sendFirstRows({ port }: SendOrder, shares: readonly string[][]): Promise<void> {
  await Promise.all(shares.map((share) => send(port, share.map(firstRows))));
}

async function flood({ port, seconds }: SendOrder, shares: readonly string[][]): Promise<SendReport> {
  const started = performance.now();
  const isOver = () => performance.now() - started > 1000 * seconds;
  const flooding = Promise.all(
    shares.map((share) =>
      send(
        port,
        rounds(share, () => !isOver()),
      ),
    ),
  );
  const probing = probe(port, isOver);
  const sent = await flooding;
  const tookMs = performance.now() - started;
  const probeMs = await probing;
  return {
    samples: sent.reduce((sum, samples) => sum + samples, probeMs.length),
    seconds: tookMs / 1000,
    probeMs,
  };
}

function firstRows(name: string): string[] {
  return Array.from({ length: ROWS_BEFORE }, (_, row) => line(name, row, 0));
}

/** One line of each metric in turn, in chunks, as long as more is wanted. */
function* rounds(names: readonly string[], wanted: () => boolean) {
  let chunk: string[] = [];
  for (let row = ROWS_BEFORE; ; row++) {
    for (const [i, name] of names.entries()) {
      chunk.push(line(name, row, i));
      if (chunk.length < CHUNK_LINES) continue;
      yield chunk;
      if (!wanted()) return;
      chunk = [];
    }
  }
}

function line(name: string, row: number, i: number): string {
  return `${name} ${((row * 37 + i) % 1000) / 10} ${FIRST_TIMESTAMP + row}\n`;
}

/** Sends over one connection, no faster than it is taken. @returns how many samples, once all are durable */
async function send(port: number, chunks: Iterable<readonly string[]>): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  socket.resume();
  const closed = once(socket, 'close');
  let samples = 0;
  for (const chunk of chunks) {
    samples += chunk.length;
    if (!socket.write(chunk.join(''))) await once(socket, 'drain');
    // Others get their turn even where the socket takes everything at once.
    else await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await closed;
  return samples;
}

async function probe(port: number, isOver: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (!isOver()) {
    const started = performance.now();
    await send(port, [[`bench.probe 1 ${FIRST_TIMESTAMP + times.length}\n`]]);
    times.push(performance.now() - started);
    await new Promise((resolve) => setTimeout(resolve, PROBE_PAUSE_MS));
  }
  return times;
}
