import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FoldRunner, FoldTelemetry, type FoldRunnerOptions, type TurnOutcome } from './fold-runner.ts';

const HOUR_MS = 3_600_000;
const running: FoldRunner[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(running.splice(0).map((runner) => runner.stop(10)));
});

function makeRunner(options: Partial<FoldRunnerOptions> & Pick<FoldRunnerOptions, 'turn'>) {
  const registry = new Registry();
  const runner = new FoldRunner({
    metricsWithWork: () => Promise.resolve([]),
    sweepMs: HOUR_MS,
    concurrency: 4,
    log: pino({ level: 'silent' }),
    telemetry: new FoldTelemetry(registry, 'test'),
    ...options,
  });
  running.push(runner);
  const value = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
  return { runner, value };
}

/** Turns that last until they are ended by hand. */
function heldTurns() {
  const begun: string[] = [];
  const held = new Map<string, (outcome: TurnOutcome) => void>();
  return {
    begun,
    turn: (metricId: string) => {
      begun.push(metricId);
      const { promise, resolve } = Promise.withResolvers<TurnOutcome>();
      held.set(metricId, resolve);
      return promise;
    },
    end: async (metricId: string, outcome: TurnOutcome = 'idle') => {
      held.get(metricId)?.(outcome);
      held.delete(metricId);
      await settled();
    },
  };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

describe('FoldRunner', () => {
  it('gives turns in the order of the wake-ups, so many at a time', async () => {
    const { begun, turn, end } = heldTurns();
    const { runner } = makeRunner({ turn, concurrency: 2 });
    runner.start();
    runner.wake(['c', 'a', 'b', 'd']);
    expect(begun).toEqual(['c', 'a']);
    await end('a');
    expect(begun).toEqual(['c', 'a', 'b']);
    await end('c');
    await end('b');
    expect(begun).toEqual(['c', 'a', 'b', 'd']);
  });

  it('never has two turns of a metric at once, and forgets no wake-up that came during a turn', async () => {
    const { begun, turn, end } = heldTurns();
    const { runner, value } = makeRunner({ turn });
    runner.start();
    runner.wake(['a', 'a']);
    runner.wake(['a']);
    expect(begun).toEqual(['a']);
    await end('a');
    expect(begun).toEqual(['a', 'a']);
    await end('a');
    expect(begun).toEqual(['a', 'a']);
    expect(await value('htmengine_test_pending_metrics')).toBe(0);
  });

  it('lets others go first when a metric has more to do', async () => {
    const { begun, turn, end } = heldTurns();
    const { runner } = makeRunner({ turn, concurrency: 1 });
    runner.start();
    runner.wake(['long', 'short']);
    await end('long', 'more');
    await end('short');
    await end('long');
    expect(begun).toEqual(['long', 'short', 'long']);
  });

  it('finds by sweeping, page after page, what no wake-up told of', async () => {
    const metricIds = Array.from({ length: 2500 }, (_, i) => String(i).padStart(5, '0'));
    const seen: string[] = [];
    const { runner } = makeRunner({
      turn: (metricId) => {
        seen.push(metricId);
        return Promise.resolve('idle');
      },
      metricsWithWork: (after, limit) =>
        Promise.resolve(metricIds.filter((metricId) => metricId > after).slice(0, limit)),
    });
    runner.start();
    await vi.waitFor(() => expect(seen).toEqual(metricIds));
  });

  it('sweeps again and again, also after a sweep that failed', async () => {
    vi.useFakeTimers();
    let sweeps = 0;
    const seen: string[] = [];
    const { runner } = makeRunner({
      turn: (metricId) => {
        seen.push(metricId);
        return Promise.resolve('idle');
      },
      metricsWithWork: () => {
        sweeps += 1;
        return sweeps === 1 ? Promise.reject(new Error('no answer')) : Promise.resolve(['a']);
      },
      sweepMs: 1000,
    });
    runner.start();
    await vi.advanceTimersByTimeAsync(999);
    expect(seen).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(seen).toEqual(['a', 'a']);
  });

  it('tries a failed turn again, each time later, while others go on', async () => {
    vi.useFakeTimers();
    let failuresLeft = 3;
    const seen: string[] = [];
    const { runner, value } = makeRunner({
      concurrency: 1,
      turn: (metricId) => {
        seen.push(metricId);
        if (metricId !== 'bad') return Promise.resolve('idle');
        failuresLeft -= 1;
        if (failuresLeft === 2) return Promise.resolve('retry');
        return failuresLeft >= 0 ? Promise.reject(new Error('not today')) : Promise.resolve('idle');
      },
    });
    runner.start();
    runner.wake(['bad', 'good']);
    await settled();
    expect(seen).toEqual(['bad', 'good']);
    runner.wake(['bad', 'good']); // a wake-up does not cut the back-off short
    await vi.advanceTimersByTimeAsync(99);
    expect(seen).toEqual(['bad', 'good', 'good']);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen.filter((metricId) => metricId === 'bad')).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(seen.filter((metricId) => metricId === 'bad')).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(400);
    expect(seen.filter((metricId) => metricId === 'bad')).toHaveLength(4);
    await vi.advanceTimersByTimeAsync(HOUR_MS / 2);
    expect(seen.filter((metricId) => metricId === 'bad')).toHaveLength(4);
    expect(await value('htmengine_test_turn_failures_total')).toBe(2);
    expect(await value('htmengine_test_pending_metrics')).toBe(0);
  });

  it('stops after the running turns, which it tells, and begins no other', async () => {
    const { begun, turn, end } = heldTurns();
    let signal: AbortSignal | undefined;
    const { runner, value } = makeRunner({
      concurrency: 1,
      turn: (metricId, given) => {
        signal = given;
        return turn(metricId);
      },
    });
    runner.start();
    runner.wake(['a', 'b']);
    const stopped = runner.stop(HOUR_MS);
    expect(signal?.aborted).toBe(true);
    runner.wake(['c']);
    await end('a', 'more');
    expect(await stopped).toBe(true);
    expect(begun).toEqual(['a']);
    expect(await value('htmengine_test_pending_metrics')).toBe(0);
  });

  it('gives up waiting for a turn that does not end', async () => {
    vi.useFakeTimers();
    const { turn } = heldTurns();
    const { runner } = makeRunner({ turn });
    runner.start();
    runner.wake(['a']);
    const stopped = runner.stop(5000);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await stopped).toBe(false);
  });
});
