import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { HtmEngineError } from '../errors.ts';
import { MetricStatus } from '../metric.ts';
import type { CheckpointName } from '../checkpoints/checkpoint-store.ts';
import { fakeModels, POISON } from '../../test/conformance/fakes/fake-models.ts';
import { MemoryCheckpoints } from '../../test/conformance/fakes/memory-checkpoints.ts';
import { MemoryLog, type ModelLog } from '../../test/conformance/fakes/memory-log.ts';
import {
  type HarnessOptions,
  SchedulerHarness,
  until,
} from '../../test/conformance/fakes/scheduler-harness.ts';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const PARAMS = { seed: 5, bytes: 1000 };
/** A sweep that does not come by during a test. */
const NO_SWEEP = { sweepMs: 10_000_000 };

const running: SchedulerHarness[] = [];
afterEach(async () => {
  for (const harness of running) {
    await harness.scheduler.stop();
    expect(harness.log.violations).toEqual([]);
  }
  running.length = 0;
});

async function start(options: HarnessOptions = {}): Promise<SchedulerHarness> {
  const harness = new SchedulerHarness(options);
  running.push(harness);
  await harness.scheduler.start();
  return harness;
}

function values(count: number, first = 1): number[] {
  return Array.from({ length: count }, (_, i) => ((first + i) * 7919) % 101);
}

function monitored(rows: number): MemoryLog {
  const log = new MemoryLog();
  log.addMetric(A);
  log.append(A, values(rows));
  log.monitor(A, PARAMS);
  return log;
}

/** The raw scores of `rows` rows, by a scheduler to which nothing ever happens. */
async function undisturbed(rows: number): Promise<(number | null)[]> {
  const harness = await start({ log: monitored(rows) });
  await harness.settle();
  return harness.log.rawScores(A);
}

/** The log, but for the methods that are replaced. */
function withFaults(log: MemoryLog, faults: Partial<ModelLog>): ModelLog {
  return {
    modelTask: async (id) => await log.modelTask(id),
    readRows: async (id, after, through, limit) => await log.readRows(id, after, through, limit),
    recordRawScores: async (slice) => await log.recordRawScores(slice),
    failModel: async (failure) => await log.failModel(failure),
    modelsWithWork: async (after, limit) => await log.modelsWithWork(after, limit),
    ...faults,
  };
}

function unavailable(): HtmEngineError {
  return new HtmEngineError('store_unavailable', 'the disk is full');
}

