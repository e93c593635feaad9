import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openRabbitBus } from '../../src/bus/rabbitmq/rabbit-bus.ts';
import type { Sample } from '../../src/metric.ts';
import { TEST_PARTITIONS, TestApplication } from '../support/brokers.ts';
import { missingOwnBroker, OwnBroker } from '../support/own-broker.ts';

const OPTIONS = { partitions: TEST_PARTITIONS, maxSamples: 60, maxBatchSamples: 20, prefetch: 4 };
const METRICS = ['a', 'b', 'c', 'd', 'e'];
const sample = (name: string, i: number): Sample => ({ name, value: i, timestamp: 1_600_000_000 + i });

describe.skipIf(missingOwnBroker() !== null)('a broker that is stopped and started', () => {
  let broker: OwnBroker;
  beforeAll(async () => {
    broker = await OwnBroker.start();
  }, 180_000);
  afterAll(async () => {
    await broker.dispose();
  }, 60_000);

  it('loses and reorders nothing: publishers wait, and go on where they were', async () => {
    const application = new TestApplication(broker.url);
    const registry = new Registry();
    const bus = await openRabbitBus(application.connect(registry), OPTIONS);
    const stored = new Map<string, number[]>();
    await bus.consumeSamples((deliveries) => {
      for (const { samples, redelivered } of deliveries) {
        for (const { name, timestamp } of samples) {
          const rows = stored.get(name) ?? [];
          stored.set(name, rows);
          if (timestamp > (rows.at(-1) ?? 0)) rows.push(timestamp);
          else expect(redelivered).toBe(true);
        }
      }
      return Promise.resolve(deliveries.map(() => []));
    });

    let accepted = 0;
    let isSending = true;
    const sent = Promise.all(
      METRICS.map(async (name) => {
        let i = 0;
        for (; isSending; i++) {
          await bus.publishSamples([sample(name, i)]);
          accepted += 1;
        }
        return { name, count: i };
      }),
    );
    const more = async () => {
      const before = accepted;
      await vi.waitFor(() => expect(accepted).toBeGreaterThan(before + 20), { timeout: 60_000 });
    };
    await more();
    await broker.stopApplication();
    const whileDown = accepted;
    await broker.startApplication();
    await more();
    expect(accepted).toBeGreaterThan(whileDown);
    isSending = false;

    for (const { name, count } of await sent) {
      const expected = Array.from({ length: count }, (_, i) => sample(name, i).timestamp);
      await vi.waitFor(() => expect(stored.get(name)).toEqual(expected), { timeout: 60_000 });
    }
    expect((await registry.getSingleMetric('htmengine_broker_connects_total')?.get())?.values[0]?.value).toBe(
      2,
    );
    await bus.close();
    await application.dispose();
  }, 240_000);
});
