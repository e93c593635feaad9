import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { GivenSample } from '../../intake.ts';
import { MetricStatus, type Metric } from '../../metric.ts';
import { Detector } from '../../detect/detector.ts';
import { resolutionFor } from '../../generation.ts';
import { DemoFeeder, type DemoSpec } from './demo-feeder.ts';
import { DEMO_SERIES, DEMO_STEP_SECONDS, demoValue, newestTime, type DemoSeries } from './demo-series.ts';

const NOW = 1_796_000_100;
/** Log-likelihood from which on a row is an anomaly (model reference 7). */
const RED = 0.5;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: NOW * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Metrics as the store keeps them, as far as the feeder looks. */
class World {
  readonly metrics = new Map<string, { parameters: string | null; rows: GivenSample[] }>();
  fail = false;

  feeder(series: readonly DemoSeries[]): DemoFeeder {
    return new DemoFeeder({
      series,
      nowSeconds: () => Math.floor(Date.now() / 1000),
      telemetry: { log: pino({ level: 'silent' }), registry: new Registry() },
      monitor: (spec: DemoSpec) => {
        this.metrics.set(spec.metricSpec.metric, { parameters: JSON.stringify(spec), rows: [] });
        return Promise.resolve();
      },
      findMetric: (name) => Promise.resolve(this.#find(name)),
      firstTimestamp: (id) => Promise.resolve(this.metrics.get(id)?.rows[0]?.timestamp ?? null),
      intake: (samples) => {
        if (this.fail) return Promise.reject(new Error('the disk is full'));
        for (const sample of samples) this.metrics.get(sample.name)?.rows.push(sample);
        return Promise.resolve([]);
      },
    });
  }

  rows(name: string) {
    return this.metrics.get(name)?.rows ?? [];
  }

  #find(name: string): Metric | null {
    const metric = this.metrics.get(name);
    if (metric === undefined) return null;
    return {
      metricId: name,
      name,
      parameters: metric.parameters,
      status: metric.parameters === null ? MetricStatus.UNMONITORED : MetricStatus.ACTIVE,
      lastRowid: metric.rows.length,
      lastTimestamp: metric.rows.at(-1)?.timestamp ?? null,
    } as Metric;
  }
}

const short: DemoSeries = {
  name: 'demo.short',
  unit: 'x',
  range: { min: 0, max: 100 },
  historyRows: 1200,
  phaseSeconds: 60,
  usual: (at) => (at / DEMO_STEP_SECONDS) % 50,
  anomaly: { rowsBeforeEnd: 100, rows: 10, value: () => 99 },
};
const last = newestTime(short, NOW);
const anomalousRows = (rows: readonly GivenSample[]) =>
  rows.flatMap(({ value }, i) => (value === 99 ? [i] : []));

async function run(feeder: DemoFeeder, seconds: number): Promise<void> {
  feeder.start();
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  await feeder.stop();
}

describe('the demo feeder', () => {
  it('lays the history down up to now, marked as demo data, with the anomaly', async () => {
    const world = new World();
    await run(world.feeder([short]), 0);
    const rows = world.rows('demo.short');
    expect(rows.map(({ timestamp }) => timestamp)).toEqual(
      Array.from({ length: 1200 }, (_, i) => last - (1199 - i) * 300),
    );
    expect(anomalousRows(rows)).toEqual(Array.from({ length: 10 }, (_, i) => 1100 + i));
    expect(JSON.parse(world.metrics.get('demo.short')?.parameters ?? '')).toMatchObject({
      metricSpec: { userInfo: { demo: true } },
      modelParams: { min: 0, max: 100 },
    });
  });

  it('brings each row when it is due', async () => {
    const world = new World();
    await run(world.feeder([short]), 650);
    expect(
      world
        .rows('demo.short')
        .slice(1199)
        .map(({ timestamp }) => timestamp),
    ).toEqual([last, last + 300, last + 600]);
  });

  it('a later start goes on where the rows end, cut short anywhere, with the same anomaly', async () => {
    const world = new World();
    await run(world.feeder([short]), 0);
    const metric = world.metrics.get('demo.short');
    metric?.rows.splice(700);
    await vi.advanceTimersByTimeAsync(86_400_000);
    await run(world.feeder([short]), 0);
    const rows = world.rows('demo.short');
    expect(anomalousRows(rows)).toEqual(Array.from({ length: 10 }, (_, i) => 1100 + i));
    expect(rows.map(({ timestamp }) => timestamp)).toEqual(
      Array.from({ length: 1200 + 288 }, (_, i) => last - 1199 * 300 + 300 * i),
    );
  });

  it("leaves other people's metrics of that name alone", async () => {
    const world = new World();
    world.metrics.set('demo.short', {
      parameters: null,
      rows: [{ name: 'demo.short', value: 1, timestamp: last }],
    });
    await run(world.feeder([short]), 1000);
    expect(world.rows('demo.short')).toHaveLength(1);
  });

  it('does not bring back what was removed, and goes on with the others', async () => {
    const world = new World();
    const other = { ...short, name: 'demo.other' };
    const feeder = world.feeder([short, other]);
    feeder.start();
    await vi.advanceTimersByTimeAsync(0);
    world.metrics.delete('demo.short');
    await vi.advanceTimersByTimeAsync(600_000);
    await feeder.stop();
    expect(world.metrics.has('demo.short')).toBe(false);
    expect(world.rows('demo.other')).toHaveLength(1202);
  });

  it('tries again what failed', async () => {
    const world = new World();
    world.fail = true;
    const feeder = world.feeder([short]);
    feeder.start();
    await vi.advanceTimersByTimeAsync(2000);
    world.fail = false;
    await vi.advanceTimersByTimeAsync(10_000);
    await feeder.stop();
    expect(world.rows('demo.short')).toHaveLength(1200);
  });
});

describe('the demo series', () => {
  it('have one anomaly that a model finds, nothing else being as unusual', { timeout: 60_000 }, () => {
    const series = DEMO_SERIES.filter(({ anomaly }) => anomaly !== null);
    expect(series).toHaveLength(1);
    for (const { historyRows, ...rest } of series) {
      const one = { historyRows, ...rest };
      const first = newestTime(one, NOW) - (historyRows - 1) * DEMO_STEP_SECONDS;
      const detector = new Detector({
        resolution: resolutionFor(one.range, null),
        variant: 'cpp',
        ceiling: null,
        enableClassifier: false,
      });
      const scores = Array.from({ length: historyRows }, (_, i) => {
        const at = first + i * DEMO_STEP_SECONDS;
        return detector.next(at, demoValue(one, first, at)).logLikelihood;
      });
      const begin = historyRows - (one.anomaly?.rowsBeforeEnd ?? 0);
      const inAnomaly = Math.max(...scores.slice(begin, begin + (one.anomaly?.rows ?? 0)));
      expect(inAnomaly).toBeGreaterThanOrEqual(RED);
      expect(inAnomaly).toBe(Math.max(...scores));
    }
  });

  it('stay within their ranges, and have values at every time', () => {
    for (const series of DEMO_SERIES) {
      for (let at = NOW; at < NOW + 8 * 86_400; at += DEMO_STEP_SECONDS) {
        const value = demoValue(series, NOW, at);
        expect(value).toBeGreaterThanOrEqual(series.range.min);
        expect(value).toBeLessThanOrEqual(series.range.max);
      }
    }
  });
});
