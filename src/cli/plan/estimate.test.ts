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

/** Of two workers, as operating.md has it. */
const BESIDES = (352 + 2 * 96) * 2 ** 20;

it('while all models are warm, a sample costs its row and a twentieth for saving', () => {
  expect(estimate(COSTS, QUESTION)).toEqual({
    samplesPerSecond: 10,
    warmModels: 600,
    swapInsPerSecond: 0,
    workersBusy: 0.00525,
    storeBusy: 0.005,
    residentBytes: 600_000_000 + BESIDES,
    // A twentieth of a millisecond a row is 20 ms after 400 rows.
    savesPerSecond: 10 / 400,
    diskBytesPerDay: 86_400_000,
    checkpointBytes: 120_000_000,
    diskBytesKept: null,
    daysOfDisk: (100_000_000_000 - 120_000_000) / 86_400_000,
    lagSeconds: expect.closeTo(0.00155 / (1 - 0.00525), 12) as number,
    lagAllAtOnceSeconds: 0.315,
    obstacles: [],
  });
});

it('beyond the budget all samples but those of the models that stay load one, replay some rows, and now and then save it', () => {
  const tight = estimate(COSTS, { ...QUESTION, memoryBudgetBytes: 100_000_000 });
  expect(tight).toMatchObject({ warmModels: 100, residentBytes: 100_000_000 + BESIDES });
  const cold = 500 / 599;
  expect(tight.swapInsPerSecond).toBeCloseTo(10 * cold, 12);
  // After 6 rows: 1 + 2 + 3 + 4 + 5 + 6 = 21 replayed rows would take longer than the 20 ms of saving; till then 2.5 are replayed on average.
  expect(tight.savesPerSecond).toBeCloseTo((10 * cold) / 6 + (10 * (1 - cold)) / 400, 12);
  const modelMs = 1 + cold * (10 + 2.5 + 20 / 6) + (1 - cold) * 0.05;
  expect(tight.workersBusy).toBeCloseTo((10 * modelMs) / 2000, 12);
  expect(tight.lagAllAtOnceSeconds).toBeCloseTo((600 * modelMs) / 2 / 1000, 12);
});

it('leaves the disk of a database server to that', () => {
  const remote = estimate({ ...COSTS, rowBytes: null }, { ...QUESTION, maxAgeDays: 30, freeDiskBytes: 1 });
  expect(remote).toMatchObject({
    diskBytesPerDay: null,
    diskBytesKept: null,
    daysOfDisk: null,
    obstacles: [],
  });
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
  expect(obstaclesOf({ memoryBytes: 1_100_000_000 })).toEqual([expect.stringContaining('memoryBudgetBytes')]);
});
