import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { describe, expect, it } from 'vitest';
import { EngineProcess, temporaryDirectory, until } from '../support/engine-process.ts';
import { freePort } from '../support/free-ports.ts';
import { programOf, ROOT, startProgram } from './laid-down.ts';

/** Sensors over MQTT, through a Mosquitto of the test's own. */

const BRIDGE = join(ROOT, 'examples/mqtt/bridge.ts');

it('the page shows the bridge as it is, in thirty lines', async () => {
  const bridge = await readFile(BRIDGE, 'utf8');
  expect(programOf('mqtt.md')).toBe(bridge);
  expect(bridge.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
});

describe('with a broker', () => {
  it(
    'carries numbers to the engine, tells what is none, and misses nothing while it is away',
    { timeout: 60_000 },
    async () => {
      const port = await freePort();
      const mosquitto = spawn('mosquitto', ['-p', String(port)], { stdio: 'ignore' });
      const data = await temporaryDirectory();
      const place = await temporaryDirectory();
      try {
        await until('the broker', () => answers(port));
        const engine = await EngineProcess.start(data.path);
        const args = [`mqtt://127.0.0.1:${port}`, 'sensors/#', `http://127.0.0.1:${engine.httpPort}`];
        const packages = { htmengine: ROOT, mqtt: join(ROOT, 'node_modules/mqtt') };
        const { child, output } = await startProgram(place.path, programOf('mqtt.md'), packages, args);
        await until('the bridge', () => Promise.resolve(output.text.includes('bridging sensors/#')));

        const sensor = await connectAsync(`mqtt://127.0.0.1:${port}`);
        await sensor.publishAsync('sensors/hall/temperature', 'warm', { qos: 1 });
        await sensor.publishAsync('sensors/hall/temperature', '21.5', { qos: 1 });
        await until('the value', async () => (await valueOf(engine, 'sensors.hall.temperature')) === 21.5);
        expect(output.text).toContain('sensors/hall/temperature: "warm" is no number');

        const exited = once(child, 'exit');
        child.kill('SIGINT');
        await exited;
        await sensor.publishAsync('sensors/hall/pressure', '1013', { qos: 1 });
        const again = spawn(process.execPath, ['program.ts', ...args], { cwd: place.path, stdio: 'ignore' });
        await until(
          'what came meanwhile',
          async () => (await valueOf(engine, 'sensors.hall.pressure')) === 1013,
        );
        again.kill('SIGKILL');
        await sensor.endAsync();
        await engine.end('SIGTERM');
      } finally {
        mosquitto.kill('SIGKILL');
        await Promise.all([data.remove(), place.remove()]);
      }
    },
  );
});

async function valueOf(engine: EngineProcess, name: string): Promise<number | undefined> {
  if ((await engine.metric(name)) === null) return undefined;
  return (await engine.rows(name)).at(-1)?.value;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
