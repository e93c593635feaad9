import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Series } from './nab.ts';

/** The lines of a series from row `from` on, as a Graphite client writes them. */
export function graphiteLines({ name, timestamps, values }: Series, from = 0): string[] {
  return timestamps.slice(from).map((timestamp, i) => `${name} ${String(values[from + i])} ${timestamp}\n`);
}

/** Connects to a Graphite port. */
export async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/**
 * Sends `text` over a connection of its own and waits until the other side, having read all, closes too.
 * @throws whatever ends the connection early
 */
export async function sendAll(port: number, text: string): Promise<void> {
  const socket = await connectTo(port);
  socket.resume();
  const closed = once(socket, 'close');
  socket.end(text);
  await closed;
}