describe('model scheduler: rows to raw scores', () => {
  it('scores the rows that are there at start and tells the anomaly service', async () => {
    const harness = await start({ log: monitored(120), settings: NO_SWEEP });
    await harness.settle();
    expect(harness.log.status(A)).toBe(MetricStatus.ACTIVE);
    expect(harness.log.rawScores(A).filter((score) => score === null)).toEqual([]);
    expect(new Set(harness.log.rawScores(A)).size).toBe(120);
    await until(() => harness.bus.woken.length === 3);
    expect(harness.bus.woken).toEqual(Array.from({ length: 3 }, () => ({ topic: 'rawScored', metricId: A })));
    expect(harness.log.commits).toEqual([
      { metricId: A, from: 0, to: 50 },
      { metricId: A, from: 50, to: 100 },
      { metricId: A, from: 100, to: 120 },
    ]);
  });

  it('makes a metric without rows ACTIVE and then scores the rows that come', async () => {
    const log = new MemoryLog();
    log.addMetric(A);
    log.monitor(A, PARAMS);
    const harness = await start({ log, settings: NO_SWEEP });
    await harness.settle();
    expect(log.status(A)).toBe(MetricStatus.ACTIVE);
    expect(harness.bus.woken).toEqual([]);
    log.append(A, values(3));
    harness.wake(A);
    await harness.settle();
    expect(log.rawScores(A)).toEqual((await undisturbed(120)).slice(0, 3));
  });

  it('starts a generation at its first row, after rows that were purged before', async () => {
    const log = new MemoryLog();
    log.addMetric(A);
    log.append(A, values(40));
    log.purge(A, 10);
    log.monitor(A, PARAMS);
    const harness = await start({ log });
    await harness.settle();
    expect(log.rawScores(A)).toHaveLength(30);
    expect(log.commits[0]).toEqual({ metricId: A, from: 10, to: 40 });
  });

  it('finds work by its sweep when every wake-up is lost', async () => {
    const harness = await start({ log: monitored(10) });
    await harness.settle();
    harness.log.append(A, values(10, 11));
    await harness.settle();
    expect(harness.log.rawScores(A)).toEqual((await undisturbed(120)).slice(0, 20));
  });

  it('finds more work than fits on a page of the sweep', async () => {
    const log = new MemoryLog();
    for (let i = 0; i < 1_203; i++) {
      const metricId = i.toString(16).padStart(32, '0');
      log.addMetric(metricId);
      log.append(metricId, [1]);
      log.monitor(metricId, PARAMS);
    }
    const harness = await start({ log, settings: { ...NO_SWEEP, workers: 2 } });
    await harness.settle();
    expect(log.commits).toHaveLength(1_203);
  });

  it('does not mind wake-ups for unknown, unmonitored and idle metrics', async () => {
    const harness = await start({ log: monitored(10), settings: NO_SWEEP });
    harness.log.addMetric(B);
    harness.log.append(B, values(5));
    await harness.settle();
    for (let i = 0; i < 10; i++) harness.wake(A, B, 'c'.repeat(32), A);
    harness.log.append(A, values(1, 11));
    harness.wake(A);
    await harness.settle();
    expect(harness.log.rawScores(B)).toEqual([null, null, null, null, null]);
    expect(harness.log.commits).toHaveLength(2);
  });

  it('lets a model with one row have its turn before another finishes its backlog', async () => {
    const log = monitored(2_000);
    log.addMetric(B);
    log.append(B, values(1));
    log.monitor(B, PARAMS);
    const harness = await start({ log, settings: NO_SWEEP });
    await harness.settle();
    const place = log.commits.findIndex(({ metricId }) => metricId === B);
    expect(place).toBeLessThan(4);
    expect(log.commits).toHaveLength(41);
  });
});

