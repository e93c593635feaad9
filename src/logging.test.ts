import { expect, it } from 'vitest';
import { createLogger, MAX_LINES_PER_INTERVAL } from './logging.ts';

function setUp() {
  const lines: Record<string, unknown>[] = [];
  const clock = { ms: 0 };
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const log = createLogger('info', destination, () => clock.ms);
  return { lines, clock, log };
}

it('writes one JSON line an event with its fields', () => {
  const { lines, log } = setUp();
  log.child({ stage: 'scheduler' }).warn({ event: 'scheduler.rows_gone', metricId: 'm' }, 'gone');
  log.debug({ event: 'graphite.connection_failed' }, 'not at this level');
  expect(lines).toEqual([
    expect.objectContaining({
      level: 40,
      stage: 'scheduler',
      event: 'scheduler.rows_gone',
      metricId: 'm',
      msg: 'gone',
    }),
  ]);
});

it('writes an event that comes again and again so often a minute, then says what it left out', () => {
  const { lines, clock, log } = setUp();
  for (let i = 0; i < MAX_LINES_PER_INTERVAL + 40; i++) log.error({ event: 'fold.turn_failed', i }, 'failed');
  expect(lines).toHaveLength(MAX_LINES_PER_INTERVAL);
  // Others are not held back by it, nor what a user did.
  log.warn({ event: 'fold.sweep_failed' }, 'other');
  for (let i = 0; i < 100; i++) log.info({ event: 'monitoring.metric_monitored' }, 'done');
  expect(lines).toHaveLength(MAX_LINES_PER_INTERVAL + 101);
  clock.ms += 60_000;
  log.child({ stage: 'anomaly' }).error({ event: 'fold.turn_failed', i: -1 }, 'failed');
  log.error({ event: 'fold.turn_failed', i: -2 }, 'failed');
  expect(lines.at(-2)).toMatchObject({ event: 'fold.turn_failed', stage: 'anomaly', i: -1, suppressed: 40 });
  expect(lines.at(-2)).toHaveProperty('msg', 'failed');
  expect(lines.at(-1)).toMatchObject({ i: -2 });
  expect(lines.at(-1)).not.toHaveProperty('suppressed');
});
