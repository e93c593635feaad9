import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FilesystemCheckpointStore } from '../checkpoints/filesystem/filesystem-checkpoint-store.ts';
import type { Json } from '../generation.ts';
import {
  AnomalyModel,
  algorithmRevision,
  parseModelParameters,
  scalarAnomalyParameters,
} from '../htm/index.ts';
import { soleOwnership } from '../ownership/ownership.ts';
import { MemoryLog } from '../../test/conformance/fakes/memory-log.ts';
import { DEFAULT_SETTINGS, until } from '../../test/conformance/fakes/scheduler-harness.ts';
import { TestBus } from '../../test/conformance/fakes/test-bus.ts';
import { ModelScheduler } from './model-scheduler.ts';
import { anomalyModels } from './models.ts';

/** A model of the usual kind, small enough for hundreds of rows in a test. */
function smallParams(variant: 'cpp' | 'tm_cpp', enableClassifier = false): Json {
  const usual = scalarAnomalyParameters({ min: 0, max: 100, variant, enableClassifier });
  const memory = {
    ...usual.memory,
    cellsPerColumn: 4,
    activationThreshold: 5,
    minThreshold: 3,
  };
  const pooler = { ...usual.pooler, columnCount: 128, numActiveColumns: 8 };
  return parseModelParameters({ ...usual, pooler, memory }) as unknown as Json;
}

const METRICS = ['1', '2', '3', '4'].map((digit, m) => ({
  metricId: digit.repeat(32),
  modelParams: smallParams(m % 2 === 0 ? 'tm_cpp' : 'cpp'),
  values: Array.from({ length: 300 }, (_, i) => 20 + ((i * (m + 3)) % 24) + ((i * 7919) % 5)),
}));

function expectedScores({ modelParams, values }: (typeof METRICS)[number]): number[] {
  const model = AnomalyModel.create(parseModelParameters(modelParams));
  return values.map((value, i) => model.run(1_600_000_000 + (i + 1) * 300, value));
}

describe('HTM models in worker threads', () => {
  let directory: string;
  const schedulers: ModelScheduler[] = [];
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'htmengine-scheduler-'))));
  afterEach(async () => {
    for (const scheduler of schedulers) await scheduler.stop();
    schedulers.length = 0;
    await rm(directory, { recursive: true });
  });

  async function schedule(log: MemoryLog, registry: Registry, settings: Partial<typeof DEFAULT_SETTINGS>) {
    const scheduler = new ModelScheduler({
      store: log,
      bus: new TestBus(),
      checkpoints: await FilesystemCheckpointStore.open(join(directory, 'checkpoints')),
      telemetry: { log: pino({ level: 'silent' }), registry },
      settings: { ...DEFAULT_SETTINGS, sweepMs: 20, ...settings },
      ownership: soleOwnership(1),
    });
    schedulers.push(scheduler);
    await scheduler.start();
    return scheduler;
  }

  async function total(registry: Registry, name: string): Promise<number> {
    const metric = await registry.getSingleMetric(`htmengine_scheduler_${name}`)?.get();
    return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  }

  it.each([
    ['one worker with memory for all', { workers: 1 }],
    ['three workers', { workers: 3, sliceRows: 7 }],
    ['memory for one model', { workers: 2, memoryBudgetBytes: 1 }],
  ])('score as a model alone does: %s, stopped and started on the way', async (_, settings) => {
    const log = new MemoryLog();
    for (const { metricId, modelParams } of METRICS) {
      log.addMetric(metricId);
      log.monitor(metricId, modelParams, algorithmRevision);
    }
    for (const [from, to] of [
      [0, 110],
      [110, 300],
    ] as const) {
      const registry = new Registry();
      const scheduler = await schedule(log, registry, settings);
      for (const { metricId, values } of METRICS) log.append(metricId, values.slice(from, to));
      await until(() => log.settled);
      await scheduler.stop();
      expect(await total(registry, 'determinism_mismatches_total')).toBe(0);
      expect(await total(registry, 'checkpoint_failures_total')).toBe(0);
    }
    expect(log.violations).toEqual([]);
    for (const metric of METRICS) expect(log.rawScores(metric.metricId)).toEqual(expectedScores(metric));
  });

  it('score the same after their checkpoints were lost, which replay confirms', async () => {
    const log = new MemoryLog();
    for (const { metricId, modelParams, values } of METRICS) {
      log.addMetric(metricId);
      log.append(metricId, values.slice(0, 120));
      log.monitor(metricId, modelParams, algorithmRevision);
    }
    const first = await schedule(log, new Registry(), {});
    await until(() => log.settled);
    await first.stop();
    await rm(join(directory, 'checkpoints'), { recursive: true });
    for (const { metricId, values } of METRICS) log.append(metricId, values.slice(120));
    const registry = new Registry();
    await schedule(log, registry, {});
    await until(() => log.settled);
    expect(await total(registry, 'replayed_rows_total')).toBe(120 * METRICS.length);
    expect(await total(registry, 'determinism_mismatches_total')).toBe(0);
    for (const metric of METRICS) expect(log.rawScores(metric.metricId)).toEqual(expectedScores(metric));
  });
});

describe('HTM models', () => {
  it('give predictions as JSON when the classifier is on', () => {
    const model = anomalyModels.create(smallParams('tm_cpp', true));
    const values = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 10 : 60));
    values.forEach((value, i) => model.run(1_600_000_000 + i * 300, value));
    const predictions = JSON.parse(model.predictions() ?? 'null') as Record<string, unknown>;
    expect(Object.keys(predictions)).toEqual(['1']);
    expect(predictions['1']).toBeTypeOf('number');
    expect(anomalyModels.create(smallParams('tm_cpp')).predictions()).toBeNull();
  });

  it('refuse parameters and states that are none', () => {
    expect(() => anomalyModels.create({ encoders: 3 })).toThrow();
    expect(() => anomalyModels.restore(new Uint8Array(100))).toThrow();
  });
});
