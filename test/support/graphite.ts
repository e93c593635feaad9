import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Bus, Receipt } from '../../src/bus/bus.ts';
import type { Sample } from '../../src/metric.ts';
import { RefusalCounter } from '../../src/refusals.ts';
import { GraphiteListener, type GraphiteListenerOptions } from '../../src/listener/listener.ts';

const NOW = 1_700_000_000;
/** Time of the first line of a metric. */
export const TIME = 1_600_000_000;

/** A bus that remembers what was published and answers as the test says. */
class FakeBus implements Pick<Bus, 'publishSamples'> {
  readonly publications: (readonly Sample[])[] = [];
  readonly accepted: Sample[] = [];
  /** Awaited by every publication. */
  gate: Promise<void> = Promise.resolve();
  /** Errors of the next publications, in order. */
  errors: Error[] = [];

  async publishSamples(samples: readonly Sample[]): Promise<Receipt> {
    this.publications.push(samples);
    await this.gate;
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    this.accepted.push(...samples);
    return { refused: [] };
  }

  names(): string[] {
    return this.accepted.map(({ name }) => name);
  }
}

const listeners: GraphiteListener[] = [];
const clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(listeners.splice(0).map((listener) => listener.stop()));
});

/** A listener on a free port that publishes to a `FakeBus`; stopped after the test. */
export async function setUp(options: Partial<GraphiteListenerOptions> = {}) {
  const registry = new Registry();
  const telemetry = { log: pino({ level: 'silent' }), registry };
  const bus = new FakeBus();
  const listener = new GraphiteListener(
    {
      host: '127.0.0.1',
      port: 0,
      maxLineBytes: 200,
      maxConnections: 100,
      batchLines: 10,
      pauseMs: 5,
      maxBatchesInFlight: 2,
      transport: 'both',
      maxDatagramBytes: 65_507,
      maxDatagramSamples: 1000,
      receiveBufferBytes: 2 ** 20,
      maxWaitingSamples: 1,
      ...options,
    },
    { bus, telemetry, refusals: new RefusalCounter(telemetry), nowSeconds: () => NOW },
  );
  const port = await listener.start();
  listeners.push(listener);
  const metric = async (name: string, labels: Record<string, string> = {}) => {
    const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
    const matching = values.filter((value) =>
      Object.entries(labels).every(([label, text]) => value.labels[label] === text),
    );
    return matching.reduce((sum, { value }) => sum + value, 0);
  };
  return {
    bus,
    listener,
    port,
    metric,
    refused: (reason?: string) =>
      metric('htmengine_refused_samples_total', reason === undefined ? {} : { reason }),
    connections: () => metric('htmengine_graphite_connections'),
  };
}

/** A connection that reads, and is destroyed after the test. */
export async function open(port: number): Promise<Socket> {
  const client = connect({ port, host: '127.0.0.1' }).resume();
  clients.push(client);
  client.on('error', () => undefined);
  await once(client, 'connect');
  return client;
}

/** Sends, closes properly and waits until the listener has closed too: then everything is accepted. */
export async function send(port: number, ...parts: (string | Uint8Array)[]): Promise<void> {
  const client = await open(port);
  const ended = once(client, 'end');
  for (const part of parts) client.write(part);
  client.end();
  await ended;
}

/** The line of a metric's `i`-th sample, and further down the sample itself. */
export const line = (name: string, i = 0) => `${name} ${i} ${TIME + i}\n`;
export const lines = (name: string, count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => line(name, first + i)).join('');
export const sample = (name: string, i = 0): Sample => ({ name, value: i, timestamp: TIME + i });
export const samples = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => sample(name, i));

/** A promise, and what resolves it. */
export function openGate(): { gate: Promise<void>; release: () => void } {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  return { gate, release };
}

/** Sends datagrams, in order, each once the one before has been handed to the kernel. */
export async function sendDatagrams(
  port: number,
  datagrams: readonly (string | Uint8Array)[],
  host = '127.0.0.1',
): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  for (const datagram of datagrams) {
    await new Promise<void>((resolve, reject) =>
      socket.send(datagram, port, host, (error) => (error === null ? resolve() : reject(error))),
    );
  }
  await new Promise<void>((resolve) => socket.close(resolve));
}
