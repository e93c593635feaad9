import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnomalyModel } from './model.ts';
import { rdseResolution, scalarAnomalyParameters } from './scalar-anomaly-parameters.ts';

/**
 * Every raw score of real series against the original's compiled core. The corpus is not part of this repository:
 * it is looked for in ../shared/nab beside it, or in the folder that HTMENGINE_NAB names. HTMENGINE_NAB_ALL=1 runs all files.
 */
const corpus = process.env['HTMENGINE_NAB'] ?? join(import.meta.dirname, '../../../shared/nab');
const runsAll = process.env['HTMENGINE_NAB_ALL'] === '1';
const isThere = existsSync(join(corpus, 'results/final-sizes.csv'));

const SHORT_FILES = {
  cpp: ['speed_7578', 'iio_us-east-1_i-a2eb1cd9_NetworkIn', 'art_flatline'],
  tm_cpp: ['speed_7578', 'exchange-3_cpm_results', 'ec2_cpu_utilization_c6585a'],
};

interface Expected {
  readonly file: string;
  readonly resolution: number;
  readonly segments: { readonly cpp: number; readonly tm_cpp: number };
  readonly synapses: { readonly cpp: number; readonly tm_cpp: number };
}

/** Fields of a CSV file's rows, without the header. */
function rowsOf(path: string): string[][] {
  const lines = readFileSync(join(corpus, path), 'utf8').trimEnd().split(/\r?\n/);
  return lines.slice(1).map((line) => line.split(','));
}

function expectedSizes(): Expected[] {
  return rowsOf('results/final-sizes.csv').map(([file, , resolution, ...sizes]) => {
    const [cppSegments, cppSynapses, plainSegments, plainSynapses] = sizes.map(Number);
    return {
      file,
      resolution: Number(resolution),
      segments: { cpp: cppSegments, tm_cpp: plainSegments },
      synapses: { cpp: cppSynapses, tm_cpp: plainSynapses },
    };
  });
}

/** The benchmark's resolution: from the whole series' range with a fifth of it added on both sides. */
function resolutionOf(values: readonly number[]): number {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const padding = Math.abs(max - min) * 0.2;
  return rdseResolution(min - padding, max + padding);
}

function check(expected: Expected, variant: 'cpp' | 'tm_cpp'): void {
  const rows = rowsOf(`data/${expected.file}`);
  const values = rows.map(([, value]) => Number(value));
  const resolution = resolutionOf(values);
  expect(resolution / expected.resolution).toBeCloseTo(1, 12);
  const model = AnomalyModel.create(scalarAnomalyParameters({ resolution, variant }));
  const folder = variant === 'cpp' ? 'nupic-cpp' : 'nupic-tm-cpp';
  const scores = rowsOf(`results/${folder}/${expected.file}`).map(([, fortieths]) => Number(fortieths));
  const differing = rows.flatMap(([time], i) => {
    const score = model.run(Date.parse(`${time.replace(' ', 'T')}Z`) / 1000, values[i]);
    return score === Math.fround(scores[i] / 40) ? [] : [i];
  });
  expect(differing).toEqual([]);
  expect(scores).toHaveLength(rows.length);
  expect(model.segmentCount).toBe(expected.segments[variant]);
  expect(model.synapseCount).toBe(expected.synapses[variant]);
}

describe.skipIf(!isThere)(
  `the benchmark's series${isThere ? '' : ` (skipped: no corpus in ${corpus})`}`,
  () => {
    const all = isThere ? expectedSizes() : [];
    describe.each(['cpp', 'tm_cpp'] as const)('%s', (variant) => {
      const files = all.filter(
        ({ file }) => runsAll || SHORT_FILES[variant].some((name) => file.includes(name)),
      );
      it.each(files)('$file', { timeout: 120_000 }, (expected) => check(expected, variant));
    });
  },
);
