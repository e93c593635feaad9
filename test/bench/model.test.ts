import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeBench } from '../../bench/model-report.ts';
import type { FleetBench, ModelBench } from '../../bench/model-report.ts';
import type { ModelCost } from '../../bench/model-cost.ts';
import { judge } from '../../bench/model-targets.ts';
import { corpusSeries, syntheticSeries } from '../../bench/model-series.ts';
import { AnomalyModel, scalarAnomalyParameters } from '../../src/htm/index.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, '../../bench/model.ts');

describe('bench:model', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'htmengine-bench-'));
    await mkdir(join(directory, 'data/real'), { recursive: true });
    const rows = Array.from({ length: 40 }, (_, i) => `2014-04-01 00:${10 + i}:00,${i % 5}`);
    await writeFile(join(directory, 'data/real/one.csv'), ['timestamp,value', ...rows, ''].join('\n'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const bench = async (...options: string[]) => {
    const { stdout } = await run(process.execPath, [
      script,
      '--runs',
      '1',
      '--variant',
      'tm_cpp',
      '--json',
      ...options,
    ]);
    return JSON.parse(stdout) as ModelBench;
  };

  it('measures the series asked for, to the end', { timeout: 120_000 }, async () => {
    const { costs, machine, missingCorpus } = await bench('--corpus', directory, '--series', 'real/one.csv');
    expect(missingCorpus).toBeNull();
    expect(machine.node).toBe(process.version);
    expect(costs.map(({ series, variant, rows }) => ({ series, variant, rows }))).toEqual([
      { series: 'real/one.csv', variant: 'tm_cpp', rows: 40 },
    ]);
    // The same rows with the same resolution, 1.4 * (4 - 0) / 130, and nothing measured.
    const model = AnomalyModel.create(scalarAnomalyParameters({ resolution: 5.6 / 130, variant: 'tm_cpp' }));
    for (let i = 0; i < 40; i++) model.run(Date.UTC(2014, 3, 1, 0, 10 + i) / 1000, i % 5);
    expect(costs[0]?.segments).toBe(model.segmentCount);
    expect(costs[0]?.synapses).toBe(model.synapseCount);
    expect(costs[0]?.warmBytes).toBe(model.byteLength);
  });

  it('measures with the ceiling asked for', { timeout: 120_000 }, async () => {
    const options = ['--corpus', directory, '--series', 'real/one.csv'];
    const [free, limited] = [await bench(...options), await bench(...options, '--ceiling', '100,90000')];
    expect(free.costs[0]?.ceiling).toBeNull();
    expect(free.costs[0]?.segments).toBeGreaterThan(100);
    expect(limited.costs[0]?.ceiling).toEqual({ maxSegments: 100, maxSynapses: 90_000 });
    expect(limited.costs[0]?.segments).toBeLessThanOrEqual(100);
    expect(describeBench(limited)).toMatch(/^tm_cpp one, ceiling +40 /m);
  });

  it('measures a made-up series where there is no corpus, and says so', { timeout: 120_000 }, async () => {
    const nowhere = join(directory, 'nowhere');
    const findings = await bench('--corpus', nowhere, '--rows', '50');
    expect(findings.missingCorpus).toBe(nowhere);
    expect(findings.costs.map(({ series, rows }) => ({ series, rows }))).toEqual([
      { series: 'synthetic, seeded', rows: 50 },
    ]);
    expect(describeBench(findings)).toContain(`There is no benchmark corpus in ${nowhere}`);
  });

  it('refuses a series that the corpus does not have', () => {
    expect(() => corpusSeries(directory, ['real/two.csv'])).toThrow('has no series real/two.csv');
  });

  it('makes up the same series each time', () => {
    const series = syntheticSeries(3000);
    expect(series).toEqual(syntheticSeries(3000));
    expect(new Set(series.values).size).toBe(3000);
    expect(series.seconds.at(-1)).toBe(Date.UTC(2014, 3, 1) / 1000 + 2999 * 300);
  });

  it('gives every time also in thousandths of the calibration kernel', () => {
    const text = describeBench({
      command: 'npm run bench:model',
      machine: { cpu: 'Abacus', cores: 2, memoryGib: 8, load: 0.5, node: 'v24', v8: '13' },
      calibrationMs: { before: 60, after: 50 },
      runs: 5,
      missingCorpus: null,
      firstCreateMs: 100,
      costs: [
        {
          series: 'real/one.csv',
          variant: 'cpp',
          ceiling: null,
          rows: 10,
          segments: 20,
          synapses: 300,
          record: { medianUs: 100, meanUs: 125, p99Us: 250, firstThousandUs: 50, lastThousandUs: 200 },
          turns: { models: 24, medianUs: 400, p99Us: 800 },
          processCpuUs: 130,
          newBytes: 2 ** 18,
          warmBytes: 2 ** 20,
          checkpointBytes: 93_000,
          saveMs: 5,
          loadMs: 10,
          createMs: 1,
        },
      ],
      targets: [
        { what: 'create, cpp, one', unit: 'ms', must: 20, aim: 5, measured: 1.5, verdict: 'aim met' },
      ],
    });
    expect(text).toContain('Calibration kernel: 60.0 ms before, 50.0 ms after.');
    expect(text).toMatch(
      /^cpp one +10 +100 \(2\.00\) +125 \(2\.50\) +250 \(5\.00\) +50\.0 \(1\.00\) +200 \(4\.00\) +400 \(8\.00\) +800 \(16\.0\) +130 \(2\.60\)$/m,
    );
    expect(text).toMatch(
      /^cpp one +20 +300 +0\.25 MiB +1\.00 MiB +93\.0 kB +5\.00 \(100\) +10\.0 \(200\) +1\.00 \(20\.0\)$/m,
    );
    expect(text).toMatch(/^\$ npm run bench:model\nAbacus, 2 cores, 8\.0 GiB/);
    expect(text).toContain('p99 by median 2.50 (cpp one); last thousand by first 4.00 (cpp one)');
    expect(text).toMatch(/^create, cpp, one +20 ms +5 ms +1\.50 ms +aim met$/m);
    expect(text).not.toContain('no benchmark corpus');
  });

  it('reads the memory of many models in one process from outside', { timeout: 120_000 }, async () => {
    const options = ['--corpus', directory, '--fleet', '12', '--series', 'real/one.csv'];
    const { fleets } = (await bench(...options)) as unknown as FleetBench;
    expect(fleets).toHaveLength(1);
    const [fleet] = fleets;
    expect(fleet).toMatchObject({ variant: 'tm_cpp', models: 12, series: ['real/one.csv'] });
    // What models share is there with the first one; so the eleven others take about what they say, not several times it.
    expect(fleet?.residentBefore).toBeGreaterThan(10 * 2 ** 20);
    expect(fleet?.claimedPerModel).toBeGreaterThan(2 ** 17);
    expect(fleet?.residentPerModel).toBeLessThan(2 ** 22);
  });
});

