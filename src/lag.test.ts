import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { ScoringLag } from './lag.ts';

function setUp() {
  const registry = new Registry();
  const clock = { ms: 0 };
  const lag = new ScoringLag(registry, () => clock.ms);
  const observed = async () => {
    const values = (await registry.getSingleMetric('htmengine_anomaly_lag_seconds')?.get())?.values ?? [];
    const named = (suffix: string) =>
      values.find((value) => 'metricName' in value && String(value.metricName).endsWith(suffix))?.value;
    return { count: named('_count') ?? 0, sum: named('_sum') ?? 0 };
  };
  return { lag, clock, observed };
}

it('is the time from a batch being stored to its last row being scored', async () => {
  const { lag, clock, observed } = setUp();
  lag.stored('a', 10);
  clock.ms = 500;
  lag.scored('a', 9);
  expect(await observed()).toEqual({ count: 0, sum: 0 });
  clock.ms = 2000;
  lag.scored('a', 12);
  expect(await observed()).toEqual({ count: 1, sum: 2 });
  // Nothing of it waits any more.
  lag.scored('a', 13);
  expect(await observed()).toEqual({ count: 1, sum: 2 });
});

it('times one batch of a metric at a time, the one that waits longest', async () => {
  const { lag, clock, observed } = setUp();
  lag.stored('a', 10);
  clock.ms = 1000;
  lag.stored('a', 20);
  lag.stored('b', 1);
  clock.ms = 3000;
  lag.scored('a', 20);
  lag.scored('b', 1);
  expect(await observed()).toEqual({ count: 2, sum: 3 + 2 });
});

it('does not time what will not be scored', async () => {
  const { lag, clock, observed } = setUp();
  lag.stored('a', 10);
  lag.forget('a');
  clock.ms = 60_000;
  lag.scored('a', 10);
  expect(await observed()).toEqual({ count: 0, sum: 0 });
});
