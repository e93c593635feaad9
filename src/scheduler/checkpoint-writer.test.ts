import { pino } from 'pino';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import { HtmEngineError } from '../errors.ts';
import { InProcessWorker } from '../../test/conformance/fakes/in-process-worker.ts';
import { MemoryCheckpoints } from '../../test/conformance/fakes/memory-checkpoints.ts';
import { until } from '../../test/conformance/fakes/scheduler-harness.ts';
import { CheckpointPolicy } from './checkpoint-policy.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { schedulerMetrics } from './scheduler-metrics.ts';
import type { WarmModel } from './warm-models.ts';

/** Puts wait until they are let through, or fail. */
class Gate extends MemoryCheckpoints {
  failing = false;
  readonly waiting: (() => void)[] = [];
  open = true;

  override async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
    if (!this.open) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.failing) throw new HtmEngineError('store_unavailable', 'the disk is full');
    await super.put(name, bytes);
  }
}

let now = 0;
function writerOn(store: MemoryCheckpoints): CheckpointWriter {
  const usage = {
    warmModels: 0,
    heldBytes: 0,
    waitingModels: 0,
    gatheringModels: 0,
    unsavedRows: 0,
    checkpointAgeSeconds: 0,
    memoryBudgetBytes: 0,
  };
  const metrics = schedulerMetrics(new Registry(), () => usage);
  const clock = { now: () => now, sleep: async () => await Promise.resolve() };
  return new CheckpointWriter(store, new CheckpointPolicy(1000), pino({ level: 'silent' }), metrics, clock);
}

async function warm(digit: string, generation = 1): Promise<WarmModel> {
  const metricId = digit.repeat(32);
  const worker = new InProcessWorker();
  await worker.load({ metricId, modelParams: { seed: 1, bytes: 1 }, checkpoint: null });
  return {
    metricId,
    partition: 0,
    worker,
    generation,
    revision: 1,
    rowid: 0,
    savedRowid: 0,
    savedAtMs: now,
    bytes: 1,
    newFromRowid: 0,
    nextMs: null,
    loadMs: 0,
    rowMs: null,
    saveMs: null,
  };
}

async function rowids(store: MemoryCheckpoints, model: WarmModel): Promise<string[]> {
  return (await store.list(model.metricId)).map(({ generation, rowid }) => `${generation}/${rowid}`);
}

describe('checkpoint writer', () => {
  it('keeps the two newest of the generation and none of earlier ones', async () => {
    const store = new Gate();
    const writer = writerOn(store);
    const first = await warm('a', 1);
    first.rowid = 7;
    await writer.save(first);
    const second = await warm('a', 2);
    for (const rowid of [10, 20, 30]) {
      second.rowid = rowid;
      await writer.save(second);
      await writer.settled(second.metricId);
    }
    expect(await rowids(store, second)).toEqual(['2/30', '2/20']);
    expect(second.savedRowid).toBe(30);
  });

  it('writes beside what the model does next, one write of a metric after the other', async () => {
    const store = new Gate();
    const writer = writerOn(store);
    const model = await warm('a');
    store.open = false;
    model.rowid = 10;
    await writer.save(model);
    model.rowid = 20;
    const second = writer.save(model);
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(store.waiting).toHaveLength(1);
    store.open = true;
    store.waiting.shift()?.();
    await second;
    await writer.idle();
    expect(await rowids(store, model)).toEqual(['1/20', '1/10']);
  });

  it('writes a few at a time; more have to wait', async () => {
    const store = new Gate();
    const writer = writerOn(store);
    const models = await Promise.all(
      ['1', '2', '3', '4', '5', '6', '7'].map(async (digit) => await warm(digit)),
    );
    store.open = false;
    const saves = models.map(async (model) => {
      model.rowid = 5;
      await writer.save(model);
    });
    await until(() => store.waiting.length === 4);
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect(store.waiting).toHaveLength(4);
    expect(writer.ready).toBe(false);
    store.open = true;
    for (const letThrough of store.waiting) letThrough();
    await Promise.all(saves);
    await writer.idle();
    expect(writer.ready).toBe(true);
    for (const model of models) expect(await rowids(store, model)).toEqual(['1/5']);
  });

  it('pauses after a failure, knows what is not saved, and makes up for it', async () => {
    const store = new Gate();
    const writer = writerOn(store);
    const model = await warm('a');
    const loadedAtMs = now;
    now += 7;
    store.failing = true;
    model.rowid = 10;
    await writer.save(model);
    await writer.idle();
    expect(model.savedRowid).toBe(0);
    expect(model.savedAtMs).toBe(loadedAtMs);
    expect(writer.ready).toBe(false);
    now += 4_999;
    expect(writer.paused).toBe(true);
    now += 1;
    expect(writer.ready).toBe(true);
    store.failing = false;
    await writer.save(model);
    await writer.idle();
    expect(await rowids(store, model)).toEqual(['1/10']);
    expect(model.savedRowid).toBe(10);
    expect(model.savedAtMs).toBe(now);
  });

  it('gives its place back when the worker is lost, without taking that for a fault of the disk', async () => {
    const store = new Gate();
    const writer = writerOn(store);
    for (let i = 0; i < 10; i++) {
      const model = await warm('a');
      await model.worker.end();
      model.rowid = 10;
      await writer.save(model);
      expect(model.savedRowid).toBe(0);
    }
    expect(writer.ready).toBe(true);
  });
});
