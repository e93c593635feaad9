import { describe, expect, it } from 'vitest';
import { InProcessWorker } from '../../test/conformance/fakes/in-process-worker.ts';
import { CheckpointPolicy, rowsBetweenSaves } from './checkpoint-policy.ts';
import type { WarmModel } from './warm-models.ts';

function model(changes: Partial<WarmModel>): WarmModel {
  return {
    partition: 0,
    metricId: 'a'.repeat(32),
    worker: new InProcessWorker(),
    generation: 1,
    revision: 1,
    rowid: 0,
    savedRowid: 0,
    savedAtMs: 0,
    bytes: 2 ** 20,
    newFromRowid: 0,
    nextMs: null,
    loadMs: 0,
    rowMs: null,
    saveMs: null,
    ...changes,
  };
}

/** The number of rows since the last checkpoint at which a model that comes for `atATime` rows is saved. */
function savedEvery(policy: CheckpointPolicy, atATime: number, costs: Partial<WarmModel>): number {
  for (let rowid = atATime; ; rowid += atATime) {
    if (policy.isWorthSaving(model({ rowid, newFromRowid: rowid - atATime, ...costs }))) return rowid;
  }
}

describe('checkpoint policy', () => {
  it('saves a model that leaves when its replays together have cost as much as saving', () => {
    const policy = new CheckpointPolicy(100_000);
    // One row at a time: 1 + 2 + ... + 10 = 55 rows of 1 ms, 45 after nine.
    expect(savedEvery(policy, 1, { rowMs: 1, saveMs: 50 })).toBe(10);
    // Four at a time: 4 + 8 + ... + 20 = 60 rows, 40 before.
    expect(savedEvery(policy, 4, { rowMs: 1, saveMs: 50 })).toBe(20);
    // Much at a time: at once if replaying it takes longer than saving.
    expect(savedEvery(policy, 50, { rowMs: 1, saveMs: 50 })).toBe(50);
    expect(savedEvery(policy, 1, { rowMs: 0.1, saveMs: 50 })).toBe(32);
  });

  it('is never further from the cheapest number of rows than a tenth of the cost', () => {
    const policy = new CheckpointPolicy(100_000);
    for (const saveMs of [2, 10, 80]) {
      for (const rowMs of [0.05, 0.5, 5]) {
        const costOf = (rows: number) => saveMs / rows + (rowMs * (rows + 1)) / 2;
        const cheapest = Math.min(...Array.from({ length: 1000 }, (_, i) => costOf(i + 1)));
        expect(costOf(savedEvery(policy, 1, { saveMs, rowMs }))).toBeLessThanOrEqual(1.1 * cheapest);
      }
    }
  });

  it('is what plan computes with', () => {
    const policy = new CheckpointPolicy(100_000);
    for (const costs of [
      { rowMs: 1, saveMs: 50 },
      { rowMs: 0.1, saveMs: 50 },
      { rowMs: 0.3, saveMs: 0.5 },
      { rowMs: 90, saveMs: 50 },
    ])
      expect(rowsBetweenSaves(costs.rowMs, costs.saveMs)).toBe(savedEvery(policy, 1, costs));
  });

  it('has nothing to save of a model that learned nothing', () => {
    const policy = new CheckpointPolicy(1);
    const unchanged = model({ rowid: 7, savedRowid: 7, rowMs: 1000, saveMs: 1 });
    expect(policy.isWorthSaving(unchanged)).toBe(false);
    expect(policy.isDue(unchanged)).toBe(false);
  });

  it('spends a twentieth of computing on saving models that stay', () => {
    const policy = new CheckpointPolicy(100_000);
    expect(policy.isDue(model({ rowid: 999, rowMs: 0.2, saveMs: 10 }))).toBe(false);
    expect(policy.isDue(model({ rowid: 1000, rowMs: 0.2, saveMs: 10 }))).toBe(true);
  });

  it('bounds the rows that are replayed after a crash, whatever they cost', () => {
    const policy = new CheckpointPolicy(300);
    const cheap = { rowMs: 0.000_1, saveMs: 1000 };
    expect(policy.isDue(model({ rowid: 299, ...cheap }))).toBe(false);
    expect(policy.isDue(model({ rowid: 300, ...cheap }))).toBe(true);
    expect(policy.isWorthSaving(model({ rowid: 300, ...cheap }))).toBe(true);
    expect(policy.isOverdue(model({ rowid: 300, ...cheap }))).toBe(true);
  });

  it('takes what it has seen of others for a model that it has not measured', () => {
    const policy = new CheckpointPolicy(100_000);
    const small = model({ bytes: 2 ** 20 });
    for (let i = 0; i < 200; i++) {
      policy.saved(model({ bytes: 2 ** 20 }), 50);
      policy.ran(model({}), 2, 2);
    }
    policy.ran(small, 0, 99);
    expect(small.rowMs).toBeNull();
    expect(savedEvery(policy, 1, {})).toBe(10);
    // Twice the size takes twice as long to save: 13 * 14 / 2 = 91 rows are fewer than 100.
    expect(savedEvery(policy, 1, { bytes: 2 ** 21 })).toBe(14);
  });
});
