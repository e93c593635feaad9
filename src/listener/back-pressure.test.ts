import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import { line, lines, open, openGate, samples, send, setUp } from '../../test/support/graphite.ts';

describe('when the bus does not take samples', () => {
  const unavailable = () => new HtmEngineError('store_unavailable', 'the disk is full');

  it('they are published again until it does, and none overtakes them', async () => {
    const { bus, port } = await setUp({ batchLines: 2 });
    bus.errors = [unavailable(), new HtmEngineError('overloaded', 'busy'), new Error('no answer')];
    await send(port, lines('m', 50));
    expect(bus.accepted).toEqual(samples('m', 50));
    expect(bus.publications.length).toBeGreaterThan(3);
    for (const publication of bus.publications.slice(1, 4)) expect(publication).toEqual(bus.publications[0]);
  });

  it('one publication of a sender is under way at a time, the others wait', async () => {
    const { bus, port } = await setUp({ batchLines: 2, maxBatchesInFlight: 3 });
    const { gate, release } = openGate();
    bus.gate = gate;
    const sending = send(port, lines('m', 100));
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(bus.publications).toHaveLength(1);
    release();
    await sending;
    expect(bus.accepted).toEqual(samples('m', 100));
    expect(Math.max(...bus.publications.map(({ length }) => length))).toBeLessThanOrEqual(6);
  });

  it('a sender may have more waiting, up to its share of what all may', async () => {
    const { bus, port } = await setUp({ batchLines: 2, maxBatchesInFlight: 3, maxWaitingSamples: 80 });
    const { gate, release } = openGate();
    bus.gate = gate;
    const client = await open(port);
    client.write(lines('idle', 1));
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    const sending = send(port, lines('m', 500));
    await vi.waitFor(() => expect(bus.publications).toHaveLength(2));
    release();
    await sending;
    expect(bus.accepted.slice(1)).toEqual(samples('m', 500));
    // Two connections: each may hold 40.
    const largest = Math.max(...bus.publications.map(({ length }) => length));
    expect(largest).toBeGreaterThan(6);
    expect(largest).toBeLessThanOrEqual(40);
  });

  it('a sender that goes on is held back, whatever it has to send', async () => {
    const { bus, port } = await setUp();
    const { gate, release } = openGate();
    bus.gate = gate;
    const client = await open(port);
    const ended = once(client, 'end');
    // More bytes than the kernel's buffers take, in few lines.
    const count = 120_000;
    client.end(lines(`m${' '.repeat(170)}`, count));
    const sentBytes = () => client.bytesWritten - client.writableLength;
    // The kernel's buffers fill up, and then nothing more goes out.
    const totalBytes = client.bytesWritten;
    let before = -1;
    while (sentBytes() !== before) {
      before = sentBytes();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(bus.publications).toHaveLength(1);
    expect(sentBytes()).toBeLessThan(totalBytes);
    release();
    await ended;
    expect(bus.accepted).toHaveLength(count);
    expect(bus.accepted.every(({ value }, i) => value === i)).toBe(true);
  });

  it('an error that does not pass ends that connection, counted, and no other', async () => {
    const { bus, port, metric } = await setUp();
    bus.errors = Array.from({ length: 5 }, () => new Error('broken'));
    const client = await open(port);
    const closed = once(client, 'close');
    client.write(lines('m', 3));
    await closed;
    expect(await metric('htmengine_graphite_lost_samples_total')).toBe(3);
    await send(port, line('other'));
    expect(bus.names()).toEqual(['other']);
  });

  it('a sender gets no more room by connecting again', async () => {
    const { bus, port, connections, metric } = await setUp({ maxConnections: 3 });
    const { gate, release } = openGate();
    bus.gate = gate;
    for (let i = 0; i < 3; i++) {
      const client = await open(port);
      client.write(lines(`m${i}`, 3));
      await vi.waitFor(() => expect(bus.publications).toHaveLength(i + 1));
      client.resetAndDestroy();
    }
    const client = await open(port);
    await once(client, 'close');
    expect(await connections()).toBe(3);
    expect(await metric('htmengine_graphite_refused_connections_total')).toBe(1);
    release();
    await vi.waitFor(async () => expect(await connections()).toBe(0));
    await send(port, line('again'));
    expect(bus.accepted).toHaveLength(10);
  });
});
