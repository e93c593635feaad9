import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { HtmEngineError } from '../errors.ts';
import type { Sample } from '../metric.ts';
import { HostCollector } from './host.ts';
import { systemReaders, type HostReaders } from './readers.ts';

const START_SECONDS = 1_600_000_002.5;
const FIRST = 1_600_000_005;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'],
    now: START_SECONDS * 1000,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A machine whose numbers the test sets. */
class Machine implements HostReaders {
  times = { busy: 1000, total: 10_000 };
  interfaces = new Map([['eth0', { receivedBytes: 5000, sentBytes: 100 }]]);
  linkSpeed: number | null = null;
  readMemory: HostReaders['memory'] = () => Promise.resolve({ used: 3, total: 4 });
  readDisk: HostReaders['disk'] = () => Promise.resolve({ used: 1, total: 8 });

  processors = () => 4;
  cpu = () => Promise.resolve(this.times);
  load: HostReaders['load'] = () => 1.25;
  memory = () => this.readMemory();
  disk = () => this.readDisk();
  network: HostReaders['network'] = () => Promise.resolve(new Map(this.interfaces));
  linkBytesPerSecond = () => Promise.resolve(this.linkSpeed);
}

function setUp(machine = new Machine(), intervalSeconds = 5) {
  const published: (readonly Sample[])[] = [];
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  let publish: () => Promise<unknown> = () => Promise.resolve();
  const collector = new HostCollector({
    bus: {
      publishSamples: async (samples) => {
        published.push(samples);
        await publish();
        return { refused: [] };
      },
    },
    telemetry: { log, registry: new Registry() },
    readers: machine,
    intervalSeconds,
  });
  return {
    collector,
    machine,
    published,
    lines,
    /** Goes on by so many seconds. */
    pass: (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000),
    publishWith: (action: () => Promise<unknown>) => (publish = action),
    values: (i: number) => Object.fromEntries((published[i] ?? []).map(({ name, value }) => [name, value])),
    times: () => published.map((samples) => Array.from(new Set(samples.map(({ timestamp }) => timestamp)))),
  };
}

