import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';

/** The bridge of docs/walkthroughs/mqtt.md against Mosquitto on its usual port. */
const BROKER = 'mqtt://127.0.0.1:1883';
const ROOT = join(import.meta.dirname, '../..');
const isThere = await new Promise<boolean>((resolve) => {
  const socket = connectTcp(1883, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
  socket.unref();
});
if (!isThere) {
  const what = 'nothing answers on 127.0.0.1:1883: the walkthrough of MQTT needs Mosquitto (mosquitto -d)';
  if (process.env['HTMENGINE_REQUIRE_SERVICES'] === '1') throw new Error(what);
  console.warn(`skipped: ${what}`);
}

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let bridge: ChildProcess | undefined;
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  bridge?.kill('SIGKILL');
  await directory.remove();
});

it.skipIf(!isThere)(
  'takes numbers over, keeps what comes while it is away, and tells of the rest',
  { timeout: 60_000 },
  async () => {
    const engine = await EngineProcess.start(directory.path);
    const application = join(directory.path, 'bridge');
    await cp(join(ROOT, 'examples/mqtt'), application, { recursive: true });
    await mkdir(join(application, 'node_modules'));
    await symlink(ROOT, join(application, 'node_modules/htmengine'));
    await symlink(join(ROOT, 'node_modules/mqtt'), join(application, 'node_modules/mqtt'));
    const place = `test-${process.pid}`;
    const metric = `${place}.hall.temperature`;
    const rows = async () => (await engine.metric(metric))?.rows ?? 0;
    const sensor = await connectAsync(BROKER);
    const publish = (value: string) => sensor.publishAsync(`${place}/hall/temperature`, value, { qos: 1 });
    const start = async () => {
      const child = spawn(
        process.execPath,
        ['bridge.ts', BROKER, `${place}/#`, `http://127.0.0.1:${engine.httpPort}`],
        {
          cwd: application,
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      bridge = child;
      const said: string[] = [];
      for (const output of [child.stdout, child.stderr])
        createInterface(output).on('line', (line) => said.push(line));
      await until('the bridge', () => Promise.resolve(said.some((line) => line.includes('go to'))));
      return { child, said };
    };

    const first = await start();
    // Until the broker knows of the subscription it drops what is published.
    await until('a first value', async () => {
      await publish('21.5');
      return (await rows()) > 0;
    });
    await publish('warm');
    await until('its complaint', () =>
      Promise.resolve(first.said.some((line) => line === `${metric}: "warm" is no number`)),
    );
    first.child.kill('SIGKILL');

    const before = await rows();
    await publish('19.25');
    await start();
    await until('what came meanwhile', async () => (await rows()) > before);
    expect((await engine.rows(metric)).at(-1)?.value).toBe(19.25);
    await sensor.endAsync();
    bridge?.kill('SIGKILL');
    // The broker is to forget what it keeps for the bridge.
    await (await connectAsync(BROKER, { clientId: 'htmengine-bridge', clean: true })).endAsync();
    await engine.end('SIGTERM');
  },
);
