import type { Machine } from './calibration.ts';
import type { ModelCost } from './model-cost.ts';
import { round, table } from './table.ts';

/** All that `bench:model` finds out; with `--json` it is printed as it is. */
export interface ModelBench {
  readonly machine: Machine;
  /** Milliseconds of the calibration kernel before and after the measurements. */
  readonly calibrationMs: { readonly before: number; readonly after: number };
  readonly runs: number;
  /** The folder in which there is no benchmark, so that the series is a made-up one; null if there is one. */
  readonly missingCorpus: string | null;
  readonly firstCreateMs: number;
  readonly costs: readonly ModelCost[];
}

/** The findings as tables for a reader. */
export function describeBench(bench: ModelBench): string {
  const { machine, calibrationMs, runs, missingCorpus, firstCreateMs, costs } = bench;
  const unit = Math.min(calibrationMs.before, calibrationMs.after);
  /** A time, and the same in thousandths of the calibration kernel's. */
  const time = (milliseconds: number, shown: string) => `${shown} (${round((1000 * milliseconds) / unit)})`;
  const us = (microseconds: number) => time(microseconds / 1000, round(microseconds));
  const ms = (milliseconds: number) => time(milliseconds, round(milliseconds));
  const label = ({ series, variant, ceiling }: ModelCost) =>
    `${variant} ${series.replace(/^.*\//, '').replace('.csv', '')}${ceiling === null ? '' : ', ceiling'}`;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib.toFixed(1)} GiB, load ${machine.load.toFixed(1)}; ` +
      `Node ${machine.node}, V8 ${machine.v8}`,
    `Calibration kernel: ${round(calibrationMs.before)} ms before, ${round(calibrationMs.after)} ms after. ` +
      `In brackets: the time in thousandths of the lesser of the two.`,
    ...(missingCorpus === null ? [] : [withoutCorpus(missingCorpus)]),
    '',
    `CPU per record, microseconds: encoder, pooler and memory, learning; each record's best of ${runs} runs; process: all its threads`,
    table(
      ['', 'rows', 'median', 'mean', 'p99', 'first 1000', 'last 1000', '24 in turn', 'their p99', 'process'],
      costs.map((cost) => [
        label(cost),
        String(cost.rows),
        us(cost.record.medianUs),
        us(cost.record.meanUs),
        us(cost.record.p99Us),
        us(cost.record.firstThousandUs),
        us(cost.record.lastThousandUs),
        us(cost.turns.medianUs),
        us(cost.turns.p99Us),
        us(cost.processCpuUs),
      ]),
    ),
    '',
    'A model at the end of its series; save and load with zstd at level 1, milliseconds, the best of as many runs',
    table(
      ['', 'segments', 'synapses', 'new', 'warm', 'checkpoint', 'save', 'load', 'create'],
      costs.map((cost) => [
        label(cost),
        String(cost.segments),
        String(cost.synapses),
        mib(cost.newBytes),
        mib(cost.warmBytes),
        `${round(cost.checkpointBytes / 1e3)} kB`,
        ms(cost.saveMs),
        ms(cost.loadMs),
        ms(cost.createMs),
      ]),
    ),
    '',
    `The first model of the process takes ${ms(firstCreateMs)} ms: it builds what all models share.`,
    '',
  ].join('\n');
}

function withoutCorpus(folder: string): string {
  return (
    `There is no benchmark corpus in ${folder}: measured on a seeded synthetic series instead, ` +
    'so these figures cannot be compared with those of the benchmark.'
  );
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MiB`;
}