describe('model scheduler: checkpoints and replay', () => {
  it('saves a model every so many rows and keeps the two newest', async () => {
    const harness = await start({ log: monitored(1_000) });
    await harness.settle();
    await until(async () => (await harness.count('checkpoint_writes_total')) === 5);
    const rowids = async () => (await harness.checkpoints.list(A)).map(({ rowid }) => rowid);
    await until(async () => (await rowids()).length === 2);
    expect(await rowids()).toEqual([1_000, 800]);
  });

  it('saves what is newer than the last checkpoint when it stops, and goes on from there', async () => {
    const first = await start({ log: monitored(330) });
    await first.settle();
    await first.scheduler.stop();
    expect((await first.checkpoints.list(A)).map(({ rowid }) => rowid)).toEqual([330, 200]);
    first.log.append(A, values(10, 331));
    const second = await start({ log: first.log, checkpoints: first.checkpoints });
    await second.settle();
    expect(await second.count('replayed_rows_total')).toBe(0);
    expect(second.log.rawScores(A)).toEqual(await undisturbed(340));
  });

  it.each([
    ['without any checkpoint', 0, 330],
    ['from the newest checkpoint', 2, 130],
  ])('replays rows after a crash %s', async (_, kept, replayed) => {
    const first = await start({ log: monitored(330) });
    await first.settle();
    await until(async () => (await first.checkpoints.list(A)).length === 1);
    // What a killed process leaves behind: the log, and the checkpoints written so far.
    const checkpoints = new MemoryCheckpoints();
    for (const name of (await first.checkpoints.list(A)).slice(0, kept)) {
      await checkpoints.put(name, (await first.checkpoints.get(name)) ?? new Uint8Array());
    }
    await first.scheduler.stop();
    first.log.append(A, values(10, 331));
    const second = await start({ log: first.log, checkpoints });
    await second.settle();
    expect(await second.count('replayed_rows_total')).toBe(replayed);
    expect(await second.count('determinism_mismatches_total')).toBe(0);
    expect(second.log.rawScores(A)).toEqual(await undisturbed(340));
  });

  it('uses the older checkpoint when the newest is damaged, and removes that', async () => {
    const checkpoints = new MemoryCheckpoints();
    const first = await start({ log: monitored(330), checkpoints });
    await first.settle();
    await first.scheduler.stop();
    const [newest] = await checkpoints.list(A);
    if (newest === undefined) throw new Error('no checkpoint');
    checkpoints.damage(newest, 90);
    first.log.append(A, values(1, 331));
    const second = await start({ log: first.log, checkpoints });
    await second.settle();
    expect(await second.count('checkpoints_unusable_total')).toBe(1);
    expect(await second.count('replayed_rows_total')).toBe(130);
    expect((await checkpoints.list(A)).map(({ rowid }) => rowid)).toEqual([200]);
    expect(second.log.rawScores(A)).toEqual(await undisturbed(331));
  });

  it('passes over a checkpoint of a revision it does not know, and leaves it to those who do', async () => {
    const checkpoints = new MemoryCheckpoints();
    const first = await start({ log: monitored(330), checkpoints });
    await first.settle();
    await first.scheduler.stop();
    const [newest, older] = await checkpoints.list(A);
    if (newest === undefined || older === undefined) throw new Error('there are no two checkpoints');
    const unknown = { ...newest, revision: 99 };
    await checkpoints.put(unknown, Uint8Array.of(1));
    await checkpoints.delete(newest);
    first.log.append(A, values(1, 331));
    const second = await start({ log: first.log, checkpoints });
    await second.settle();
    expect(await second.count('replayed_rows_total')).toBe(330 - older.rowid);
    expect(await second.count('checkpoints_unusable_total')).toBe(0);
    expect(await checkpoints.list(A)).toContainEqual(unknown);
    expect(second.log.rawScores(A)).toEqual(await undisturbed(331));
  });

  it('starts at the first row when both are damaged, and fails the metric if that is gone', async () => {
    const checkpoints = new MemoryCheckpoints();
    const first = await start({ log: monitored(330), checkpoints });
    await first.settle();
    await first.scheduler.stop();
    for (const name of await checkpoints.list(A)) checkpoints.damage(name, 60);
    first.log.append(A, values(1, 331));
    const second = await start({ log: first.log, checkpoints });
    await second.settle();
    expect(await second.count('replayed_rows_total')).toBe(330);
    await second.scheduler.stop();
    for (const name of await checkpoints.list(A)) checkpoints.damage(name, 60);
    first.log.purge(A, 1);
    first.log.append(A, values(1, 332));
    const third = await start({ log: first.log, checkpoints });
    await third.settle();
    expect(first.log.status(A)).toBe(MetricStatus.ERROR);
    expect(first.log.message(A)).toContain('checkpoint_lost');
  });

  it('needs no purged rows as long as a checkpoint comes after them', async () => {
    const checkpoints = new MemoryCheckpoints();
    const first = await start({ log: monitored(330), checkpoints });
    await first.settle();
    await first.scheduler.stop();
    first.log.purge(A, 200);
    first.log.append(A, values(10, 331));
    const second = await start({ log: first.log, checkpoints });
    await second.settle();
    expect(second.log.rawScores(A)).toEqual((await undisturbed(340)).slice(200));
  });

  it('never uses checkpoints ahead of the watermark, and deletes them', async () => {
    const checkpoints = new MemoryCheckpoints();
    const first = await start({ log: monitored(330), checkpoints });
    await first.settle();
    await first.scheduler.stop();
    first.log.rewind(A, 250);
    const second = await start({ log: first.log, checkpoints });
    await second.settle();
    expect(await second.count('checkpoints_removed_total')).toBe(1);
    expect(await second.count('replayed_rows_total')).toBe(50);
    expect(second.log.rawScores(A)).toEqual(await undisturbed(330));
  });

  it('drops a warm model that is ahead of the watermark', async () => {
    const harness = await start({ log: monitored(330), settings: NO_SWEEP });
    await harness.settle();
    harness.log.rewind(A, 320);
    harness.wake(A);
    await harness.settle();
    expect(harness.log.rawScores(A)).toEqual(await undisturbed(330));
  });

  it('raises the alarm when replay gives other scores than are stored', async () => {
    const first = await start({ log: monitored(30) });
    await first.settle();
    await first.scheduler.stop();
    await first.checkpoints.deleteAll(A);
    first.log.corruptScore(A, 7);
    first.log.corruptScore(A, 9);
    first.log.append(A, values(1, 31));
    const second = await start({ log: first.log, checkpoints: first.checkpoints });
    await second.settle();
    expect(await second.count('determinism_mismatches_total')).toBe(2);
  });

  it('scores on while checkpoints cannot be written, and makes up for them afterwards', async () => {
    let full = true;
    class Full extends MemoryCheckpoints {
      override async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
        if (full) throw unavailable();
        await super.put(name, bytes);
      }
    }
    const checkpoints = new Full();
    const harness = await start({ log: monitored(1_000), checkpoints, settings: NO_SWEEP });
    await harness.settle();
    expect(harness.log.status(A)).toBe(MetricStatus.ACTIVE);
    expect(await harness.count('checkpoint_failures_total')).toBeGreaterThan(0);
    expect(await checkpoints.list(A)).toEqual([]);
    full = false;
    for (let rows = 1_001; (await checkpoints.list(A)).length === 0; rows++) {
      harness.log.append(A, values(1, rows));
      harness.wake(A);
      await harness.settle();
    }
    expect(await harness.count('determinism_mismatches_total')).toBe(0);
  });

  it('keeps within the memory budget by evicting, saving and loading', async () => {
    const log = monitored(1_200);
    log.addMetric(B);
    log.append(B, values(1_200));
    log.monitor(B, { seed: 6, bytes: 1000 });
    class Slow extends MemoryCheckpoints {
      override async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
        await sleep(5);
        await super.put(name, bytes);
      }
    }
    const harness = await start({ log, checkpoints: new Slow(), settings: { memoryBudgetBytes: 1500 } });
    await harness.settle();
    expect(await harness.count('evictions_total')).toBeGreaterThan(2);
    expect(await harness.count('warm_bytes')).toBeLessThanOrEqual(1500);
    // Each was saved before it left and loaded after that, so nothing had to be computed twice.
    expect(await harness.count('replayed_rows_total')).toBe(0);
    expect(log.rawScores(A)).toEqual(await undisturbed(1_200));
  });

  it.each([
    ['can be written', false],
    ['cannot be written', true],
  ])('gets on with a budget of one model and slices of one row, when checkpoints %s', async (_, full) => {
    class Perhaps extends MemoryCheckpoints {
      override async put(name: CheckpointName, bytes: Uint8Array): Promise<void> {
        if (full) throw unavailable();
        await super.put(name, bytes);
      }
    }
    const log = monitored(30);
    log.addMetric(B);
    log.append(B, values(30));
    log.monitor(B, PARAMS);
    const settings = { ...NO_SWEEP, memoryBudgetBytes: 1, sliceRows: 1 };
    const harness = await start({ log, settings, checkpoints: new Perhaps() });
    await harness.settle();
    expect(log.rawScores(A)).toEqual((await undisturbed(120)).slice(0, 30));
    expect(log.rawScores(B)).toEqual(log.rawScores(A));
  });
});

