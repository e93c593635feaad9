import { z } from 'zod';
import { MIB, port, positive } from './fields.ts';

/** Settings of what brings samples in, besides HTTP. */

const graphite = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether Graphite lines are listened for at all.'),
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe(
        'Address to listen on for samples: loopback alone unless changed; `::` takes every IPv4 and IPv6 address.',
      ),
    port: port.default(2003).describe('Port to listen on for samples, TCP and UDP; 0 takes any free one.'),
    protocol: z.enum(['plain']).default('plain').describe('What senders speak: plain is Graphite plaintext.'),
    transport: z
      .enum(['tcp', 'udp', 'both'])
      .default('both')
      .describe(
        'What senders may come over. UDP cannot hold a sender back: TCP is the one that loses nothing.',
      ),
    maxLineBytes: positive.max(65_536).default(4096).describe('A longer line is refused whole.'),
    maxConnections: positive
      .default(1024)
      .describe('TCP connections at the same time; one more is closed as soon as it is made.'),
    batchLines: positive
      .max(10_000)
      .default(200)
      .describe('Lines of a TCP connection that are sent on without waiting for a pause.'),
    pauseMs: z
      .int()
      .min(0)
      .default(5)
      .describe('A TCP connection that is silent this long has its lines sent on.'),
    maxBatchesInFlight: positive
      .max(1000)
      .default(4)
      .describe(
        'Batches of one TCP connection that may wait for the storer before its socket is not read any more; those that wait together are sent on together.',
      ),
    maxWaitingSamples: positive
      .max(1_000_000)
      .default(100_000)
      .describe(
        'Samples of all TCP connections together that may wait for the storer; each has its share of them if that is more than its batches.',
      ),
    maxDatagramBytes: positive
      .max(65_507)
      .default(65_507)
      .describe('A longer UDP datagram is refused whole.'),
    maxDatagramSamples: positive
      .max(1_000_000)
      .default(50_000)
      .describe(
        'Samples out of UDP datagrams that may wait for the storer; while there are as many, datagrams are dropped and counted.',
      ),
    receiveBufferBytes: positive
      .max(2 ** 30)
      .default(4 * MIB)
      .describe(
        'What the kernel is asked to keep of UDP datagrams that were not read yet; Linux gives no more than net.core.rmem_max.',
      ),
  })
  .prefault({})
  .describe('Graphite plaintext, over TCP and UDP.');

export const listener = z
  .strictObject({ graphite })
  .prefault({})
  .describe('Ways in for samples besides HTTP.');

export const collector = z
  .strictObject({
    host: z
      .boolean()
      .default(false)
      .describe("Feed this machine's own CPU, load, memory, disk and network in."),
    intervalSeconds: positive.max(3600).default(5).describe('How often this machine is looked at.'),
    demo: z
      .boolean()
      .default(false)
      .describe('Make a few metrics to look at, `demo.*`, and go on feeding them.'),
  })
  .prefault({})
  .describe('Metrics that the engine collects itself.');
