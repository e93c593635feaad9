import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openRabbitBus } from '../../src/bus/rabbitmq/rabbit-bus.ts';
import { BROKER_URL, missingBroker, TestApplication } from '../support/brokers.ts';
import { runCommand } from '../support/cli.ts';
import { createDatabase, missingServer } from '../support/database-servers.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

const SAMPLE = { name: 'a', value: 1, timestamp: 1_600_000_000 };
const missing = (await missingBroker()) ?? (await missingServer('postgres'));

describe.skipIf(missing !== null)('htmengine partitions', () => {
  it('shares metrics out anew, once no sample waits on the broker', { timeout: 120_000 }, async () => {
    const application = new TestApplication();
    const database = await createDatabase('postgres');
    const directory = await temporaryDirectory();
    onTestFinished(async () => {
      await application.dispose();
      await database.drop();
      await directory.remove();
    });
    const config = join(directory.path, 'htmengine.yaml');
    await writeFile(
      config,
      `store: { url: '${database.url}' }\nbus: { url: '${BROKER_URL}', application: ${application.name} }\n`,
    );
    const run = (...args: string[]) => runCommand('', ['partitions', ...args, '--config', config]);
    expect(await run('show')).toMatchObject({ code: 0, stdout: '16\n' });

    const options = { partitions: 16, maxSamples: 10, maxBatchSamples: 10, prefetch: 1 };
    const bus = await openRabbitBus(application.connect(), options);
    await bus.publishSamples([SAMPLE]);
    const refused = await run('set', '4');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('samples wait in');
    const stored = vi.fn();
    await bus.consumeSamples((deliveries) => {
      stored();
      return Promise.resolve(deliveries.map(() => []));
    });
    await vi.waitFor(() => expect(stored).toHaveBeenCalled(), { timeout: 20_000 });
    expect((await run('set', '4')).stderr).toContain('storers consume');
    await bus.close();

    expect(await run('set', '4')).toMatchObject({ code: 0 });
    expect(await run('show')).toMatchObject({ code: 0, stdout: '4\n' });
    const there = await Promise.all(
      [0, 3, 4, 15].map((partition) =>
        application
          .onChannel((channel, { names }) =>
            channel.queueDeclare({ queue: names.samples(partition), passive: true }),
          )
          .then(
            () => true,
            () => false,
          ),
      ),
    );
    expect(there).toEqual([true, true, false, false]);
  });
});