describe('model scheduler: failures', () => {
  it.each([1, 7, 50])(
    'puts a metric with a poison row into ERROR, rows before it scored (slices of %i)',
    async (sliceRows) => {
      const log = new MemoryLog();
      log.addMetric(A);
      log.append(A, [...values(20), POISON, ...values(20)]);
      log.monitor(A, PARAMS);
      log.addMetric(B);
      log.append(B, values(60));
      log.monitor(B, PARAMS);
      const harness = await start({ log, settings: { sliceRows } });
      await harness.settle();
      expect(log.status(A)).toBe(MetricStatus.ERROR);
      expect(log.message(A)).toContain('row 21');
      expect(log.message(A)).toContain('poison');
      expect(log.rawScores(A)).toEqual([...(await undisturbed(20)), ...new Array<null>(21).fill(null)]);
      expect(log.rawScores(B)).not.toContain(null);
      expect(harness.workers).toHaveLength(1);
    },
  );

  it('leaves a row out that a command says to skip, before and after the model is loaded again', async () => {
    const log = new MemoryLog();
    log.addMetric(A);
    log.append(A, [POISON, ...values(20)]);
    log.monitor(A, PARAMS);
    log.command(A, { what: 'skip' });
    const harness = await start({ log, settings: { sliceRows: 7 } });
    await harness.settle();
    const model = fakeModels.create(PARAMS);
    const scores = values(20).map((value, i) => model.run(1_600_000_000 + (i + 2) * 300, value));
    expect(log.rawScores(A)).toEqual([null, ...scores]);
    harness.workers[0]?.kill('killed');
    log.append(A, values(5));
    harness.wake(A);
    await harness.settle();
    expect(log.rawScores(A).slice(1)).not.toContain(null);
    expect(await harness.count('determinism_mismatches_total')).toBe(0);
    expect(log.violations).toEqual([]);
  });

  it('puts a metric whose model cannot be built into ERROR', async () => {
    const log = new MemoryLog();
    log.addMetric(A);
    log.monitor(A, { seed: 'none' });
    const harness = await start({ log });
    await harness.settle();
    expect(log.status(A)).toBe(MetricStatus.ERROR);
    expect(log.message(A)).toContain('a fake model needs seed and bytes');
  });

  it('does not run a model of a revision it does not know', async () => {
    const log = new MemoryLog();
    log.addMetric(A);
    log.append(A, values(5));
    log.monitor(A, PARAMS, 99);
    const harness = await start({ log });
    await harness.settle();
    expect(log.status(A)).toBe(MetricStatus.ERROR);
    expect(log.message(A)).toContain('revision 99');
    expect(log.rawScores(A)).toEqual([null, null, null, null, null]);
  });

  it('waits for a store that is away, without limit, and loses nothing', async () => {
    const log = monitored(120);
    let failures = 0;
    const store = withFaults(log, {
      recordRawScores: async (slice) => {
        if (slice.from === 50 && failures++ < 20) throw unavailable();
        return await log.recordRawScores(slice);
      },
    });
    const harness = await start({ log, store });
    await harness.settle();
    expect(log.status(A)).toBe(MetricStatus.ACTIVE);
    expect(await harness.count('store_faults_total')).toBe(20);
    expect(await harness.count('swap_ins_total')).toBe(1);
    expect(log.rawScores(A)).toEqual(await undisturbed(120));
  });

  it('takes reads that fail for a while for nothing but delay', async () => {
    const log = monitored(120);
    let calls = 0;
    const sometimes = () => {
      if (calls++ % 3 !== 0) throw unavailable();
    };
    const store = withFaults(log, {
      modelTask: async (id) => {
        sometimes();
        return await log.modelTask(id);
      },
      readRows: async (...read) => {
        sometimes();
        return await log.readRows(...read);
      },
      modelsWithWork: async (...page) => {
        sometimes();
        return await log.modelsWithWork(...page);
      },
    });
    const harness = await start({ log, store });
    await harness.settle();
    expect(log.status(A)).toBe(MetricStatus.ACTIVE);
    expect(log.rawScores(A)).toEqual(await undisturbed(120));
  });

  it('lets others run while the checkpoints of one metric cannot be read', async () => {
    class Unreadable extends MemoryCheckpoints {
      override async list(metricId: string): Promise<CheckpointName[]> {
        if (metricId === A) throw unavailable();
        return await super.list(metricId);
      }
    }
    const log = monitored(50);
    log.addMetric(B);
    log.append(B, values(500));
    log.monitor(B, PARAMS);
    await start({ log, checkpoints: new Unreadable() });
    await until(() => !log.rawScores(B).includes(null));
    expect(log.status(A)).toBe(MetricStatus.CREATE_PENDING);
  });

  it.each([
    ['took effect', true],
    ['took none', false],
  ])('asks the watermark when it is not known whether a commit happened: it %s', async (_, effect) => {
    const log = monitored(120);
    const lost = new Set([0, 50, 100]);
    const store = withFaults(log, {
      recordRawScores: async (slice) => {
        if (!lost.delete(slice.from)) return await log.recordRawScores(slice);
        if (effect) await log.recordRawScores(slice);
        throw new Error('the connection was lost');
      },
    });
    const harness = await start({ log, store });
    await harness.settle();
    expect(log.rawScores(A)).toEqual(await undisturbed(120));
    expect(log.commits).toHaveLength(3);
    expect(await harness.count('swap_ins_total')).toBe(1);
  });

  it.each([
    ['took effect', true],
    ['took none', false],
  ])('does so for a commit without rows: it %s', async (_, effect) => {
    const log = new MemoryLog();
    log.addMetric(A);
    log.monitor(A, PARAMS);
    let lost = false;
    const store = withFaults(log, {
      recordRawScores: async (slice) => {
        if (lost) return await log.recordRawScores(slice);
        lost = true;
        if (effect) await log.recordRawScores(slice);
        throw new Error('the connection was lost');
      },
    });
    const harness = await start({ log, store, settings: NO_SWEEP });
    await harness.settle();
    expect(log.status(A)).toBe(MetricStatus.ACTIVE);
    expect(log.commits).toHaveLength(1);
    expect(await harness.count('refused_total')).toBe(0);
  });

  it('gives up a commit that fails for good, and the sweep begins it anew', async () => {
    const log = monitored(120);
    let failures = 12;
    const store = withFaults(log, {
      recordRawScores: async (slice) => {
        if (slice.from === 50 && failures-- > 0) throw new TypeError('a mistake in the store');
        return await log.recordRawScores(slice);
      },
    });
    const harness = await start({ log, store });
    await harness.settle();
    expect(await harness.count('swap_ins_total')).toBe(3);
    expect(log.status(A)).toBe(MetricStatus.ACTIVE);
    expect(log.rawScores(A)).toEqual(await undisturbed(120));
  });

  it('drops a model when it cannot be told whether its scores were recorded', async () => {
    const log = monitored(120);
    let mistakes = 2;
    const store = withFaults(log, {
      recordRawScores: async (slice) => {
        if (slice.from === 50 && mistakes === 2) throw new TypeError(`mistake ${mistakes--}`);
        return await log.recordRawScores(slice);
      },
      modelTask: async (id) => {
        if (mistakes === 1) throw new TypeError(`mistake ${mistakes--}`);
        return await log.modelTask(id);
      },
    });
    const harness = await start({ log, store });
    await harness.settle();
    expect(mistakes).toBe(0);
    expect(log.rawScores(A)).toEqual(await undisturbed(120));
    expect(await harness.count('determinism_mismatches_total')).toBe(0);
  });

  it.each(['generation', 'epoch', 'watermark', 'command'] as const)(
    'drops a model whose scores are refused (%s) and starts from the store again',
    async (refused) => {
      const log = monitored(120);
      let refusals = 1;
      const store = withFaults(log, {
        recordRawScores: async (slice) => {
          if (slice.from === 50 && refusals-- > 0) return { refused };
          return await log.recordRawScores(slice);
        },
      });
      const harness = await start({ log, store });
      await harness.settle();
      expect(await harness.count('refused_total')).toBe(1);
      expect(await harness.count('swap_ins_total')).toBe(2);
      expect(log.rawScores(A)).toEqual(await undisturbed(120));
    },
  );

  it('replaces a worker that ends, whose models recover', async () => {
    const harness = await start({ log: monitored(330), settings: { ...NO_SWEEP, workers: 2 } });
    await until(() => harness.log.commits.length >= 2);
    harness.workers[0]?.kill('out of memory');
    harness.workers[1]?.kill('out of memory');
    await harness.settle();
    expect(await harness.count('worker_restarts_total')).toBe(2);
    expect(await harness.count('determinism_mismatches_total')).toBe(0);
    expect(harness.log.rawScores(A)).toEqual(await undisturbed(330));
  });

  it('says so when no worker can be started', async () => {
    const harness = new SchedulerHarness({
      startWorker: async () => {
        await Promise.resolve();
        throw new Error('no threads left');
      },
    });
    await expect(harness.scheduler.start()).rejects.toThrow('no threads left');
    await harness.scheduler.stop();
  });
});

