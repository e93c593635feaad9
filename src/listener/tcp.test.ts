import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import {
  TIME,
  line,
  lines,
  open,
  openGate,
  sample,
  samples,
  send,
  setUp,
} from '../../test/support/graphite.ts';

describe('a sender', () => {
  it('has its lines sent on at a pause, and a last line without its end when it closes (scenario 93)', async () => {
    const { bus, port } = await setUp();
    const client = await open(port);
    client.write(line('a') + line('b'));
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    const ended = once(client, 'end');
    client.end('c 0 1600000000');
    await ended;
    expect(bus.publications).toEqual([[sample('a'), sample('b')], [sample('c')]]);
  });

  it('may pause in the middle of a line (scenario 94)', async () => {
    const { bus, port } = await setUp();
    const client = await open(port);
    client.write(`${line('a')}b 0 16000`);
    await vi.waitFor(() => expect(bus.accepted).toEqual([sample('a')]));
    client.write('00000\n');
    await vi.waitFor(() => expect(bus.accepted).toEqual([sample('a'), sample('b')]));
  });

  it('has its lines sent on without a pause when they fill a batch', async () => {
    const { bus, port } = await setUp({ pauseMs: 1_000_000 });
    const client = await open(port);
    client.write(lines('m', 9));
    client.write(lines('m', 1, 9));
    await vi.waitFor(() => expect(bus.accepted).toEqual(samples('m', 10)));
  });

  it('sees the end of the stream only after everything is accepted', async () => {
    const { bus, port } = await setUp();
    const { gate, release } = openGate();
    bus.gate = gate;
    let ended = false;
    const sending = send(port, lines('m', 3)).then(() => (ended = true));
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ended).toBe(false);
    release();
    await sending;
    expect(bus.accepted).toEqual(samples('m', 3));
  });

  it('loses the unfinished line, and that alone, with a reset', async () => {
    const { bus, port, connections } = await setUp();
    const client = await open(port);
    client.write(`${line('whole')}cut 0 1600000000`);
    await vi.waitFor(() => expect(bus.names()).toEqual(['whole']));
    client.resetAndDestroy();
    await vi.waitFor(async () => expect(await connections()).toBe(0));
    await send(port, line('after'));
    expect(bus.names()).toEqual(['whole', 'after']);
  });

  it('has whole lines kept that came before its reset', async () => {
    const { bus, port, connections } = await setUp({ pauseMs: 1_000_000 });
    const client = await open(port);
    client.write(`${lines('m', 5)}cut 0 1600000000`);
    await vi.waitFor(async () => expect(await connections()).toBe(1));
    // The first bytes have certainly arrived when a second connection's have.
    await send(port, line('other'));
    client.resetAndDestroy();
    await vi.waitFor(async () => expect(await connections()).toBe(0));
    expect(bus.accepted.filter(({ name }) => name === 'm')).toEqual(samples('m', 5));
    expect(bus.names()).not.toContain('cut');
  });

  it('has invalid lines refused alone (scenario 16)', async () => {
    const { bus, port, refused } = await setUp();
    await send(port, 'no number\nx y z\nm nan 1600000000\nm 1 2 3\n', line('m'));
    expect(bus.accepted).toEqual([sample('m')]);
    expect(await refused('malformed')).toBe(3);
    expect(await refused('value_not_finite')).toBe(1);
  });

  it('may send fractions of a second (scenario 14)', async () => {
    const { bus, port } = await setUp();
    await send(port, `m 1.5 ${TIME}.75\n`);
    expect(bus.accepted).toEqual([{ name: 'm', value: 1.5, timestamp: TIME }]);
  });

  it('that sends nothing but blank lines has done nothing wrong', async () => {
    const { bus, port, refused } = await setUp();
    await send(port, '\n\r\n  \n');
    expect(bus.publications).toEqual([]);
    expect(await refused()).toBe(0);
  });
});

