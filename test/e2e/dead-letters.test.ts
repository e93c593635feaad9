import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bury } from '../../src/bus/rabbitmq/dead-letters.ts';
import { confirmPublishes } from '../../src/bus/rabbitmq/confirmed.ts';
import { customDataQueue, deadQueue } from '../../src/bus/rabbitmq/topology.ts';
import { BROKER_URL, missingBroker, TestApplication } from '../support/brokers.ts';
import { runCommand } from '../support/cli.ts';
import { temporaryDirectory } from '../support/engine-process.ts';

/** The commands on a broker of which no engine is running. */

const missing = await missingBroker();

describe.skipIf(missing !== null)('htmengine dead-letters', () => {
  it('lists, shows, drops and replays what could not be read', async () => {
    const application = new TestApplication();
    const directory = await temporaryDirectory();
    onTestFinished(async () => {
      await application.dispose();
      await directory.remove();
    });
    const config = join(directory.path, 'htmengine.yaml');
    await writeFile(config, `bus:\n  url: ${BROKER_URL}\n  application: ${application.name}\n`);
    const run = (...args: string[]) => runCommand('', ['dead-letters', ...args, '--config', config]);
    const queue = `${application.name}.metric.custom.data`;
    await application.onChannel(async (channel, { names }) => {
      await channel.queueDeclare(deadQueue(names));
      await channel.queueDeclare(customDataQueue(names));
      await confirmPublishes(channel);
      for (const text of ['first', 'second', 'third']) {
        await bury(channel, names, {
          queue,
          reason: 'it is not JSON',
          body: Buffer.from(text),
          contentType: undefined,
        });
      }
    });

    const listed = await run('list', '--json');
    const letters = JSON.parse(listed.stdout) as { id: string }[];
    expect(letters).toEqual(
      ['first', 'second', 'third'].map((text) => ({
        id: expect.any(String) as unknown,
        diedAt: expect.stringMatching(/^20.*Z$/) as unknown,
        queue,
        contentType: null,
        bytes: text.length,
        reason: 'it is not JSON',
      })),
    );
    const [first, second, third] = letters.map(({ id }) => id);
    expect((await run('list')).stdout.split('\n')[1]).toContain(`${second}\t`);
    expect((await run('show', second ?? '')).stdout).toBe('second');
    expect(await run('show', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no dead letter has the id x') as unknown,
    });
    expect(await run('drop')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('give ids, or --all') as unknown,
    });
    expect(await run('drop', first ?? '')).toMatchObject({ code: 0, stdout: '1 message dropped.\n' });
    expect(await run('replay', third ?? '', 'y')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the id y') as unknown,
    });
    const replayed = await run('replay', '--all');
    expect(replayed).toMatchObject({ code: 0, stdout: '1 message replayed.\n' });
    expect(replayed.stderr).toContain('"older"');
    expect((await run('list', '--json')).stdout).toBe('[]\n');
    await application.onChannel(async (channel) => {
      const back = [
        await channel.basicGet({ queue }),
        await channel.basicGet({ queue }),
        await channel.basicGet({ queue }),
      ];
      expect(back.map((message) => (message === undefined ? undefined : String(message.body)))).toEqual([
        'third',
        'second',
        undefined,
      ]);
    });
  }, 60_000);

  it('says that there is no broker, or which', async () => {
    expect(await runCommand('', ['dead-letters', 'list'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('bus.url names no broker') as unknown,
    });
  });
});
