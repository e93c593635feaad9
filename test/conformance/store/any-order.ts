import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MetricStatus } from '../../../src/metric.ts';
import { CONSUMER, request, requestWithRange, START, type StoreFixture } from './fixture.ts';

/** What may be done to a metric; `ahead` makes a fold start where it should not. */
const step = fc.record({
  what: fc.constantFrom(
    ...(['append', 'append', 'append', 'monitor', 'monitor', 'await', 'activate', 'activateFirst'] as const),
    ...(['model', 'model', 'model', 'score', 'score', 'publish', 'fail', 'unmonitor', 'clear'] as const),
    ...(['discard', 'remove', 'leases'] as const),
  ),
  name: fc.constantFrom('x', 'y'),
  rows: fc.integer({ min: 0, max: 6 }),
  ahead: fc.constantFrom(0, 0, 0, 1, -1),
});
type Step = (typeof step extends fc.Arbitrary<infer T> ? T : never) & { readonly epoch: number };

/** Scores tell their generation, so that two generations in one metric's rows would show. */
function scoreOf(generation: number, rowid: number): number {
  return generation + rowid / 10_000;
}

/** Whatever is called, in whatever order, many at once: what can be seen always fits together. */
export function anyOrderTests(current: () => StoreFixture): void {
  it('stays consistent under any calls in any order, several at once', { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 30, maxLength: 60 }),
        async (story) => {
          const fixture = current();
          await fixture.under.execute('delete from metric');
          let now = START;
          for (const together of story) {
            const { epoch } = fixture;
            const calls = together.map((one) => {
              now += 100;
              return take(fixture, { ...one, epoch }, now);
            });
            for (const result of await Promise.allSettled(calls)) {
              if (result.status === 'rejected') expect(result.reason).toHaveProperty('code');
            }
          }
          for (const name of ['x', 'y']) await checkMetric(fixture, name);
        },
      ),
      { numRuns: 25 },
    );
  });
}

async function take(fixture: StoreFixture, one: Step, now: number): Promise<unknown> {
  const { log, catalogue } = fixture.store;
  const { name, rows, ahead, epoch } = one;
  if (one.what === 'append') {
    const timestamps = Array.from({ length: rows + 1 }, (_, index) => now + index);
    return await fixture.append({ name, timestamps, values: timestamps });
  }
  if (one.what === 'leases') return await fixture.takeLeases();
  if (one.what === 'remove') return await catalogue.removeDiscarded(rows + 1);
  const { metricId } = await catalogue.createMetric(name);
  const task = await log.anomalyTask(metricId);
  const generation = task?.generation.generation ?? 1;
  const fold = { metricId, generation, epoch };
  switch (one.what) {
    case 'monitor':
      return await catalogue.monitor(metricId, requestWithRange());
    case 'await':
      return await catalogue.monitor(metricId, request({ minimumRows: rows + 1 }));
    case 'activate':
      return await catalogue.activate(metricId, 'allRows');
    case 'activateFirst':
      return await catalogue.activate(metricId, 'firstRows');
    case 'unmonitor':
      return await catalogue.unmonitor(metricId);
    case 'clear':
      return await catalogue.clearResults(metricId, rows + 1);
    case 'discard':
      await catalogue.discardMetric(metricId);
      return null;
    case 'fail':
      return await log.failModel({ ...fold, message: 'failed' });
    case 'model': {
      const last = (await log.modelTask(metricId))?.lastRowid ?? 0;
      const from = Math.max(0, (task?.processedRowid ?? 0) + ahead);
      const slice = fixture.raw(metricId, from, Math.max(from, Math.min(from + rows, last)), fold);
      const rawScores = Float64Array.from(slice.rowids, (rowid) => scoreOf(generation, rowid));
      return await log.recordRawScores({ ...slice, rawScores });
    }
    case 'score': {
      const from = Math.max(0, (task?.scoredRowid ?? 0) + ahead);
      const to = Math.max(from, Math.min(from + rows, task?.processedRowid ?? 0));
      const slice = fixture.scored(metricId, from, to, fold);
      const anomalyScores = Float64Array.from(slice.rowids, (rowid) => scoreOf(generation, rowid));
      return await log.recordAnomalyScores({ ...slice, anomalyScores });
    }
    case 'publish': {
      const from = Math.max(0, ((await log.cursor(CONSUMER, metricId))?.rowid ?? 0) + ahead);
      const to = Math.max(from, Math.min(from + rows, task?.scoredRowid ?? 0));
      return await log.advanceCursor(fixture.move(metricId, from, to, fold));
    }
  }
}

async function checkMetric(fixture: StoreFixture, name: string): Promise<void> {
  const { log, catalogue } = fixture.store;
  const metric = await catalogue.findMetric(name);
  if (metric === null) return;
  const { metricId, status, lastRowid } = metric;
  const rows = await fixture.data(metricId);
  expect(rows.map((row) => row.rowid)).toEqual(Array.from({ length: lastRowid }, (_, index) => index + 1));
  expect(rows.at(-1)?.timestamp ?? null).toBe(metric.lastTimestamp);

  const task = await log.anomalyTask(metricId);
  const open = (
    [MetricStatus.ACTIVE, MetricStatus.CREATE_PENDING, MetricStatus.ERROR] as MetricStatus[]
  ).includes(status);
  expect(task !== null).toBe(open);
  expect(metric.parameters !== null).toBe(status !== MetricStatus.UNMONITORED);
  expect(metric.modelParams !== null).toBe(open);
  expect(metric.message).toBe(status === MetricStatus.ERROR ? 'failed' : null);
  expect((await log.modelTask(metricId)) !== null).toBe(open && status !== MetricStatus.ERROR);

  const scored = task?.scoredRowid ?? 0;
  const processed = task?.processedRowid ?? 0;
  const generation = task?.generation.generation ?? 0;
  expect(processed).toBeLessThanOrEqual(lastRowid);
  expect(scored).toBeLessThanOrEqual(processed);
  expect((await log.cursor(CONSUMER, metricId))?.rowid ?? 0).toBeLessThanOrEqual(scored);
  const { rawScores } = await log.readRows(metricId, 0, lastRowid, 10_000);
  for (const { rowid, rawAnomalyScore, anomalyScore } of rows) {
    const score = scoreOf(generation, rowid);
    expect(rawScores[rowid - 1]).toBe(rowid <= processed ? score : Number.NaN);
    expect(rawAnomalyScore).toBe(rowid <= scored ? score : null);
    expect(anomalyScore).toBe(rowid <= scored ? score : null);
  }
}
