import { afterEach, describe, expect, it } from 'vitest';
import { MemoryLog } from '../../test/conformance/fakes/memory-log.ts';
import { SchedulerHarness, until } from '../../test/conformance/fakes/scheduler-harness.ts';
import type { Ownership, OwnershipWorker, PartitionedMetric } from '../ownership/ownership.ts';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const ROWS = 120;
/** A sweep that does not come by during a test. */
const NO_SWEEP = { sweepMs: 10_000_000 };

/** Partitions that a test gives and takes. */
class TestOwnership implements Ownership {
  readonly owned = new Set<number>();
  worker: OwnershipWorker | null = null;
  /** Metrics about which it was asked. */
  readonly asked: string[] = [];

  epochFor({ metricId, partition }: PartitionedMetric): number | null {
    this.asked.push(metricId);
    return this.owned.has(partition) ? 1 : null;
  }
  mayOwn(metricId: string): boolean {
    return metricId !== B || this.owned.has(1);
  }
  get partitions(): number[] {
    return [...this.owned];
  }
  assign(worker: OwnershipWorker): void {
    this.worker = worker;
  }
}

let harness: SchedulerHarness;
let ownership: TestOwnership;
let log: MemoryLog;

/** A is in partition 0, B in 1. */
async function start(...owned: number[]): Promise<void> {
  log = new MemoryLog();
  for (const [partition, metricId] of [A, B].entries()) {
    log.addMetric(metricId, partition);
    log.append(
      metricId,
      Array.from({ length: ROWS }, (_, i) => (i * 7919) % 101),
    );
    log.monitor(metricId, { seed: 5, bytes: 1000 });
  }
  ownership = new TestOwnership();
  for (const partition of owned) ownership.owned.add(partition);
  harness = new SchedulerHarness({ log, ownership, settings: NO_SWEEP });
  await harness.scheduler.start();
}

const scoredRows = (metricId: string) => log.rawScores(metricId).filter((score) => score !== null).length;

afterEach(async () => {
  await harness.scheduler.stop();
  expect(log.violations).toEqual([]);
});

describe('model scheduler: partitions', () => {
  it('runs the models of its own partitions only, and ignores wake-ups for the others', async () => {
    await start(0);
    await until(() => scoredRows(A) === ROWS);
    harness.wake(B);
    log.append(A, [1]);
    harness.wake(A);
    await until(() => scoredRows(A) === ROWS + 1);
    expect(scoredRows(B)).toBe(0);
    expect(ownership.asked).not.toContain(B);
  });

  it('looks for the work of partitions that it is given, without a wake-up', async () => {
    await start(0);
    await until(() => scoredRows(A) === ROWS);
    ownership.owned.add(1);
    ownership.worker?.taken();
    await until(() => scoredRows(B) === ROWS);
  });

  it('finishes, saves and drops the models of partitions that it hands over, and keeps the others warm', async () => {
    await start(0, 1);
    await harness.settle();
    await until(async () => (await harness.count('warm_models')) === 2);
    ownership.owned.delete(1);
    await ownership.worker?.handOver(new Set([1]));
    expect(await harness.checkpoints.list(A)).toEqual([]);
    expect(await harness.checkpoints.list(B)).toMatchObject([{ rowid: ROWS }]);
    expect(await harness.count('warm_models')).toBe(1);
  });

  it('drops the models of partitions that it has lost, and does not save them', async () => {
    await start(0, 1);
    await harness.settle();
    await until(async () => (await harness.count('warm_models')) === 2);
    ownership.owned.delete(1);
    ownership.worker?.lost(new Set([1]));
    await until(async () => (await harness.count('warm_models')) === 1);
    expect(await harness.checkpoints.list(B)).toEqual([]);
  });

  it('begins no further turn of a model whose partition is gone', async () => {
    await start(0, 1);
    await until(() => scoredRows(B) > 0);
    ownership.owned.delete(1);
    await ownership.worker?.handOver(new Set([1]));
    const scored = scoredRows(B);
    await until(() => scoredRows(A) === ROWS);
    harness.wake(B);
    log.append(A, [1]);
    harness.wake(A);
    await until(() => scoredRows(A) === ROWS + 1);
    expect(scoredRows(B)).toBe(scored);
  });
});
