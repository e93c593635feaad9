import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import {
  line,
  lines,
  openGate,
  sample,
  samples,
  send,
  sendDatagrams,
  setUp,
} from '../../test/support/graphite.ts';
import { parseUdpDrops } from './udp-drops.ts';

const dropped = 'htmengine_graphite_dropped_datagrams_total';
const received = 'htmengine_graphite_datagrams_total';

describe('a datagram', () => {
  it('may hold several lines, the last one without its end', async () => {
    const { bus, port } = await setUp();
    await sendDatagrams(port, [`${line('a')}${line('b')}c 0 1600000000`]);
    await vi.waitFor(() => expect(bus.accepted).toEqual([sample('a'), sample('b'), sample('c')]));
  });

  it('stands for itself: no line goes on in the next one', async () => {
    const { bus, port, refused } = await setUp({ maxLineBytes: 40 });
    await sendDatagrams(port, ['a 0 160', '0000000\n', 'x'.repeat(50), line('whole')]);
    await vi.waitFor(() => expect(bus.names()).toContain('whole'));
    // "a 0 160" lies before 1990, "0000000" is no line, and the long line ends with its datagram.
    expect(bus.names()).toEqual(['whole']);
    expect(await refused('time_before_1990')).toBe(1);
    expect(await refused('malformed')).toBe(1);
    expect(await refused('line_too_long')).toBe(1);
  });

  it('has invalid lines refused alone', async () => {
    const { bus, port, refused } = await setUp();
    await sendDatagrams(port, [`${line('a')}no number\n\n${line('b')}`]);
    await vi.waitFor(() => expect(bus.accepted).toEqual([sample('a'), sample('b')]));
    expect(await refused()).toBe(1);
  });

  it('that is empty means nothing', async () => {
    const { bus, port, metric, refused } = await setUp();
    await sendDatagrams(port, ['', line('a')]);
    await vi.waitFor(() => expect(bus.names()).toEqual(['a']));
    expect([await metric(received), await refused()]).toEqual([2, 0]);
  });

  it('longer than the limit is refused whole and counted', async () => {
    const { bus, port, metric } = await setUp({ maxDatagramBytes: 100 });
    await sendDatagrams(port, [lines('m', 10), line('short')]);
    await vi.waitFor(() => expect(bus.names()).toEqual(['short']));
    expect(await metric(dropped, { reason: 'too_long' })).toBe(1);
  });

  it('may be as long as UDP lets it', async () => {
    const { bus, port } = await setUp();
    const text = lines('a.rather.long.name', 1900).slice(0, 65_507);
    await sendDatagrams(port, [text]);
    await vi.waitFor(() => expect(bus.accepted.length).toBeGreaterThan(1000));
    expect(bus.accepted).toEqual(samples('a.rather.long.name', bus.accepted.length));
  });
});

describe('the same lines', () => {
  const texts = [
    lines('m', 20),
    'tagged;host=a 1.5 1600000000.9\r\n  spaced \t 2 1600000001 \n\n',
    'Температура -2.5e-3 1600000000\nnow 1\nnow.too 1 -1\n',
    'm nan 1600000000\nm 1 2 3\n\u0007bell 1 1600000000\nm 1 1600000000000\nlast 1 1600000000',
  ];

  it('give the same samples and refusals over TCP and UDP', async () => {
    const tcp = await setUp({ transport: 'tcp' });
    for (const text of texts) await send(tcp.port, text);
    const udp = await setUp({ transport: 'udp' });
    await sendDatagrams(udp.port, texts);
    await vi.waitFor(() => expect(udp.bus.accepted).toHaveLength(tcp.bus.accepted.length));
    expect(udp.bus.accepted).toEqual(tcp.bus.accepted);
    expect(tcp.bus.accepted).toHaveLength(26);
    for (const reason of ['malformed', 'value_not_finite', 'name_invalid', 'time_in_milliseconds'])
      expect([await udp.refused(reason), await tcp.refused(reason)], reason).toEqual([1, 1]);
  });
});

describe('when the bus does not take samples', () => {
  it('as many wait as may, in order, and later datagrams are dropped and counted', async () => {
    const { bus, port, metric } = await setUp({ maxDatagramSamples: 10 });
    const { gate, release } = openGate();
    bus.gate = gate;
    for (let i = 0; i < 10; i++) {
      await sendDatagrams(port, [lines('m', 4, 4 * i)]);
      await vi.waitFor(async () => expect(await metric(received)).toBe(i + 1));
    }
    // 4, 8 and 12 wait; from then on there is no room.
    expect(await metric('htmengine_graphite_udp_waiting_samples')).toBe(12);
    expect(await metric(dropped, { reason: 'queue_full' })).toBe(7);
    release();
    await vi.waitFor(() => expect(bus.accepted).toEqual(samples('m', 12)));
    await sendDatagrams(port, [line('again')]);
    await vi.waitFor(() => expect(bus.accepted).toHaveLength(13));
  });

  it('they are published again until it does, and none overtakes them', async () => {
    const { bus, port } = await setUp();
    bus.errors = [new HtmEngineError('store_unavailable', 'the disk is full'), new Error('no answer')];
    for (let i = 0; i < 5; i++) await sendDatagrams(port, [line('m', i)]);
    await vi.waitFor(() => expect(bus.accepted).toEqual(samples('m', 5)));
  });

  it('those that it never takes are given up and counted, and the next ones are not', async () => {
    const { bus, port, metric } = await setUp();
    bus.errors = Array.from({ length: 5 }, () => new Error('broken'));
    await sendDatagrams(port, [lines('m', 3)]);
    const lost = () => metric('htmengine_graphite_lost_samples_total', { transport: 'udp' });
    await vi.waitFor(async () => expect(await lost()).toBe(3), 5_000);
    await sendDatagrams(port, [line('other')]);
    await vi.waitFor(() => expect(bus.names()).toEqual(['other']));
  });
});

