import type { Machine } from './calibration.ts';
import type { ModelCost } from './model-cost.ts';
import { round, table } from './table.ts';
import type { FleetMemory } from './model-fleet.ts';
import type { Judgement } from './model-targets.ts';

/** All that `bench:model` finds out; with `--json` it is printed as it is. */
export interface ModelBench {
  readonly command: string;
  readonly machine: Machine;
  /** Milliseconds of the calibration kernel before and after the measurements. */
  readonly calibrationMs: { readonly before: number; readonly after: number };
  readonly runs: number;
  /** The folder in which there is no benchmark, so that the series is a made-up one; null if there is one. */
  readonly missingCorpus: string | null;
  readonly firstCreateMs: number;
  readonly costs: readonly ModelCost[];
  readonly targets: readonly Judgement[];
}

/** What `bench:model --fleet` finds out. */
export interface FleetBench extends Pick<ModelBench, 'command' | 'machine' | 'missingCorpus'> {
  readonly fleets: readonly FleetMemory[];
}

/** The findings as tables for a reader. */
export function describeBench(bench: ModelBench): string {
  const { calibrationMs, runs, missingCorpus, firstCreateMs, costs } = bench;
  const unit = Math.min(calibrationMs.before, calibrationMs.after);
  /** A time, and the same in thousandths of the calibration kernel's. */
  const time = (milliseconds: number, shown: string) => `${shown} (${round((1000 * milliseconds) / unit)})`;
  const us = (microseconds: number) => time(microseconds / 1000, round(microseconds));
  const ms = (milliseconds: number) => time(milliseconds, round(milliseconds));
  return [
    ...heading(bench),
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
    'A model at the end of its series; save and load with zstd at level 1, milliseconds, the best of 20',
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
    ...steadiness(costs),
    ...verdicts(bench.targets),
    '',
  ].join('\n');
}

/** The memory of fleets for a reader. */
export function describeFleet(bench: FleetBench): string {
  const [{ series, models } = { series: [], models: 0 }] = bench.fleets;
  return [
    ...heading(bench),
    ...(bench.missingCorpus === null ? [] : [withoutCorpus(bench.missingCorpus)]),
    '',
    `${models} trained models in one process, of ${series.map(shortName).join(', ')} in turn; resident memory read from outside`,
    table(
      ['', 'one of each', 'all', 'per model', 'as models say'],
      bench.fleets.map((fleet) => [
        fleet.variant,
        mib(fleet.residentBefore),
        mib(fleet.residentAfter),
        mib(fleet.residentPerModel),
        mib(fleet.claimedPerModel),
      ]),
    ),
    '',
  ].join('\n');
}

function heading({ command, machine }: Pick<ModelBench, 'command' | 'machine'>): string[] {
  return [
    `$ ${command}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib.toFixed(1)} GiB, load ${machine.load.toFixed(1)}; ` +
      `Node ${machine.node}, V8 ${machine.v8}`,
  ];
}

/** Whether a series falls off a cliff: the worst tail and the worst growth. */
function steadiness(costs: readonly ModelCost[]): string[] {
  const worst = (ratio: (cost: ModelCost) => number) => {
    const [first] = costs.toSorted((a, b) => ratio(b) - ratio(a));
    return first === undefined ? '' : `${round(ratio(first))} (${label(first)})`;
  };
  const tail = worst(({ record }) => record.p99Us / record.medianUs);
  const growth = worst(({ record }) => record.lastThousandUs / record.firstThousandUs);
  return [`Worst of these: p99 by median ${tail}; last thousand by first ${growth}.`];
}

function verdicts(targets: readonly Judgement[]): string[] {
  if (targets.length === 0) return [];
  const figure = (value: number, unit: string) => `${value >= 0.1 ? round(value) : value.toFixed(3)} ${unit}`;
  return [
    '',
    'Targets',
    table(
      ['', 'must', 'aim', 'measured', ''],
      targets.map(({ what, unit, must, aim, measured, verdict }) => [
        what,
        `${must} ${unit}`,
        `${aim} ${unit}`,
        figure(measured, unit),
        verdict,
      ]),
    ),
  ];
}

function label({ series, variant, ceiling }: ModelCost): string {
  return `${variant} ${shortName(series)}${ceiling === null ? '' : ', ceiling'}`;
}

function shortName(series: string): string {
  return series.replace(/^.*\//, '').replace('.csv', '');
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