describe('model scheduler: metrics that come and go', () => {
  it('drops the model and the checkpoints of a metric that is no longer monitored', async () => {
    const harness = await start({ log: monitored(330) });
    await harness.settle();
    harness.log.unmonitor(A);
    await harness.scheduler.forget(A);
    expect(await harness.checkpoints.list(A)).toEqual([]);
    expect(await harness.count('warm_models')).toBe(0);
    await harness.scheduler.stop();
    expect(await harness.checkpoints.list(A)).toEqual([]);
  });

  it('forgets in the middle of a turn, and builds a new generation from its own rows', async () => {
    const harness = await start({ log: monitored(5_000), settings: NO_SWEEP });
    await until(() => harness.log.commits.length >= 8);
    harness.log.unmonitor(A);
    harness.log.monitor(A, { seed: 77, bytes: 1000 });
    await harness.scheduler.forget(A);
    harness.wake(A);
    await harness.settle();
    await harness.scheduler.stop();
    expect(new Set((await harness.checkpoints.list(A)).map(({ generation }) => generation))).toEqual(
      new Set([2]),
    );
    const alone = new MemoryLog();
    alone.addMetric(A);
    alone.append(A, values(5_000));
    alone.monitor(A, { seed: 77, bytes: 1000 });
    const other = await start({ log: alone });
    await other.settle();
    expect(harness.log.rawScores(A)).toEqual(alone.rawScores(A));
  });

  it('deletes checkpoints of earlier generations when it finds them', async () => {
    const first = await start({ log: monitored(330) });
    await first.settle();
    await first.scheduler.stop();
    first.log.unmonitor(A);
    first.log.monitor(A, { seed: 77, bytes: 1000 });
    const second = await start({ log: first.log, checkpoints: first.checkpoints });
    await second.settle();
    await second.scheduler.stop();
    expect((await first.checkpoints.list(A)).every(({ generation }) => generation === 2)).toBe(true);
  });

  it.each(['warm model', 'checkpoint'])(
    'does not go on with the %s of an earlier generation',
    async (kind) => {
      const checkpoints = new MemoryCheckpoints();
      let harness = await start({ log: monitored(50), checkpoints, settings: NO_SWEEP });
      await harness.settle();
      const { log } = harness;
      if (kind === 'checkpoint') await harness.scheduler.stop();
      // The new generation begins with the very row that the old one would go on with.
      log.append(A, values(20, 51));
      log.purge(A, 50);
      log.unmonitor(A);
      log.monitor(A, PARAMS);
      if (kind === 'checkpoint') harness = await start({ log, checkpoints, settings: NO_SWEEP });
      harness.wake(A);
      await harness.settle();
      const alone = new MemoryLog();
      alone.addMetric(A);
      alone.append(A, values(70));
      alone.purge(A, 50);
      alone.monitor(A, PARAMS);
      await (await start({ log: alone })).settle();
      expect(log.rawScores(A)).toEqual(alone.rawScores(A));
    },
  );

  it('forgets a metric it never knew', async () => {
    const harness = await start();
    await harness.scheduler.forget(B);
    expect(await harness.count('warm_models')).toBe(0);
  });
});

