import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MetricStatus } from '../metric.ts';
import { Chaos, ChaoticCheckpoints, ChaoticLog } from '../../test/conformance/fakes/chaos.ts';
import { fakeModels, POISON } from '../../test/conformance/fakes/fake-models.ts';
import { InProcessWorker } from '../../test/conformance/fakes/in-process-worker.ts';
import { MemoryCheckpoints } from '../../test/conformance/fakes/memory-checkpoints.ts';
import { MemoryLog } from '../../test/conformance/fakes/memory-log.ts';
import type { DEFAULT_SETTINGS } from '../../test/conformance/fakes/scheduler-harness.ts';
import { type HarnessOptions, SchedulerHarness } from '../../test/conformance/fakes/scheduler-harness.ts';

/**
 * Raw scores must not depend on how models are scheduled, nor on anything that goes wrong. What they must be is
 * computed here by feeding all rows to a model, one after the other.
 */
const ROWS = 120;

interface Story {
  readonly metricId: string;
  readonly values: readonly number[];
  readonly modelParams: { readonly seed: number; readonly bytes: number };
  /** How many rows are there when the metric is monitored. */
  readonly monitorAt: number;
}

const STORIES: readonly Story[] = Array.from({ length: 6 }, (_, m) => ({
  metricId: m.toString(16).repeat(32),
  values: Array.from({ length: ROWS }, (_, i) => (m === 5 && i === 99 ? POISON : ((i * 7919) % 101) + m)),
  modelParams: { seed: 100 + m, bytes: 1000 + 100 * m },
  monitorAt: [0, 1, 40, ROWS, 0, 70][m] ?? 0,
}));

function expectedScores({ values, modelParams }: Story): (number | null)[] {
  const model = fakeModels.create(modelParams);
  const poison = values.indexOf(POISON);
  return values.map((value, i) =>
    poison >= 0 && i >= poison ? null : model.run(1_600_000_000 + (i + 1) * 300, value),
  );
}

function expectStories(log: MemoryLog, stories: readonly Story[] = STORIES): void {
  expect(log.violations).toEqual([]);
  for (const story of stories) {
    expect(log.rawScores(story.metricId)).toEqual(expectedScores(story));
    const failed = story.values.includes(POISON);
    expect(log.status(story.metricId)).toBe(failed ? MetricStatus.ERROR : MetricStatus.ACTIVE);
  }
}

/** Appends the stories' rows in batches of up to `batchRows`, taking turns, and monitors them when it is time. */
async function tell(
  log: MemoryLog,
  batchRows: () => number,
  after: (metricId: string) => Promise<void>,
): Promise<void> {
  const told = new Map(STORIES.map(({ metricId }) => [metricId, 0]));
  const monitored = new Set<string>();
  for (const { metricId } of STORIES) log.addMetric(metricId);
  while (Array.from(told.values()).some((rows) => rows < ROWS) || monitored.size < STORIES.length) {
    for (const { metricId, values, modelParams, monitorAt } of STORIES) {
      const rows = told.get(metricId) ?? 0;
      const through = Math.min(ROWS, rows + batchRows());
      if (rows >= monitorAt && !monitored.has(metricId)) {
        monitored.add(metricId);
        log.monitor(metricId, modelParams);
      }
      log.append(metricId, values.slice(rows, through));
      told.set(metricId, through);
      await after(metricId);
    }
  }
}

describe('raw scores do not depend on', () => {
  const cases: [string, Partial<typeof DEFAULT_SETTINGS>, number][] = [
    ['nothing special', {}, ROWS],
    ['three workers', { workers: 3 }, ROWS],
    ['a memory budget of one model', { memoryBudgetBytes: 1 }, ROWS],
    ['a memory budget of two models on three workers', { workers: 3, memoryBudgetBytes: 3000 }, 11],
    ['rows that come one by one', {}, 1],
    ['slices of one row and checkpoints all the time', { sliceRows: 1, checkpointRows: 1, workers: 2 }, 13],
    ['slices as long as can be', { sliceRows: 10_000 }, 29],
  ];
  it.each(cases)('%s', async (_, settings, batchRows) => {
    const harness = new SchedulerHarness({ settings });
    await harness.scheduler.start();
    await tell(
      harness.log,
      () => batchRows,
      async (metricId) => {
        harness.wake(metricId);
        await new Promise(setImmediate);
      },
    );
    await harness.settle();
    await harness.scheduler.stop();
    expectStories(harness.log);
    expect(await harness.count('determinism_mismatches_total')).toBe(0);
  });
});

describe('raw scores do not depend on what goes wrong', () => {
  const seeds = Array.from({ length: 24 }, (_, i) => i + 1);
  const seen = { replayed: 0, refused: 0, restarts: 0, unusable: 0, evictions: 0, faults: 0, crashes: 0 };

  it.each(seeds)('seed %i', async (seed) => {
    const chaos = new Chaos(seed);
    const log = new MemoryLog();
    const kept = new MemoryCheckpoints();
    const settings = {
      workers: chaos.pick([1, 2, 3]),
      memoryBudgetBytes: chaos.pick([1, 3000, 1_000_000]),
      sliceRows: chaos.pick([4, 20, 50]),
      checkpointRows: chaos.pick([5, 40, 1000]),
      sweepMs: 500,
    };
    const startWorker = async () => {
      await Promise.resolve();
      return new InProcessWorker((worker) => {
        if (chaos.chance(0.003)) worker.kill('killed');
      });
    };
    const options = (epoch: number): HarnessOptions => ({
      log,
      store: new ChaoticLog(log, chaos),
      checkpoints: new ChaoticCheckpoints(kept, chaos),
      settings,
      startWorker,
      epoch,
    });
    let harness = new SchedulerHarness(options(log.epoch));
    const harnesses = [harness];
    await harness.scheduler.start();
    await tell(
      log,
      () => 1 + Math.floor(chaos.next() * 30),
      async (metricId) => {
        if (chaos.chance(0.02)) {
          // The process is lost, but does not know it yet: it goes on beside the new one with its old epoch.
          log.epoch++;
          harness = new SchedulerHarness(options(log.epoch));
          harnesses.push(harness);
          await harness.scheduler.start();
        }
        if (chaos.chance(0.5)) harness.wake(metricId);
        if (chaos.chance(0.2)) harness.wake(chaos.pick(['0'.repeat(32), '3'.repeat(32)]), metricId, metricId);
        if (chaos.chance(0.3)) await sleep(1);
      },
    );
    await harness.settle();
    await Promise.all(harnesses.map(async ({ scheduler }) => await scheduler.stop()));
    expectStories(log);
    for (const one of harnesses) {
      expect(await one.count('determinism_mismatches_total')).toBe(0);
      seen.replayed += await one.count('replayed_rows_total');
      seen.refused += await one.count('refused_total');
      seen.restarts += await one.count('worker_restarts_total');
      seen.unusable += await one.count('checkpoints_unusable_total');
      seen.evictions += await one.count('evictions_total');
      seen.faults += await one.count('store_faults_total');
    }
    seen.crashes += harnesses.length - 1;
  });

  it('and enough did go wrong', () => {
    expect(Object.entries(seen).filter(([, count]) => count < 20)).toEqual([]);
  });
});
