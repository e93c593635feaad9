import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Registry } from 'prom-client';
import type { Bus, SampleDelivery, SampleHandler } from '../../src/bus/bus.ts';
import { openRabbitBus } from '../../src/bus/rabbitmq/rabbit-bus.ts';
import { RabbitDeadLetters } from '../../src/bus/rabbitmq/dead-letters.ts';
import { HtmEngineError } from '../../src/errors.ts';
import type { Sample } from '../../src/metric.ts';
import { partitionOf } from '../../src/partition.ts';
import { BROKER_URL, missingBroker, TEST_PARTITIONS, TestApplication } from '../support/brokers.ts';
import { DatabaseProxy } from '../support/database-proxy.ts';

const OPTIONS = { partitions: TEST_PARTITIONS, maxSamples: 100, maxBatchSamples: 20, prefetch: 4 };
const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 15_000, interval: 20 });

const sample = (name: string, i: number): Sample => ({ name, value: i, timestamp: 1_600_000_000 + i });
const samples = (name: string, first: number, count: number) =>
  Array.from({ length: count }, (_, i) => sample(name, first + i));
/** A metric of each partition. */
const NAMES = Array.from({ length: TEST_PARTITIONS }, (_, partition) => {
  for (let i = 0; ; i++) if (partitionOf(`m${i}`, TEST_PARTITIONS) === partition) return `m${i}`;
});

/** Stores as the storer does: of each metric only what is newer than its last row, and nothing when the store fails. */
class Rows {
  readonly rows = new Map<string, number[]>();
  readonly deliveries: SampleDelivery[] = [];
  /** Samples that came a second time without the flag that says so. */
  refused = 0;
  isDown = false;

  /** As one process calls it. */
  handler(): SampleHandler {
    return (deliveries) => {
      if (this.isDown) return Promise.reject(new HtmEngineError('store_unavailable', 'the disk is full'));
      this.deliveries.push(...deliveries);
      for (const { samples: those, redelivered } of deliveries) {
        for (const { name, timestamp } of those) {
          const rows = this.rows.get(name) ?? [];
          this.rows.set(name, rows);
          if (timestamp > (rows.at(-1) ?? 0)) rows.push(timestamp);
          else if (!redelivered) this.refused += 1;
        }
      }
      return Promise.resolve(deliveries.map(() => []));
    };
  }

  of(name: string): number[] {
    return this.rows.get(name) ?? [];
  }
}

const missing = await missingBroker();

