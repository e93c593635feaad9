/** `npm run bench:broker`: samples a second through RabbitMQ, and what it does for each. No store: the handler keeps nothing. */
import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Broker } from '../src/bus/rabbitmq/broker.ts';
import { OPERATIONS } from '../src/bus/rabbitmq/instruments.ts';
import { openRabbitBus } from '../src/bus/rabbitmq/rabbit-bus.ts';
import { parseBrokerUrl } from '../src/bus/rabbitmq/url.ts';
import { NEW_INSTALLATION_PARTITIONS } from '../src/partition.ts';
import { describeMachine } from './calibration.ts';

interface Options {
  readonly url: string;
  readonly publishers: number;
  readonly batch: number;
  readonly batches: number;
  readonly json?: boolean;
}

const program = new Command('bench:broker')
  .description(
    'Publishes from so many senders in one process, each waiting for the confirm of its batch, and consumes in the same.',
  )
  .option('--url <url>', 'the broker', 'amqp://guest:guest@127.0.0.1:5672')
  .option('--publishers <n>', 'senders at the same time', positiveInteger, 20)
  .option(
    '--batch <n>',
    'samples that a sender publishes together, each of another metric',
    positiveInteger,
    200,
  )
  .option('--batches <n>', 'batches of each sender', positiveInteger, 20)
  .option('--json', 'print the figures as JSON')
  .action(bench);

await program.parseAsync();

async function bench({ url, publishers, batch, batches, json }: Options): Promise<void> {
  const registry = new Registry();
  const broker = new Broker(
    { address: parseBrokerUrl(url), application: `bench-${randomUUID()}`, heartbeatSeconds: 3 },
    { log: pino({ level: 'warn' }), registry },
  );
  const partitions = NEW_INSTALLATION_PARTITIONS;
  const bus = await openRabbitBus(broker, {
    partitions,
    maxSamples: 100_000,
    maxBatchSamples: 50_000,
    prefetch: 16,
  });
  const samples = publishers * batches * batch;
  const delivered = Promise.withResolvers<number>();
  let left = samples;
  await bus.consumeSamples((deliveries) => {
    for (const delivery of deliveries) left -= delivery.samples.length;
    if (left <= 0) delivered.resolve(performance.now());
    return Promise.resolve(deliveries.map(() => []));
  });
  const startMs = performance.now();
  const names = Array.from({ length: publishers }, (_, p) =>
    Array.from({ length: batch }, (__, i) => `p${p}.m${i}`),
  );
  await Promise.all(
    names.map(async (metrics) => {
      for (let row = 0; row < batches; row++)
        await bus.publishSamples(
          metrics.map((name) => ({ name, value: row, timestamp: 1_600_000_000 + row })),
        );
    }),
  );
  const confirmedMs = performance.now() - startMs;
  const deliveredMs = (await delivered.promise) - startMs;
  await bus.close();
  const found = {
    machine: describeMachine(),
    command: `npm run bench:broker -- --publishers ${publishers} --batch ${batch} --batches ${batches}`,
    samples,
    confirmedPerSecond: Math.round((samples / confirmedMs) * 1000),
    deliveredPerSecond: Math.round((samples / deliveredMs) * 1000),
    operationsPerSample: (await operations(registry)) / samples,
  };
  await removeQueues(broker, partitions);
  if (json === true) process.stdout.write(`${JSON.stringify(found, null, 1)}\n`);
  else
    for (const [name, value] of Object.entries(found))
      process.stdout.write(`${name}: ${typeof value === 'object' ? JSON.stringify(value) : value}\n`);
}

async function operations(registry: Registry): Promise<number> {
  const counted = await registry.getSingleMetric('htmengine_broker_operations_total')?.get();
  const values =
    counted?.values.filter(({ labels }) => OPERATIONS.some((one) => one === labels.operation)) ?? [];
  return values.reduce((sum, { value }) => sum + value, 0);
}

async function removeQueues(broker: Broker, partitions: number): Promise<void> {
  const channel = await broker.openChannel();
  const { names } = broker;
  for (let partition = 0; partition < partitions; partition++)
    await channel.queueDelete(names.samples(partition));
  await channel.queueDelete(names.dead);
  for (const exchange of [names.wakeUps, names.storers]) await channel.exchangeDelete({ exchange });
  await channel.close();
  await broker.close(1_000);
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}
