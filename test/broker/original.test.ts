import { inflateSync } from 'node:zlib';
import { connect, type ChannelModel, type ConsumeMessage } from 'amqplib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { BROKER_URL, missingBroker, TestApplication } from '../support/brokers.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

/**
 * An application as it was written for the original: the plain AMQP client, and nothing but what section 1.5 of the
 * system reference says.
 */

const START = 1_700_000_000;
const ROWS = 40;
const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 30_000, interval: 50 });

interface InferenceMessage {
  readonly metric: Readonly<Record<string, unknown>>;
  readonly results: readonly {
    readonly rowid: number;
    readonly ts: number;
    readonly value: number;
    readonly anomaly: number;
  }[];
}

const missing = await missingBroker();

describe.skipIf(missing !== null)("an application that was written for the original's broker", () => {
  let application: TestApplication;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let engine: Engine;
  let client: ChannelModel;
  const received: ConsumeMessage[] = [];

  beforeEach(async () => {
    application = new TestApplication();
    directory = await temporaryDirectory();
    client = await connect(BROKER_URL);
    engine = new Engine({
      dataDirectory: directory.path,
      api: { enabled: false },
      listener: { graphite: { enabled: false } },
      log: { level: 'silent' },
      bus: { url: BROKER_URL, application: application.name },
      publishing: { sweepMs: 200 },
    });
    received.length = 0;
  });
  afterEach(async () => {
    await engine.stop();
    await client.close();
    await application.dispose();
    await directory.remove();
  });

  const bindResults = async () => {
    const channel = await client.createChannel();
    const exchange = `${application.name}.model.results`;
    await channel.assertExchange(exchange, 'fanout', { durable: true });
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, '');
    await channel.prefetch(1);
    await channel.consume(queue, (message) => {
      if (message === null) throw new Error('cancelled by the broker');
      received.push(message);
      channel.ack(message);
    });
  };

  /** What was sent without the header `dataType`: results. */
  const inferences = () =>
    received
      .filter(({ properties }) => headersOf(properties.headers).dataType === undefined)
      .map((message) => JSON.parse(inflateSync(message.content).toString()) as InferenceMessage);
  const commands = () =>
    received
      .filter(({ properties }) => headersOf(properties.headers).dataType === 'model-cmd-result')
      .map((message) => JSON.parse(inflateSync(message.content).toString()) as Record<string, unknown>);

  it('sends samples, receives every result in order, and hears of models', async () => {
    await bindResults();
    await engine.start();
    const metricId = await engine.monitorMetric({
      metricSpec: { metric: 'room.temperature', userInfo: { floor: 2 } },
      modelParams: { min: 0, max: 40 },
    });
    const channel = await client.createConfirmChannel();
    const queue = `${application.name}.metric.custom.data`;
    await channel.assertQueue(queue, { durable: true });
    for (let first = 0; first < ROWS; first += 10) {
      const data = Array.from({ length: 10 }, (_, i) => {
        const row = first + i;
        return `room.temperature ${20 + Math.sin(row)} ${START + 300 * row}`;
      });
      channel.sendToQueue(queue, Buffer.from(JSON.stringify({ protocol: 'plain', data })), {
        persistent: true,
      });
    }
    await channel.waitForConfirms();

    await eventually(() => expect(inferences().flatMap(({ results }) => results)).toHaveLength(ROWS));
    for (const { metric } of inferences()) {
      expect(metric).toEqual({
        uid: metricId,
        name: 'room.temperature',
        description: expect.any(String) as unknown,
        resource: expect.any(String) as unknown,
        location: expect.any(String) as unknown,
        datasource: 'custom',
        spec: { metric: 'room.temperature', userInfo: { floor: 2 } },
      });
    }
    const stored = await engine.readData(metricId, { limit: 1000 });
    expect(inferences().flatMap(({ results }) => results)).toEqual(
      stored.map(({ rowid, timestamp, value, rawAnomalyScore, anomalyScore }) => ({
        rowid,
        ts: timestamp,
        value,
        rawAnomaly: rawAnomalyScore,
        anomaly: anomalyScore,
        multiStepBestPredictions: null,
      })),
    );
    expect(stored.map(({ rowid }) => rowid)).toEqual(Array.from({ length: ROWS }, (_, i) => i + 1));
    for (const { fields, properties } of received) {
      expect(fields).toMatchObject({ exchange: `${application.name}.model.results`, routingKey: '' });
      expect(properties.deliveryMode).toBe(2);
      expect(headersOf(properties.headers).generation).toBe(1);
    }

    await engine.unmonitorMetric(metricId);
    await eventually(() => expect(commands()).toHaveLength(2));
    expect(commands()).toEqual([
      {
        method: 'defineModel',
        modelId: metricId,
        commandId: expect.any(String) as unknown,
        status: 0,
        errorMessage: null,
        modelInfo: {
          metricName: 'room.temperature',
          resource: expect.any(String) as unknown,
          modelSpec: expect.objectContaining({
            metricSpec: { metric: 'room.temperature', userInfo: { floor: 2 } },
          }) as unknown,
        },
      },
      {
        method: 'deleteModel',
        modelId: metricId,
        commandId: expect.any(String) as unknown,
        status: 0,
        errorMessage: null,
      },
    ]);
  }, 60_000);

  it('has only what is wrong refused: a line alone, a message as a dead letter', async () => {
    await engine.start();
    const channel = await client.createConfirmChannel();
    const queue = `${application.name}.metric.custom.data`;
    // A producer that declares nothing: the queue is there since the engine runs.
    await channel.checkQueue(queue);
    const send = (text: string) => channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
    send(
      '{"protocol": "plain", "data": ["a 1 1700000000", "nonsense", "a x 1700000001", 7, "a 2 1700000300"]}',
    );
    send('{"protocol": "plain", "data": ["a 3 17000');
    send('{"protocol": "pickle", "data": []}');
    send('{"protocol": "plain", "data": "a 3 1700000600"}');
    send('[1]');
    send('{"protocol": "plain", "data": []}');
    send('{"protocol": "plain", "data": ["a 4 1700000900"]}');
    await channel.waitForConfirms();
    await eventually(async () => {
      const metric = await engine.findMetric('a');
      const rows = metric === null ? [] : await engine.readData(metric.metricId, { limit: 10 });
      expect(rows.map(({ value }) => value)).toEqual([1, 2, 4]);
    });
    await eventually(async () => {
      const dead = await channel.checkQueue(`${application.name}.dead.v1`);
      expect(dead.messageCount).toBe(4);
    });
    expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0, consumerCount: 1 });
  }, 60_000);
});

function headersOf(headers: unknown): Readonly<Record<string, unknown>> {
  return (headers ?? {}) as Readonly<Record<string, unknown>>;
}