describe('model scheduler: stopping', () => {
  it('finishes the turns under way and begins no others', async () => {
    const harness = await start({ log: monitored(5_000) });
    await until(() => harness.log.commits.length >= 3);
    await harness.scheduler.stop();
    const commits = harness.log.commits.length;
    const watermark = harness.log.commits.at(-1)?.to;
    harness.wake(A);
    await new Promise(setImmediate);
    expect(harness.log.commits).toHaveLength(commits);
    expect(commits).toBeLessThan(100);
    expect((await harness.checkpoints.list(A))[0]?.rowid).toBe(watermark);
  });

  it('ends in bounded time while the store is away, and what was not committed is computed again', async () => {
    const log = monitored(120);
    let away = true;
    const store = withFaults(log, {
      recordRawScores: async (slice) => {
        if (away && slice.from === 50) throw unavailable();
        return await log.recordRawScores(slice);
      },
    });
    const first = await start({ log, store });
    await until(async () => (await first.count('store_faults_total')) > 0);
    await first.scheduler.stop();
    away = false;
    const second = await start({ log, store, checkpoints: first.checkpoints });
    await second.settle();
    expect(log.rawScores(A)).toEqual(await undisturbed(120));
  });

  it('may be stopped twice and before it was started', async () => {
    const harness = new SchedulerHarness();
    await harness.scheduler.stop();
    await harness.scheduler.stop();
    expect(harness.workers).toEqual([]);
  });
});
