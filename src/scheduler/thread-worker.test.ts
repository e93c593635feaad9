import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { fakeModels, POISON } from '../../test/conformance/fakes/fake-models.ts';
import { WorkerLostError } from './model-worker.ts';
import { ThreadWorker } from './thread-worker.ts';

const FAKE = new URL('../../test/conformance/fakes/fake-model-worker.ts', import.meta.url);
const metricId = 'd'.repeat(32);
const modelParams = { seed: 9, bytes: 77 };
const name = { metricId, generation: 1, rowid: 3, revision: 1 };

const workers: ThreadWorker[] = [];
afterEach(async () => {
  for (const worker of workers) await worker.end();
  workers.length = 0;
});

async function start(file: URL = FAKE): Promise<ThreadWorker> {
  const worker = await ThreadWorker.start(file);
  workers.push(worker);
  return worker;
}

function rows(...values: number[]) {
  return {
    metricId,
    timestamps: Float64Array.from(values, (_, i) => i),
    values: Float64Array.from(values),
    replayed: 0,
  };
}

function expected(...values: number[]): number[] {
  const model = fakeModels.create(modelParams);
  return values.map((value, i) => model.run(i, value));
}

describe('model worker in a thread', () => {
  it('builds, runs, saves, drops and restores a model', async () => {
    const worker = await start();
    expect(await worker.load({ metricId, modelParams, checkpoint: null })).toMatchObject({
      bytes: 77,
      failure: null,
    });
    const reply = await worker.run(rows(1, 2, 3));
    expect(Array.from(reply.rawScores)).toEqual(expected(1, 2, 3));
    expect(reply).toMatchObject({ predictions: null, bytes: 77, failure: null });
    const { checkpoint: bytes } = await worker.save(name);
    await worker.drop(metricId);
    await expect(worker.run(rows(4))).rejects.toThrow('is not warm in this worker');
    expect(await worker.load({ metricId, modelParams, checkpoint: { name, bytes } })).toMatchObject({
      failure: null,
    });
    const restored = await worker.run({ ...rows(4), timestamps: Float64Array.of(3) });
    expect(Array.from(restored.rawScores)).toEqual(expected(1, 2, 3, 4).slice(3));
  });

  it('answers many calls in the order they were made', async () => {
    const worker = await start();
    const replies = await Promise.all([
      worker.load({ metricId, modelParams, checkpoint: null }),
      worker.run(rows(1, 2)),
      worker.run({ ...rows(3), timestamps: Float64Array.of(2) }),
      worker.drop(metricId),
    ]);
    expect([...replies[1].rawScores, ...replies[2].rawScores]).toEqual(expected(1, 2, 3));
  });

  it('tells at which row a model failed, drops it, and goes on with others', async () => {
    const worker = await start();
    await worker.load({ metricId, modelParams, checkpoint: null });
    const reply = await worker.run(rows(1, 2, POISON, 4));
    expect(Array.from(reply.rawScores)).toEqual(expected(1, 2));
    expect(reply.failure).toBe('RangeError: poison');
    await expect(worker.save(name)).rejects.toThrow('is not warm in this worker');
    expect(await worker.load({ metricId, modelParams, checkpoint: null })).toMatchObject({ failure: null });
  });

  it('says why a model cannot be loaded', async () => {
    const worker = await start();
    expect(await worker.load({ metricId, modelParams: {}, checkpoint: null })).toEqual({
      failure: 'Error: a fake model needs seed and bytes',
    });
    const checkpoint = { name, bytes: new Uint8Array(200) };
    const reply = await worker.load({ metricId, modelParams, checkpoint });
    expect(reply.failure).toContain('is damaged');
  });

  it('rejects calls, pending and later ones, when it has ended', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'htmengine-worker-'));
    const file = join(directory, 'silent.mjs');
    await writeFile(
      file,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', () => undefined);
       parentPort.postMessage({ kind: 'ready' });`,
    );
    const worker = await start(pathToFileURL(file));
    const pending = worker.run(rows(1));
    const lost = expect(pending).rejects.toThrow(WorkerLostError);
    await worker.end();
    await lost;
    await expect(worker.run(rows(1))).rejects.toThrow(WorkerLostError);
    expect(await worker.ended).toBe('exit code 1');
    await rm(directory, { recursive: true });
  });

  it('is ended when it makes no progress with what it was asked, and only then', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'htmengine-worker-'));
    const file = join(directory, 'hanging.mjs');
    await writeFile(
      file,
      `import { parentPort, workerData } from 'node:worker_threads';
       const pause = new Int32Array(new SharedArrayBuffer(4));
       parentPort.on('message', ({ id, call }) => {
         for (let step = 0; step < 20; step++) {
           Atomics.wait(pause, 0, 0, 50);
           Atomics.add(workerData.progress, 0, 1);
         }
         if (call === 'run') for (;;);
         parentPort.postMessage({ kind: 'reply', id, reply: undefined });
       });
       parentPort.postMessage({ kind: 'ready' });`,
    );
    const worker = await ThreadWorker.start(pathToFileURL(file), { everyMs: 100, looks: 5 });
    workers.push(worker);
    // Slow, twice as long as a worker may be silent, but never silent for so long.
    await worker.drop(metricId);
    await expect(worker.run(rows(1))).rejects.toThrow('no progress for 0.5 s');
    expect(await worker.ended).toBe('it hung: no progress for 0.5 s');
    await rm(directory, { recursive: true });
  });

  it('cannot be started with a file that is broken or missing, and says why', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'htmengine-worker-'));
    const file = join(directory, 'broken.mjs');
    await writeFile(file, 'throw new Error("broken from the start");');
    await expect(start(pathToFileURL(file))).rejects.toThrow('broken from the start');
    await expect(start(pathToFileURL(join(directory, 'missing.mjs')))).rejects.toThrow('could not start');
    await rm(directory, { recursive: true });
  });

  it('tells what an exception outside of a call ended it with', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'htmengine-worker-'));
    const file = join(directory, 'dying.mjs');
    await writeFile(
      file,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', () => { throw new Error('out of something'); });
       parentPort.postMessage({ kind: 'ready' });`,
    );
    const worker = await start(pathToFileURL(file));
    await expect(worker.run(rows(1))).rejects.toThrow('out of something');
    expect(await worker.ended).toContain('out of something');
    await rm(directory, { recursive: true });
  });
});
