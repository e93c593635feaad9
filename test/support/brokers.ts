import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Connection, type Channel } from 'rabbitmq-client';
import { Broker } from '../../src/bus/rabbitmq/broker.ts';
import { declareSampleQueues } from '../../src/bus/rabbitmq/topology.ts';
import { parseBrokerUrl } from '../../src/bus/rabbitmq/url.ts';
import { NEW_INSTALLATION_PARTITIONS } from '../../src/partition.ts';

/** The broker that tests run against, as the machine has it. */
export const BROKER_URL = process.env.HTMENGINE_TEST_AMQP_URL ?? 'amqp://guest:guest@127.0.0.1:5672';

/** Partitions of a test's application: enough to be several, few enough to be declared fast. */
export const TEST_PARTITIONS = 3;

/**
 * Why tests on the broker cannot run, or null if they can.
 * @throws where they must not be left out (HTMENGINE_REQUIRE_SERVICES)
 */
export async function missingBroker(): Promise<string | null> {
  const connection = new Connection({ url: BROKER_URL, retryHigh: 1_000 });
  connection.on('error', () => undefined);
  try {
    await connection.onConnect(5_000);
    await connection.close();
    return null;
  } catch (error) {
    const reason = `no broker at ${BROKER_URL} (${error instanceof Error ? error.message : String(error)})`;
    if (process.env.HTMENGINE_REQUIRE_SERVICES === '1') throw new Error(reason, { cause: error });
    process.stderr.write(
      `NOT RUN: tests on RabbitMQ: ${reason}. Install rabbitmq-server, or name one by HTMENGINE_TEST_AMQP_URL.\n`,
    );
    return reason;
  }
}

/** An application of its own on the broker, gone when it is disposed of. */
export class TestApplication {
  readonly name = `test-${randomUUID()}`;
  readonly #url: string;
  readonly #brokers: Broker[] = [];

  constructor(url = BROKER_URL) {
    this.#url = url;
  }

  /** A connection as a process has one. */
  connect(registry = new Registry(), url = this.#url): Broker {
    const broker = new Broker(
      { address: parseBrokerUrl(url), application: this.name, heartbeatSeconds: 3 },
      { log: pino({ level: 'silent' }), registry },
    );
    this.#brokers.push(broker);
    return broker;
  }

  /** Runs something on a channel of its own. */
  async onChannel<T>(run: (channel: Channel, broker: Broker) => Promise<T>): Promise<T> {
    const broker = this.connect();
    await broker.connected();
    const channel = await broker.openChannel();
    try {
      return await run(channel, broker);
    } finally {
      await channel.close();
    }
  }

  declareSampleQueues(): Promise<void> {
    return this.onChannel((channel, { names }) => declareSampleQueues(channel, names, TEST_PARTITIONS));
  }

  async dispose(): Promise<void> {
    await this.onChannel(async (channel, { names }) => {
      // As many as an engine may have made.
      for (let partition = 0; partition < NEW_INSTALLATION_PARTITIONS; partition++)
        await channel.queueDelete(names.samples(partition));
      await channel.queueDelete(names.dead);
      await channel.queueDelete(names.customData);
      for (const exchange of [names.wakeUps, names.storers, names.results])
        await channel.exchangeDelete({ exchange });
    });
    await Promise.all(this.#brokers.splice(0).map((broker) => broker.close(2_000)));
  }
}
