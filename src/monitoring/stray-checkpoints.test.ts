import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { MemoryCheckpoints } from '../../test/conformance/fakes/memory-checkpoints.ts';
import { MetricStatus, type Metric } from '../metric.ts';
import { StrayCheckpoints } from './stray-checkpoints.ts';

const METRICS = 250;
const id = (i: number) => i.toString(16).padStart(32, '0');

afterEach(() => void vi.useRealTimers());

it('deletes saved models of metrics without a model, however many metrics there are, and no others', async () => {
  vi.useFakeTimers();
  const statuses = new Map<string, MetricStatus>();
  const checkpoints = new MemoryCheckpoints();
  const states = [
    MetricStatus.UNMONITORED,
    MetricStatus.ACTIVE,
    MetricStatus.ERROR,
    MetricStatus.PENDING_DATA,
    MetricStatus.CREATE_PENDING,
    null,
  ];
  for (let i = 0; i < METRICS; i++) {
    const state = states[i % states.length] ?? null;
    if (state !== null) statuses.set(id(i), state);
    await checkpoints.put({ metricId: id(i), generation: 1, rowid: 5, revision: 1 }, Uint8Array.of(1));
  }
  const getMetric = (metricId: string) => {
    const status = statuses.get(metricId);
    return Promise.resolve(status === undefined ? null : ({ metricId, status } as Metric));
  };
  const log = pino({ level: 'silent' });
  const strays = new StrayCheckpoints({ catalogue: { getMetric }, checkpoints, log });
  strays.start();
  await vi.advanceTimersByTimeAsync(10_000);
  const kept = [MetricStatus.ACTIVE, MetricStatus.ERROR, MetricStatus.CREATE_PENDING];
  const expected = Array.from({ length: METRICS }, (_, i) => id(i)).filter((metricId) =>
    kept.some((state) => state === statuses.get(metricId)),
  );
  expect(await checkpoints.metricIds('', METRICS)).toEqual(expected);

  // One that comes later goes with the next look.
  await checkpoints.put({ metricId: id(0), generation: 2, rowid: 9, revision: 1 }, Uint8Array.of(1));
  await vi.advanceTimersByTimeAsync(25 * 3_600_000);
  expect(await checkpoints.list(id(0))).toEqual([]);
  await strays.stop();
});
