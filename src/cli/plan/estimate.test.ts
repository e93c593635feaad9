import { expect, it } from 'vitest';
import { estimate, type Costs, type Question } from './estimate.ts';

const COSTS: Costs = {
  modelBytes: 1_000_000,
  checkpointBytes: 100_000,
  rowBytes: 100,
  computeMs: 1,
  loadMs: 10,
  saveMs: 20,
  storeMs: 0.5,
  baseBytes: 200_000_000,
};
const QUESTION: Question = {
  metrics: 600,
  intervalSeconds: 60,
  workers: 2,
  memoryBudgetBytes: 1_000_000_000,
  memoryBytes: 8_000_000_000,
  freeDiskBytes: 100_000_000_000,
  maxAgeDays: 0,
};

it('while all models are warm, a sample costs its row', () => {
  expect(estimate(COSTS, QUESTION)).toEqual({
    samplesPerSecond: 10,
    warmModels: 600,
    swapInsPerSecond: 0,
    workersBusy: 0.005,
    storeBusy: 0.005,
    residentBytes: 800_000_000,
    diskBytesPerDay: 86_400_000,
    checkpointBytes: 120_000_000,
    diskBytesKept: null,
    daysOfDisk: (100_000_000_000 - 120_000_000) / 86_400_000,
    lagSeconds: 0.0015 / 0.995,
    lagAllAtOnceSeconds: 0.3,
    obstacles: [],
  });
});

it('beyond the budget every sample brings a model in: loading, 5 rows again, a tenth of saving', () => {
  const tight = estimate(COSTS, { ...QUESTION, memoryBudgetBytes: 100_000_000 });
  expect(tight).toMatchObject({ warmModels: 100, swapInsPerSecond: 10, residentBytes: 300_000_000 });
  // 1 + 10 + 5 * 1 + 20 / 10 = 18 ms
  expect(tight.workersBusy).toBeCloseTo(0.09, 12);
  expect(tight.lagAllAtOnceSeconds).toBeCloseTo(5.4, 12);
});

it('counts what purging always leaves', () => {
  const days = (maxAgeDays: number) => estimate(COSTS, { ...QUESTION, maxAgeDays });
  expect(days(1)).toMatchObject({ diskBytesKept: 120_000_000 + 600 * 8640 * 100, daysOfDisk: null });
  expect(days(30)).toMatchObject({ diskBytesKept: 120_000_000 + 600 * 43_200 * 100, daysOfDisk: null });
});

it('says what a machine lacks', () => {
  const obstaclesOf = (question: Partial<Question>) =>
    estimate(COSTS, { ...QUESTION, ...question }).obstacles;
  expect(obstaclesOf({ metrics: 600_000, memoryBudgetBytes: 1e9 })).toEqual([
    expect.stringContaining('worker threads'),
    expect.stringContaining('database'),
    expect.stringContaining('disk is full after 0.0 days'),
  ]);
  expect(estimate(COSTS, { ...QUESTION, metrics: 600_000 }).lagSeconds).toBeNull();
  expect(obstaclesOf({ memoryBytes: 700_000_000 })).toEqual([expect.stringContaining('memoryBudgetBytes')]);
});