describe.skipIf(missing !== null)('samples over RabbitMQ', () => {
  let application: TestApplication;
  const buses: Bus[] = [];
  const ends: (() => Promise<void>)[] = [];
  const open = async (url?: string, registry = new Registry()) => {
    const broker = url === undefined ? application.connect(registry) : application.connect(registry, url);
    const bus = await openRabbitBus(broker, OPTIONS);
    buses.push(bus);
    return { bus, broker, count: (name: string) => total(registry, name) };
  };
  beforeEach(() => {
    application = new TestApplication();
  });
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    for (const end of ends.splice(0)) await end();
    await application.dispose();
  });

  it('lose and reorder nothing while the connections of publisher and consumer are cut again and again', async () => {
    const { proxy, url } = await DatabaseProxy.start(BROKER_URL);
    ends.push(() => proxy.stop());
    const publisher = await open(url);
    const consumer = await open(url);
    const stored = new Rows();
    await consumer.bus.consumeSamples(stored.handler());
    const published = Promise.all(
      NAMES.map(async (name) => {
        for (let i = 0; i < 40; i++) await publisher.bus.publishSamples(samples(name, i * 5, 5));
      }),
    );
    let cuts = 0;
    const done = new AbortController();
    const cutting = (async () => {
      for (; !done.signal.aborted; cuts++) {
        await sleep(150);
        proxy.cut();
      }
    })();
    await published;
    done.abort();
    await cutting;
    const expected = samples('', 0, 200).map(({ timestamp }) => timestamp);
    await eventually(() => {
      for (const name of NAMES) expect(stored.of(name)).toEqual(expected);
    });
    expect(cuts).toBeGreaterThan(0);
    expect(await publisher.count('htmengine_broker_connects_total')).toBeGreaterThan(1);
    expect(stored.refused).toBe(0);
  }, 60_000);

  it('are no reason to hang when the connection is cut just while the bus closes', async () => {
    const { proxy, url } = await DatabaseProxy.start(BROKER_URL);
    ends.push(() => proxy.stop());
    for (let turns = 0; turns < 12; turns++) {
      const { bus, broker } = await open(url);
      await bus.consumeSamples(new Rows().handler());
      await bus.publishSamples(samples(NAMES[0] ?? '', 0, 5));
      const closed = bus.close().then(() => broker.close(1_000));
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      proxy.cut();
      expect(await Promise.race([closed.then(() => 'closed'), sleep(10_000, 'hangs')])).toBe('closed');
    }
  }, 120_000);

  it('wait, bounded, while the broker is down, and are told so when the bus closes', async () => {
    const { proxy, url } = await DatabaseProxy.start(BROKER_URL);
    ends.push(() => proxy.stop());
    const { bus, count } = await open(url);
    const stored = new Rows();
    const consumer = await open();
    await consumer.bus.consumeSamples(stored.handler());
    proxy.down();
    let accepted = 0;
    const publishing = Array.from({ length: 8 }, (_, i) =>
      bus.publishSamples(samples(NAMES[0] ?? '', i * 50, 50)).then(() => (accepted += 1)),
    );
    await sleep(300);
    expect(accepted).toBe(0);
    expect(await count('htmengine_bus_queued_samples')).toBe(100);
    expect(await count('htmengine_bus_waiting_publishers')).toBe(6);
    expect(await count('htmengine_broker_connected')).toBe(0);
    proxy.up();
    await Promise.all(publishing);
    await eventually(() => expect(stored.of(NAMES[0] ?? '')).toHaveLength(400));
  }, 60_000);

  it('stay where they are while the store fails, and come in their order when it works again', async () => {
    const publisher = await open();
    const consumer = await open();
    const stored = new Rows();
    stored.isDown = true;
    await consumer.bus.consumeSamples(stored.handler());
    for (let i = 0; i < 20; i++) {
      for (const name of NAMES) await publisher.bus.publishSamples(samples(name, i * 3, 3));
    }
    await sleep(500);
    expect(stored.rows.size).toBe(0);
    stored.isDown = false;
    const expected = samples('', 0, 60).map(({ timestamp }) => timestamp);
    await eventually(() => {
      for (const name of NAMES) expect(stored.of(name)).toEqual(expected);
    });
    expect(await consumer.count('htmengine_broker_operations_total{operation="redeliver"}')).toBe(0);
  });

  it('of a partition whose samples cannot be stored hold up no other partition', async () => {
    const { bus } = await open();
    const stored = new Rows();
    const store = stored.handler();
    const [bad = ''] = NAMES;
    await bus.consumeSamples((deliveries) =>
      deliveries.some((delivery) => delivery.samples.some(({ name }) => name === bad))
        ? Promise.reject(new Error('a row the database will not have'))
        : store(deliveries),
    );
    for (const name of NAMES) await bus.publishSamples(samples(name, 0, 5));
    for (const name of NAMES) await bus.publishSamples(samples(name, 5, 5));
    await eventually(() => {
      for (const name of NAMES) expect(stored.of(name)).toHaveLength(name === bad ? 0 : 10);
    });
  });

  it('are shared by two consumers, and go on when one of them is killed', async () => {
    const { proxy, url } = await DatabaseProxy.start(BROKER_URL);
    ends.push(() => proxy.stop());
    const publisher = await open();
    const stored = new Rows();
    const consumers = [await open(), await open(url)];
    const handled = consumers.map(() => new Set<number>());
    for (const [i, { bus }] of consumers.entries()) {
      const store = stored.handler();
      await bus.consumeSamples((deliveries) => {
        for (const { samples: those } of deliveries)
          for (const { name } of those) handled[i]?.add(partitionOf(name, TEST_PARTITIONS));
        return store(deliveries);
      });
    }
    let sent = 0;
    const send = async () => {
      for (const name of NAMES) await publisher.bus.publishSamples([sample(name, sent)]);
      sent += 1;
    };
    await eventually(async () => {
      handled.forEach((partitions) => partitions.clear());
      for (let i = 0; i < 5; i++) await send();
      await eventually(() => {
        for (const name of NAMES) expect(stored.of(name)).toHaveLength(sent);
      });
      // Each has its own ones, one of them the odd one more.
      expect(handled.map((partitions) => partitions.size).sort()).toEqual([1, 2]);
    });
    proxy.down();
    handled.forEach((partitions) => partitions.clear());
    for (let i = 0; i < 5; i++) await send();
    await eventually(() => {
      for (const name of NAMES) expect(stored.of(name)).toHaveLength(sent);
    });
    expect(handled[0]?.size).toBe(TEST_PARTITIONS);
    proxy.up();
    expect(stored.refused).toBe(0);
  }, 60_000);

  it('that cannot be read become dead letters, which are looked at, dropped and replayed', async () => {
    const { bus } = await open();
    const stored = new Rows();
    await application.onChannel(async (channel, { names }) => {
      const queue = names.samples(0);
      await channel.basicPublish({ routingKey: queue, contentType: 'text/plain' }, 'hello');
      await channel.basicPublish(
        { routingKey: queue, contentType: 'application/json' },
        Buffer.from('{"a":1}'),
      );
    });
    const [name = ''] = NAMES;
    await bus.publishSamples(samples(name, 0, 3));
    await bus.consumeSamples(stored.handler());
    await eventually(() => expect(stored.of(name)).toHaveLength(3));

    const letters = new RabbitDeadLetters(application.connect());
    ends.push(() => letters.close());
    const look = async () => {
      const found: { id: string; queue: string; reason: string; body: string }[] = [];
      await letters.visit(10, ({ id, queue, reason, body }) => {
        found.push({ id, queue, reason, body: body.toString() });
        return 'keep';
      });
      return found;
    };
    const found = await look();
    expect(found.map(({ body }) => body)).toEqual(['hello', '{"a":1}']);
    for (const { queue, reason } of found) {
      expect(queue).toBe(`${application.name}.samples.v1.0`);
      expect(reason).toContain('content type');
    }
    expect(await look()).toEqual(found);
    const [hello] = found;
    await letters.visit(10, ({ id }) => (id === hello?.id ? 'drop' : 'keep'));
    expect((await look()).map(({ body }) => body)).toEqual(['{"a":1}']);
    // Still unreadable, it goes the same way again.
    await letters.visit(10, () => 'replay');
    await eventually(async () => {
      const again = await look();
      expect(again.map(({ body }) => body)).toEqual(['{"a":1}']);
      expect(again[0]?.id).not.toBe(found[1]?.id);
    });
  });

  it('wake other processes up, and this one without the broker', async () => {
    const { proxy, url } = await DatabaseProxy.start(BROKER_URL);
    ends.push(() => proxy.stop());
    const one = await open(url);
    const other = await open();
    const heard = { one: new Array<string>(), other: new Array<string>() };
    one.bus.onWake('scored', (ids) => heard.one.push(...ids));
    other.bus.onWake('scored', (ids) => heard.other.push(...ids));
    const id = (digit: string) => digit.repeat(32);
    // Until both have their queues, wake-ups get lost: that is what they may.
    await eventually(() => {
      one.bus.wake('scored', [id('a'), id('b')]);
      expect(heard.other).toContain(id('b'));
    });
    expect(new Set(heard.one)).toEqual(new Set([id('a'), id('b')]));
    proxy.down();
    one.bus.wake('scored', [id('c')]);
    await eventually(() => expect(heard.one).toContain(id('c')));
    expect(heard.other).not.toContain(id('c'));
  });
});

/** The sum of a metric's series, or one of them. */
async function total(registry: Registry, name: string): Promise<number> {
  const lines = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
