import { pino } from 'pino';
import { Registry } from 'prom-client';
import { loadConfig } from '../../config/resolve.ts';
import type { Config } from '../../config.ts';
import { HtmEngineError } from '../../errors.ts';
import { MEMORY, openPartitionQueues } from '../../open-bus.ts';
import { describeStore, openStore, SQLITE } from '../../open-store.ts';
import type { Store } from '../../store/store.ts';
import { commandLineSettings, type ConfigOptions } from '../config-options.ts';
import { countText } from '../terminal/text.ts';

/** Tells how many partitions the installation has. */
export async function showPartitions(options: ConfigOptions): Promise<void> {
  await onServer(options, async ({ catalogue }) => {
    process.stdout.write(`${await catalogue.partitions()}\n`);
  });
}

/** Shares metrics out anew. No process of the installation may run. @throws HtmEngineError `store_locked` */
export async function setPartitions(partitions: number, options: ConfigOptions): Promise<void> {
  await onServer(options, async ({ catalogue }, { bus, store }) => {
    const before = await catalogue.partitions();
    const telemetry = { log: pino({ level: 'silent' }), registry: new Registry() };
    const queues = bus.url === MEMORY ? null : await openPartitionQueues(bus, telemetry);
    try {
      await queues?.checkIdle(before);
      const metrics = await catalogue.repartition(partitions);
      await queues?.remove(partitions, before);
      process.stdout.write(
        `${describeStore(store.url)} has ${partitions} partitions now (it had ${before}): ${countText(metrics, 'metric')} shared out anew.\n`,
      );
    } finally {
      await queues?.close();
    }
  });
}

async function onServer(
  options: ConfigOptions,
  run: (store: Store, config: Config) => Promise<void>,
): Promise<void> {
  const config = loadConfig(commandLineSettings(options));
  if (config.store.url === SQLITE) {
    throw new HtmEngineError(
      'config_invalid',
      'SQLite serves one process, which has no use for partitions: name a database server with --store',
    );
  }
  const store = await openStore(config.store, '');
  try {
    await run(store, config);
  } finally {
    await store.close();
  }
}
