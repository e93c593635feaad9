import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { detect, rawScorer, resolutionOf, type Variant } from '../../bench/nab-detector.ts';
import type { ConfigInput } from '../../src/config.ts';
import { Engine } from '../../src/engine.ts';
import { estimateRange, resolutionFor } from '../../src/generation.ts';
import { type Ceiling, DEFAULT_LIKELIHOOD } from '../../src/htm/index.ts';
import { temporaryDirectory, until } from '../support/engine-process.ts';
import type { Series } from '../support/nab.ts';
import { dailySeries } from '../support/series.ts';

/**
 * The engine, `htmengine detect` and the benchmark's detector are three ways to the same model and likelihood: with
 * the same resolution and constants they must agree on every row, bit for bit.
 */
interface Scores {
  readonly raw: number[];
  readonly anomaly: number[];
}

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const NAME = 'made';
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

/** How the model is to be. */
interface Kind {
  readonly variant: Variant;
  readonly ceiling: Ceiling | null;
}

/** Without a range: it is that of all rows, widened. */
async function byDetect({ timestamps, values }: Series, { variant, ceiling }: Kind): Promise<Scores> {
  const input = join(directory.path, 'series.csv');
  const output = join(directory.path, 'scored.csv');
  const rows = timestamps.map((timestamp, i) => `${timestamp},${String(values[i])}`);
  await writeFile(input, ['timestamp,value', ...rows, ''].join('\n'));
  const limits = ceiling === null ? 'off' : `${ceiling.maxSegments},${ceiling.maxSynapses}`;
  const options = ['--variant', variant, '--ceiling', limits, '--out', output];
  await promisify(execFile)(process.execPath, [MAIN, 'detect', input, ...options]);
  const scored = (await readFile(output, 'utf8')).trimEnd().split('\n').slice(1);
  const column = (index: number) => scored.map((line) => Number(line.split(',')[index]));
  return { raw: column(2), anomaly: column(3) };
}

/** With the range of the whole series, as the benchmark's own detector has it. */
function byBench({ name, timestamps, values }: Series, { variant, ceiling }: Kind): Scores {
  const series = {
    name,
    timestamps: timestamps.map(String),
    seconds: Float64Array.from(timestamps),
    values: Float64Array.from(values),
  };
  expect(resolutionOf(series, 'full')).toBe(resolutionFor(wideRange(values), null));
  const scorer = rawScorer(series, variant, 'full', ceiling);
  const { rawScores, anomalyScores } = detect(series, scorer, DEFAULT_LIKELIHOOD);
  return { raw: [...rawScores], anomaly: [...anomalyScores] };
}

/** With whatever is not said as it is by default. */
function monitoringOf({ variant, ceiling }: Partial<Kind>): ConfigInput['monitoring'] {
  return {
    ...(variant !== undefined && { variant }),
    ...(ceiling !== undefined && { ceiling: { enabled: ceiling !== null, ...ceiling } }),
  };
}

/** Monitored with a range before the first row; the rows come in portions. */
async function byEngine({ timestamps, values }: Series, models: Partial<Kind>): Promise<Scores> {
  const engine = new Engine({
    dataDirectory: join(directory.path, 'engine'),
    api: { enabled: false },
    listener: { graphite: { enabled: false } },
    scheduler: { workers: 1 },
    monitoring: monitoringOf(models),
    log: { level: 'silent' },
  });
  await engine.start();
  try {
    const metricId = await engine.monitorMetric({
      metricSpec: { metric: NAME },
      modelParams: wideRange(values),
    });
    for (let from = 0; from < values.length; from += 100) {
      const portion = values.slice(from, from + 100);
      await engine.push(
        portion.map((value, i) => ({ name: NAME, value, timestamp: timestamps[from + i] ?? NaN })),
      );
    }
    const read = () => engine.readData(metricId, { limit: 10_000 });
    await until(
      'all rows to be scored',
      async () => (await read()).filter(({ anomalyScore }) => anomalyScore !== null).length === values.length,
      120_000,
    );
    const rows = await read();
    return {
      raw: rows.map(({ rawAnomalyScore }) => rawAnomalyScore ?? NaN),
      anomaly: rows.map(({ anomalyScore }) => anomalyScore ?? NaN),
    };
  } finally {
    await engine.stop();
  }
}

function wideRange(values: readonly number[]) {
  return estimateRange(Math.min(...values), Math.max(...values));
}

/** Index of the first row whose scores differ in any bit; null if there is none. */
function firstDifference(a: Scores, b: Scores): number | null {
  const index = a.raw.findIndex(
    (raw, i) => !Object.is(raw, b.raw[i]) || !Object.is(a.anomaly[i], b.anomaly[i]),
  );
  return index < 0 && a.raw.length === b.raw.length ? null : index;
}

describe('the engine, detect and the benchmark give the same scores, bit for bit', () => {
  it.each(['cpp', 'tm_cpp'] as const)('variant %s', { timeout: 300_000 }, async (variant) => {
    const series = dailySeries(NAME, 620, 4);
    const kind = { variant, ceiling: null };
    // With the ceiling that it has by default, which so short a series does not meet.
    const engine = await byEngine(series, { variant });
    // The comparison says something only where scores differ from row to row, refits included.
    expect(new Set(engine.raw).size).toBeGreaterThan(10);
    expect(new Set(engine.anomaly.slice(400)).size).toBeGreaterThan(50);
    expect(firstDifference(engine, byBench(series, kind))).toBeNull();
    expect(firstDifference(engine, await byDetect(series, kind))).toBeNull();
  });

  it('with a ceiling that the series meets', { timeout: 300_000 }, async () => {
    const series = dailySeries(NAME, 620, 4);
    const kind = { variant: 'cpp', ceiling: { maxSegments: 2000, maxSynapses: 1e6 } } as const;
    const engine = await byEngine(series, kind);
    expect(firstDifference(engine, byBench(series, { ...kind, ceiling: null }))).not.toBeNull();
    expect(firstDifference(engine, byBench(series, kind))).toBeNull();
    expect(firstDifference(engine, await byDetect(series, kind))).toBeNull();
  });
});