describe('connections', () => {
  it('are independent: two metrics over two interleaved ones stay separate', async () => {
    const { bus, port } = await setUp();
    const [one, two] = [await open(port), await open(port)];
    one.write('one 0 16000');
    two.write('two 0 1600');
    one.write('00000\none 1 1600000001\n');
    two.write('000000\ntwo 1 16000000');
    two.write('01\n');
    await vi.waitFor(() => expect(bus.accepted).toHaveLength(4));
    expect(bus.accepted.filter(({ name }) => name === 'one')).toEqual(samples('one', 2));
    expect(bus.accepted.filter(({ name }) => name === 'two')).toEqual(samples('two', 2));
  });

  it('beyond the bound are closed at once and counted, and welcome again later', async () => {
    const { bus, port, metric, connections } = await setUp({ maxConnections: 2 });
    const [first] = [await open(port), await open(port)];
    await vi.waitFor(async () => expect(await connections()).toBe(2));
    const third = await open(port);
    await once(third, 'close');
    expect(await metric('htmengine_graphite_refused_connections_total')).toBe(1);
    first.end();
    await vi.waitFor(async () => expect(await connections()).toBe(1));
    await send(port, line('m'));
    expect(bus.accepted).toEqual([sample('m')]);
  });

  it('may be 50 that send good and hostile lines at once: every good one counts, every other is counted', async () => {
    const { bus, port, refused, connections } = await setUp({ batchLines: 50 });
    const hostile: [string | Uint8Array, string][] = [
      [Uint8Array.from({ length: 60 }, (_, i) => 128 + i), 'not_utf8'],
      ['x'.repeat(3000), 'line_too_long'],
      ['half a', 'malformed'],
      ['m 12e 1600000000', 'malformed'],
      ['m inf 1600000000', 'value_not_finite'],
      ['\u0007bell 1 1600000000', 'name_invalid'],
      ['m 1 1600000000000', 'time_in_milliseconds'],
    ];
    const senders = Array.from({ length: 50 }, async (_, sender) => {
      const parts: Uint8Array[] = [];
      for (let i = 0; i < 100; i++) {
        parts.push(Buffer.from(line(`metric-${sender}`, i)));
        if (i % 10 === 9) {
          const [bytes] = hostile[(sender + i) % hostile.length] ?? [''];
          parts.push(Buffer.concat([Buffer.from(bytes), Buffer.from('\n')]));
        }
      }
      // Cut at places that have nothing to do with lines.
      const all = Buffer.concat(parts);
      const chunks = Array.from({ length: Math.ceil(all.length / 997) }, (_, i) =>
        all.subarray(i * 997, (i + 1) * 997),
      );
      await send(port, ...chunks);
    });
    await Promise.all(senders);
    expect(bus.accepted).toHaveLength(5000);
    for (let sender = 0; sender < 50; sender++) {
      const name = `metric-${sender}`;
      expect(bus.accepted.filter((accepted) => accepted.name === name)).toEqual(samples(name, 100));
    }
    const expected: Record<string, number> = {};
    for (let sender = 0; sender < 50; sender++) {
      for (let i = 9; i < 100; i += 10) {
        const reason = hostile[(sender + i) % hostile.length]?.[1] ?? '';
        expected[reason] = (expected[reason] ?? 0) + 1;
      }
    }
    for (const [reason, count] of Object.entries(expected)) expect(await refused(reason)).toBe(count);
    expect(await refused()).toBe(500);
    await vi.waitFor(async () => expect(await connections()).toBe(0));
  });
});

describe('starting and stopping', () => {
  it('says in one line what to do when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const error: unknown = await setUp({ port }).catch((caught: unknown) => caught);
    other.close();
    expect(error).toMatchObject({ code: 'listen_failed' });
    expect((error as Error).message).toMatch(`127.0.0.1:${port}`);
    expect((error as Error).message).toMatch('--port');
    expect((error as Error).message).not.toMatch('\n');
  });

  it('sends on what was received, waits until it is accepted, and closes', async () => {
    const { bus, port, listener } = await setUp({ pauseMs: 1_000_000 });
    const { gate, release } = openGate();
    bus.gate = gate;
    const client = await open(port);
    client.write(`${lines('m', 3)}cut 0 16000`);
    await send(port);
    let stopped = false;
    const stopping = listener.stop().then(() => (stopped = true));
    await vi.waitFor(() => expect(bus.publications).toEqual([samples('m', 3)]));
    expect(stopped).toBe(false);
    const closed = once(client, 'close');
    release();
    await stopping;
    await closed;
    expect(bus.accepted).toEqual(samples('m', 3));
    const late = connect({ port, host: '127.0.0.1' });
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  it('sends on what it had no room for yet, too', async () => {
    const { bus, port, listener } = await setUp({ batchLines: 1, maxBatchesInFlight: 1 });
    const { gate, release } = openGate();
    bus.gate = gate;
    const client = await open(port);
    client.write(lines('m', 3));
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    client.write(lines('m', 3, 3));
    // Time enough for the bytes to arrive: another connection comes and goes.
    await send(port, '\n');
    const stopping = listener.stop();
    release();
    await stopping;
    expect(bus.accepted).toEqual(samples('m', 6));
  });

  it('gives up what the bus never accepts, and counts it', async () => {
    const { bus, port, listener, metric } = await setUp({ stopTimeoutMs: 10 });
    bus.gate = new Promise(() => undefined);
    const client = await open(port);
    const closed = once(client, 'close');
    client.write(lines('m', 3));
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    await listener.stop();
    await closed;
    expect(await metric('htmengine_graphite_lost_samples_total')).toBe(3);
  });

  it('gives up at once when the bus has stopped', async () => {
    const { bus, port, listener, metric } = await setUp({ stopTimeoutMs: 1_000_000 });
    bus.errors = [new HtmEngineError('stopped', 'stopping')];
    const client = await open(port);
    client.write(lines('m', 3));
    await vi.waitFor(async () => expect(await metric('htmengine_graphite_lost_samples_total')).toBe(3));
    await listener.stop();
  });

  it('may be asked to stop twice', async () => {
    const { listener } = await setUp();
    await Promise.all([listener.stop(), listener.stop()]);
    await listener.stop();
  });
});