describe('judge', () => {
  const cost: ModelCost = {
    series: 'realKnownCause/nyc_taxi.csv',
    variant: 'cpp',
    ceiling: null,
    rows: 10_320,
    segments: 43_228,
    synapses: 1_032_337,
    record: { medianUs: 400, meanUs: 400, p99Us: 900, firstThousandUs: 100, lastThousandUs: 500 },
    turns: { models: 24, medianUs: 300, p99Us: 800 },
    processCpuUs: 450,
    newBytes: 2 ** 18,
    warmBytes: 7 * 2 ** 20,
    checkpointBytes: 1_800_001,
    saveMs: 30,
    loadMs: 70,
    createMs: 1,
  };

  it('holds each figure against what it must and should be', () => {
    expect(judge([cost]).map(({ what, measured, verdict }) => [what, measured, verdict])).toEqual([
      ['record, one warm model, cpp, nyc_taxi', 0.4, 'missed'],
      ['record, 24 models in turn, cpp, nyc_taxi', 0.3, 'must met'],
      ['warm model, cpp, nyc_taxi', 7, 'aim met'],
      ['checkpoint, cpp, nyc_taxi', 1.800001, 'missed'],
      ['save + load, cpp, nyc_taxi', 100, 'must met'],
    ]);
  });

  it('says nothing of a series that was cut short', () => {
    expect(judge([{ ...cost, rows: 10_319 }])).toEqual([]);
  });
});
