import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { createDatabase, missingServer } from '../support/database-servers.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import { layDownOriginal } from '../support/original-schema.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');

const missing = await missingServer('mysql');

async function reset(...args: string[]): Promise<{ code: unknown; text: string }> {
  const child = spawn(process.execPath, [MAIN, 'db', 'reset', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += String(part)));
  const [code] = (await once(child, 'close')) as unknown[];
  return { code, text };
}

describe('htmengine db reset', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(async () => {
    await directory.remove();
  });

  const start = async () => {
    const engine = new Engine({
      dataDirectory: directory.path,
      listener: { graphite: { enabled: false } },
      api: { enabled: false },
      scheduler: { workers: 1 },
      log: { level: 'silent' },
    });
    await engine.start();
    return engine;
  };

  it(
    'removes metrics, rows and models once the name is given, and not before',
    { timeout: 180_000 },
    async () => {
      const engine = await start();
      await engine.push([{ name: 'a', value: 1 }]);
      const metricId = await engine.monitorMetric({
        metricSpec: { metric: 'a' },
        modelParams: { min: 0, max: 1 },
      });
      await until(
        'a score',
        async () => (await engine.readData(metricId, { limit: 1 }))[0]?.anomalyScore != null,
      );
      await engine.stop();
      const place = ['--data-dir', directory.path];
      expect(await reset(...place)).toMatchObject({
        code: 2,
        text: expect.stringContaining('1 metric with 1 row') as string,
      });
      expect((await reset(...place, '--confirm', 'another')).code).toBe(2);

      const again = await start();
      expect(await again.findMetric('a')).not.toBeNull();
      expect((await reset(...place, '--confirm', basename(directory.path))).text).toMatch(
        /another engine is running/,
      );
      await again.stop();

      expect(await reset(...place, '--confirm', basename(directory.path))).toMatchObject({ code: 0 });
      const empty = await start();
      expect(await empty.listMetrics()).toEqual([]);
      expect(await empty.checkpoints(metricId)).toEqual([]);
      await empty.stop();
    },
  );

  it.skipIf(missing !== null)("leaves a database of the original's alone", { timeout: 180_000 }, async () => {
    const database = await createDatabase('mysql');
    try {
      await layDownOriginal(database, 4, [{ uid: 'a1'.repeat(16), name: 'a', rows: 1 }]);
      const args = ['--store', database.url, '--data-dir', directory.path];
      const confirm = ['--confirm', basename(new URL(database.url).pathname)];
      expect((await reset(...args, ...confirm)).text).toMatch(/was a database of the original/);
      expect(await database.execute('select name from metric')).toEqual([{ name: 'a' }]);
    } finally {
      await database.drop();
    }
  });
});
