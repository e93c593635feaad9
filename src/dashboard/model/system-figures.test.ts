import { expect, it } from 'vitest';
import type { EngineStatus } from '../api/contract.ts';
import { Measurements } from './measurements.ts';
import { systemFigures } from './system-figures.ts';

const status: EngineStatus = {
  version: '1.2.3',
  startedAt: '2026-09-21T14:15:00.000Z',
  metrics: { ACTIVE: 2, ERROR: 1 },
  rows: 12_345,
  unprocessedRows: 7,
  ready: true,
  leases: [],
};
const STARTED_MS = Date.parse(status.startedAt);

function figuresOf(before: string, now: string, given: Partial<EngineStatus> = {}) {
  const readings = {
    before: new Measurements(before, STARTED_MS + 60_000),
    now: new Measurements(now, STARTED_MS + 70_000),
  };
  const groups = systemFigures({ ...status, ...given }, readings, 'utc');
  return (title: string, term: string) =>
    groups.find((group) => group.title === title)?.figures.find((figure) => figure.term === term);
}

it('tells rates between two readings, lag, and what is refused and why', () => {
  const text = (rows: number, quick: number, all: number) => `htmengine_anomaly_rows_total ${rows}
htmengine_anomaly_lag_seconds_bucket{le="0.05"} ${quick}
htmengine_anomaly_lag_seconds_bucket{le="2"} ${all}
htmengine_anomaly_lag_seconds_bucket{le="+Inf"} ${all}
htmengine_anomaly_lag_seconds_count ${all}
htmengine_refused_samples_total{reason="time_before_1990"} 3
htmengine_refused_samples_total{reason="older"} 0
`;
  const figure = figuresOf(text(100, 10, 10), text(350, 19, 20));
  expect(figure('Engine', 'Running since')?.words).toBe('2026-09-21 14:15:00 (1 min 10 s)');
  expect(figure('Work', 'Rows scored')?.words).toBe('350, 25 per second');
  expect(figure('Work', 'From sample to score')?.words).toBe('half within 50 ms, 95 % within 2 s');
  expect(figure('Samples refused', 'time before 1990')?.words).toBe('3');
  expect(figure('Samples refused', 'older')).toBeUndefined();
  // Not measured by this process.
  expect(figure('Queues', 'Samples for the storer')).toBeUndefined();
});

it('marks what wants attention', () => {
  const now = `htmengine_disk_bytes{kind="database"} 3145728
htmengine_disk_bytes{kind="checkpoints"} 1048576
htmengine_disk_budget_bytes 2097152
htmengine_scheduler_warm_bytes 1048576
htmengine_scheduler_memory_budget_bytes 536870912
htmengine_scheduler_determinism_mismatches_total 1
htmengine_scheduler_worker_restarts_total 0
`;
  const figure = figuresOf(now, now, { ready: false });
  expect(figure('Engine', 'State')?.bad).toBe(true);
  expect(figure('Models', 'Metrics')).toEqual({
    term: 'Metrics',
    words: '2 monitored, 1 in error',
    bad: true,
  });
  expect(figure('Models', 'Their memory')?.words).toBe('1.00 MiB of 512 MiB');
  expect(figure('Models', 'Replayed rows that differ')?.bad).toBe(true);
  expect(figure('Models', 'Workers replaced')?.bad).toBe(false);
  expect(figure('Disk', 'Budget')).toEqual({ term: 'Budget', words: '4.00 MiB of 2.00 MiB', bad: true });
});

it('tells who works on what where several processes do', () => {
  const owner = (name: string | null, partitions: number, alive: boolean) => ({
    stage: 'scheduler',
    owner: name,
    partitions,
    alive,
  });
  const leases = [owner('1a2b3c4d-5e6f', 10, true), owner('dead-and-gone', 4, false), owner(null, 2, false)];
  const figure = figuresOf('', '', { leases });
  const group = 'Who works on what';
  expect(figure(group, 'scheduler 1a2b3c4d')).toMatchObject({ words: '10 partitions', bad: false });
  expect(figure(group, 'scheduler dead-and')).toMatchObject({
    words: '4 partitions, not heard of',
    bad: true,
  });
  expect(figure(group, 'scheduler nobody')).toMatchObject({ words: '2 partitions to be taken', bad: true });
});