describe('starting and stopping', () => {
  it('takes both transports on one port, or the one that is asked for', async () => {
    const both = await setUp();
    await sendDatagrams(both.port, [line('datagram')]);
    await send(both.port, line('stream'));
    await vi.waitFor(() => expect(both.bus.names().sort()).toEqual(['datagram', 'stream']));
    const accepted = (transport: string) =>
      both.metric('htmengine_graphite_accepted_samples_total', { transport });
    expect([await accepted('tcp'), await accepted('udp')]).toEqual([1, 1]);

    const udp = await setUp({ transport: 'udp' });
    await expect(send(udp.port, line('m'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('says in one line what to do when the port is taken, and leaves TCP free again', async () => {
    const other = createSocket('udp4');
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    const error: unknown = await setUp({ port }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'listen_failed' });
    expect((error as Error).message).toMatch(`UDP on 127.0.0.1:${port}`);
    expect((error as Error).message).toMatch('--port');
    other.close();
    const { listener } = await setUp({ port });
    await listener.stop();
  });

  it('says which address this machine does not have', async () => {
    const error: unknown = await setUp({ host: '192.0.2.1', transport: 'udp' }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'listen_failed' });
    expect((error as Error).message).toMatch('192.0.2.1');
    expect((error as Error).message).toMatch('--host');
  });

  it('waits on stopping until what was received is accepted, and takes nothing more', async () => {
    const { bus, port, listener, metric } = await setUp();
    const { gate, release } = openGate();
    bus.gate = gate;
    await sendDatagrams(port, [lines('m', 3)]);
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    await sendDatagrams(port, [lines('m', 2, 3)]);
    await vi.waitFor(async () => expect(await metric(received)).toBe(2));
    let stopped = false;
    const stopping = listener.stop().then(() => (stopped = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(stopped).toBe(false);
    release();
    await stopping;
    expect(bus.accepted).toEqual(samples('m', 5));
  });

  it('gives up what the bus never accepts, and counts it', async () => {
    const { bus, port, listener, metric } = await setUp({ stopTimeoutMs: 10 });
    bus.gate = new Promise(() => undefined);
    await sendDatagrams(port, [lines('m', 3)]);
    await vi.waitFor(() => expect(bus.publications).toHaveLength(1));
    await listener.stop();
    expect(await metric('htmengine_graphite_lost_samples_total')).toBe(3);
  });

  const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  );
  it.skipIf(!hasIPv6)('listens on IPv6', async () => {
    const { bus, port } = await setUp({ host: '::1' });
    await sendDatagrams(port, [line('six')], '::1');
    await vi.waitFor(() => expect(bus.names()).toEqual(['six']));
  });
});

describe('what the kernel dropped', () => {
  it('stands in the last column of the sockets on the port (proc_net_udp)', () => {
    const text = [
      '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             ',
      '  121: 0100007F:07D3 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 11 2 0000000000000000 37        ',
      '  122: 00000000:07D4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12 2 0000000000000000 5         ',
      '  123: 00000000000000000000000001000000:07D3 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 13 2 0000000000000000 4',
      '',
    ].join('\n');
    expect(parseUdpDrops(text, 2003)).toBe(41);
    expect(parseUdpDrops(text, 2004)).toBe(5);
    expect(parseUdpDrops(text, 1)).toBe(0);
    expect(parseUdpDrops('', 2003)).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('is counted', async () => {
    const { port, metric } = await setUp({ transport: 'udp', receiveBufferBytes: 1 });
    // All of these are sent before the listener's turn comes: more than the smallest buffer holds.
    const socket = createSocket('udp4');
    const sent = Array.from(
      { length: 200 },
      () => new Promise((resolve) => socket.send('x'.repeat(1000), port, '127.0.0.1', resolve)),
    );
    await Promise.all(sent);
    socket.close();
    await vi.waitFor(async () => {
      const drops = await metric(dropped, { reason: 'kernel' });
      expect(drops).toBeGreaterThan(0);
      expect(drops + (await metric(received))).toBe(200);
    });
  });
});