describe('the host collector', () => {
  it('measures everything, what is a rate since the reading before', async () => {
    const { collector, machine, pass, values } = setUp();
    await collector.start();
    machine.times = { busy: 1300, total: 11_200 };
    machine.interfaces.set('eth0', { receivedBytes: 5000 + 250_000, sentBytes: 100 });
    await pass(2.5);
    expect(values(0)).toEqual({
      'host.cpu.percent': 25,
      'host.load.1m': 1.25,
      'host.memory.used_percent': 75,
      'host.disk.used_percent': 12.5,
      'host.network.received_bytes_per_second': 100_000,
      'host.network.sent_bytes_per_second': 0,
    });
    collector.stop();
  });

  it('takes samples at whole intervals, never two at the same time', async () => {
    const { collector, pass, times } = setUp();
    await collector.start();
    await pass(2.4);
    expect(times()).toEqual([]);
    await pass(15.1);
    expect(times()).toEqual([[FIRST], [FIRST + 5], [FIRST + 10], [FIRST + 15]]);
    collector.stop();
  });

  it('waits for the clock when that is set back, and leaves out what it jumps over', async () => {
    const { collector, pass, times } = setUp();
    await collector.start();
    await pass(2.5);
    vi.setSystemTime((FIRST - 20) * 1000);
    await pass(24);
    expect(times()).toEqual([[FIRST]]);
    await pass(1);
    vi.setSystemTime((FIRST + 1002) * 1000);
    await pass(5);
    expect(times()).toEqual([[FIRST], [FIRST + 5], [FIRST + 1005]]);
    collector.stop();
  });

  it('knows the range of every metric', async () => {
    const { collector, machine } = setUp();
    const percent = { min: 0, max: 100 };
    expect(await collector.metrics()).toEqual([
      { name: 'host.cpu.percent', range: percent },
      { name: 'host.load.1m', range: { min: 0, max: 8 } },
      { name: 'host.memory.used_percent', range: percent },
      { name: 'host.disk.used_percent', range: percent },
      { name: 'host.network.received_bytes_per_second', range: { min: 0, max: 125_000_000 } },
      { name: 'host.network.sent_bytes_per_second', range: { min: 0, max: 125_000_000 } },
    ]);
    machine.linkSpeed = 1_250_000_000;
    expect((await collector.metrics()).at(-1)?.range).toEqual({ min: 0, max: 1_250_000_000 });
  });

  it('leaves out what the operating system does not tell', async () => {
    const machine = new Machine();
    machine.load = null;
    machine.network = null;
    const { collector, pass, values } = setUp(machine);
    await collector.start();
    machine.times = { busy: 1001, total: 10_001 };
    await pass(2.5);
    const expected = ['host.cpu.percent', 'host.memory.used_percent', 'host.disk.used_percent'];
    expect((await collector.metrics()).map(({ name }) => name)).toEqual(expected);
    expect(Object.keys(values(0))).toEqual(expected);
    collector.stop();
  });

  it('leaves out a reading that fails, and logs that once until it works again', async () => {
    const { collector, machine, pass, values, lines } = setUp();
    await collector.start();
    machine.readMemory = () => Promise.reject(new Error('no such file'));
    await pass(12.5);
    expect(values(0)).toMatchObject({ 'host.load.1m': 1.25 });
    expect(values(2)).not.toHaveProperty('host.memory.used_percent');
    expect(lines).toMatchObject([{ what: 'memory', err: { message: 'no such file' } }]);
    machine.readMemory = () => Promise.resolve({ used: 1, total: 0 });
    await pass(5);
    expect(lines).toHaveLength(1);
    machine.readMemory = () => Promise.resolve({ used: 1, total: 4 });
    await pass(5);
    expect(values(4)).toMatchObject({ 'host.memory.used_percent': 25 });
    machine.readMemory = () => Promise.reject(new Error('again'));
    await pass(5);
    expect(lines).toHaveLength(2);
    collector.stop();
  });

  it('calls nothing a rate that is none: counters that started anew, interfaces that came or went', async () => {
    const { collector, machine, pass, values } = setUp();
    await collector.start();
    machine.interfaces = new Map([
      ['eth0', { receivedBytes: 10, sentBytes: 10 }],
      ['eth1', { receivedBytes: 10 ** 12, sentBytes: 10 ** 12 }],
    ]);
    await pass(2.5);
    expect(values(0)).not.toHaveProperty('host.network.received_bytes_per_second');
    machine.interfaces = new Map([
      ['eth0', { receivedBytes: 60, sentBytes: 20 }],
      ['eth1', { receivedBytes: 10 ** 12 + 500, sentBytes: 10 ** 12 + 40 }],
    ]);
    await pass(5);
    expect(values(1)).toMatchObject({
      'host.network.received_bytes_per_second': 110,
      'host.network.sent_bytes_per_second': 10,
    });
    machine.interfaces = new Map();
    await pass(5);
    expect(values(2)).not.toHaveProperty('host.network.received_bytes_per_second');
    collector.stop();
  });

  it('keeps the share of processor time between 0 and 100', async () => {
    const { collector, machine, pass, values } = setUp();
    await collector.start();
    machine.times = { busy: 1150, total: 10_100 };
    await pass(2.5);
    machine.times = { busy: 1140, total: 10_200 };
    await pass(5);
    await pass(5);
    expect([0, 1, 2].map((i) => values(i)['host.cpu.percent'])).toEqual([100, 0, undefined]);
    collector.stop();
  });

  it('goes on after samples that were not accepted, and leaves out intervals while some wait', async () => {
    const { collector, pass, times, lines, publishWith } = setUp();
    publishWith(() => Promise.reject(new HtmEngineError('store_unavailable', 'the disk is full')));
    await collector.start();
    await pass(7.5);
    expect(times()).toEqual([[FIRST], [FIRST + 5]]);
    expect(lines).toMatchObject([{ what: 'publication' }]);
    let accept: () => void = () => undefined;
    publishWith(() => new Promise<void>((resolve) => (accept = resolve)));
    await pass(20);
    expect(times()).toHaveLength(3);
    accept();
    await pass(5);
    expect(times().slice(2)).toEqual([[FIRST + 10], [FIRST + 30]]);
    collector.stop();
  });

  it('publishes nothing after it was stopped, not even what it was measuring', async () => {
    const { collector, machine, pass, published } = setUp();
    let measured: () => void = () => undefined;
    await collector.start();
    machine.readDisk = () => new Promise((resolve) => (measured = () => resolve({ used: 1, total: 2 })));
    await pass(2.5);
    collector.stop();
    measured();
    await pass(60);
    expect(published).toEqual([]);
  });
});

describe("this machine's readers", () => {
  // What node:os and statfs give is there on every system.
  it.each<NodeJS.Platform>([process.platform, 'darwin', 'win32'])(
    'give sensible numbers (as on %s)',
    async (platform) => {
      const readers = systemReaders('.', platform);
      const cpu = await readers.cpu();
      expect(cpu.busy).toBeGreaterThan(0);
      expect(cpu.total).toBeGreaterThanOrEqual(cpu.busy);
      for (const usage of [await readers.memory(), await readers.disk()]) {
        expect(usage.used).toBeGreaterThan(0);
        expect(usage.total).toBeGreaterThanOrEqual(usage.used);
      }
      expect(readers.processors()).toBeGreaterThanOrEqual(1);
      expect(readers.load?.() ?? 0).toBeGreaterThanOrEqual(0);
      expect(readers.load === null).toBe(platform === 'win32');
      expect(readers.network === null).toBe(platform !== 'linux');
      expect((await readers.linkBytesPerSecond()) ?? 1).toBeGreaterThan(0);
    },
  );

  it.runIf(process.platform === 'linux')('count the network without the loopback', async () => {
    const interfaces = (await systemReaders('.').network?.()) ?? new Map<string, unknown>();
    expect(Array.from(interfaces.keys())).not.toContain('lo');
  });
});
